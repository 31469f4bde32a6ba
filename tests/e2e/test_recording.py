"""The recording of the README is made from a real run that shows all it should."""

from __future__ import annotations

import html
import re

import pytest

from docs import recording
from tests.e2e.conftest import GOOD_LINE

pytestmark = pytest.mark.slow


def test_the_recording_shows_diff_checks_question_and_price(capsys: pytest.CaptureFixture[str]) -> None:
    recording.main()
    text = html.unescape(re.sub(r"<[^>]+>", "", capsys.readouterr().out)).replace("\xa0", " ")
    assert f'$ optimize "{recording.REQUEST}"' in text
    assert "names failed" in text
    assert f"+{GOOD_LINE.rstrip()}" in text
    assert re.search(r"claude-haiku.*\$0\.000\d", text)
    assert "[y/N]: y" in text
