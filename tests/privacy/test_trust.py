"""Trust in commands: exactly what was allowed, remembered safely."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from optimizer.errors import StorageError
from optimizer.privacy import trust


def test_an_answer_holds_for_one_repository_and_the_exact_command(tmp_path: Path) -> None:
    trust.decide(tmp_path, "/repo", "pytest", True)
    assert trust.decision(tmp_path, "/repo", "pytest") is True
    assert trust.decision(tmp_path, "/repo", "pytest -x") is None
    assert trust.decision(tmp_path, "/repo/sub", "pytest") is None
    assert trust.decision(tmp_path / "nowhere", "/repo", "pytest") is None


def test_the_last_answer_counts_and_can_be_forgotten(tmp_path: Path) -> None:
    trust.decide(tmp_path, "/repo", "pytest", True)
    trust.decide(tmp_path, "/repo", "pytest", False)
    trust.decide(tmp_path, "/repo", "ruff check", True)
    assert trust.decision(tmp_path, "/repo", "pytest") is False
    assert trust.revoke(tmp_path, "/other") == 0
    assert trust.revoke(tmp_path, "/repo", "ruff check") == 1
    assert trust.revoke(tmp_path, "/repo") == 1
    assert trust.decisions(tmp_path) == ()


def test_the_record_is_private(tmp_path: Path) -> None:
    trust.decide(tmp_path / "state", "/repo", "pytest", True)
    assert stat.S_IMODE((tmp_path / "state" / trust.FILE).stat().st_mode) == 0o600
    assert {path.name for path in (tmp_path / "state").iterdir()} == {trust.FILE, f"{trust.FILE}.lock"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"decisions": [{}]}',
        b'{"decisions": [{"repository": "r", "command": "c", "allowed": 1, "at": ""}]}',
    ],
)
def test_a_damaged_record_allows_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / trust.FILE).write_bytes(content)
    with pytest.raises(StorageError):
        trust.decision(tmp_path, "r", "c")
