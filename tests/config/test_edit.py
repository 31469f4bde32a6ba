"""One setting is changed, and every other byte of the file stays."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from optimizer.config.edit import set_value
from optimizer.errors import ConfigError


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ("", "budget.day", "[budget]\nday = 2.5\n"),
        ('model = "x"\n', "budget.day", 'model = "x"\n\n[budget]\nday = 2.5\n'),
        ('model = "x"', "budget.day", 'model = "x"\n\n[budget]\nday = 2.5\n'),
        ("[budget]\nrun = 1  # mine\n[features]\n", "budget.day", "[budget]\nday = 2.5\nrun = 1  # mine\n[features]\n"),
        ("[budget]\nday = 1 # mine\n", "budget.day", "[budget]\nday = 2.5 # mine\n"),
        ("budget.day = 1\n", "budget.day", None),
        ("# note\n[features]\n", "temperature", "temperature = 2.5\n# note\n[features]\n"),
    ],
)
def test_setting_a_value(tmp_path: Path, before: str, key: str, after: str | None) -> None:
    path = tmp_path / "sub" / "config.toml"
    path.parent.mkdir()
    if before:
        path.write_text(before)
    if after is None:
        with pytest.raises(ConfigError, match=re.escape(key)):
            set_value(path, key, 2.5)
        assert path.read_text() == before
    else:
        set_value(path, key, 2.5)
        assert path.read_text() == after


def test_mode_and_link_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "config.toml"
    real.write_text("[budget]\nday = 1\n")
    real.chmod(0o640)
    link.symlink_to(real)
    set_value(link, "budget.day", 3.0)
    assert link.is_symlink() and real.read_text() == "[budget]\nday = 3.0\n"
    assert real.stat().st_mode & 0o777 == 0o640
