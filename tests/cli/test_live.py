"""What goes on, where lines cannot be rewritten."""

from __future__ import annotations

import time

import pytest

from optimizer.cli import live
from optimizer.report import status
from optimizer.retrieval import Progress


@pytest.mark.slow
def test_a_long_wait_is_told_in_plain_lines_ever_more_rarely(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "FIRST_LINE", 0.1)
    with live.Live() as shown:
        shown.show(lambda seconds: "waiting")
        time.sleep(0.7)
        shown.clear()
        time.sleep(0.2)
    assert capsys.readouterr().err in ("waiting\n" * 2, "waiting\n" * 3)


def test_progress_is_a_line_for_each_quarter(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "DELAY", 0.0)
    with live.Live() as shown:
        for done in range(101):
            shown.progress(Progress("index", done, 100))
    assert capsys.readouterr().err.splitlines() == [f"index: {done}/100" for done in (25, 50, 75, 100)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (status.doing("checking", 7.9), "7 s · checking"),
        (status.calling("m", 125.0, False, 0), "2 min 5 s · waiting for the first token · m"),
        (
            status.calling("m", 1.0, True, 2),
            "1 s · step 3 · loading, waiting for the first token · m",
        ),
        (status.receiving("m", 3.0, 9, 2.5, 0), "3 s · ~9 tokens · m"),
        (status.receiving("m", 30.0, 1200, 20.0, 0), "30 s · ~1,200 tokens · 60 a second · m"),
        (status.spent("m", 0.44, (1200, 30), 0, None), "m · 0.4 s · 1,200 + 30 tokens · free"),
        (status.spent("m", 99.0, (1, 2), 1400, 0), "m · 99 s · 1 + 2 tokens · $0.0014 · $0.00 left today"),
        (
            status.spent("m", 9.0, (1, 2), None, 250_000),
            "m · 9.0 s · 1 + 2 tokens · price unknown · $0.25 left today",
        ),
    ],
)
def test_the_line_says_how_long_how_much_and_what(line: str, words: str) -> None:
    assert line == words
