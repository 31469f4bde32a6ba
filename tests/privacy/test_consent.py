"""Consent: exactly what was granted, remembered safely, and never guessed."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.errors import StorageError
from optimizer.privacy import consent


def test_a_yes_holds_for_one_repository_destination_and_host(tmp_path: Path) -> None:
    consent.grant(tmp_path, "/repo", "groq", "API.groq.com")
    assert consent.granted(tmp_path, "/repo", "groq", "api.groq.com")
    assert not consent.granted(tmp_path, "/repo/sub", "groq", "api.groq.com")
    assert not consent.granted(tmp_path, "/repo", "gemini", "api.groq.com")
    assert not consent.granted(tmp_path, "/repo", "groq", "127.0.0.1:8080")
    assert not consent.granted(tmp_path, "/repo", "groq", "")


def test_granting_twice_is_granting_once(tmp_path: Path) -> None:
    for _ in range(2):
        consent.grant(tmp_path, "/repo", "groq", "api.groq.com")
    (only,) = consent.grants(tmp_path)
    assert (only.repository, only.destination, only.host) == ("/repo", "groq", "api.groq.com")


def test_a_yes_can_be_taken_back(tmp_path: Path) -> None:
    for host in ("a.example", "b.example"):
        consent.grant(tmp_path, "/repo", "openai", host)
    consent.grant(tmp_path, "/other", "openai", "a.example")
    assert consent.revoke(tmp_path, "/repo", "openai", "a.example") == 1
    assert not consent.granted(tmp_path, "/repo", "openai", "a.example")
    assert consent.revoke(tmp_path, "/repo", "openai") == 1
    assert consent.revoke(tmp_path, "/repo", "openai") == 0
    assert [one.repository for one in consent.grants(tmp_path)] == ["/other"]


def test_the_record_is_private_and_nothing_is_left_lying(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state"
    consent.grant(state, "/repo", "groq", "api.groq.com")
    assert stat.S_IMODE((state / consent.FILE).stat().st_mode) == 0o600
    assert {path.name for path in state.iterdir()} == {consent.FILE, f"{consent.FILE}.lock"}


def test_nothing_recorded_is_no_consent(tmp_path: Path) -> None:
    assert consent.grants(tmp_path / "nowhere") == ()
    assert not consent.granted(tmp_path / "nowhere", "/repo", "groq", "api.groq.com")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"grants": 5}',
        b'{"grants": [{}]}',
        b'{"grants": [5]}',
        b"\xff\xfe\x00",
        b"[" * 99999,
        b'{"grants": [{"repository": true, "destination": "groq", "host": "h", "at": ""}]}',
    ],
)
def test_a_damaged_record_is_no_consent_and_is_not_overwritten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / consent.FILE).write_bytes(content)
    with pytest.raises(StorageError) as caught:
        consent.granted(tmp_path, "/repo", "groq", "h")
    assert caught.value.exit_code == 7 and str(tmp_path) in caught.value.hint
    with pytest.raises(StorageError):
        consent.grant(tmp_path, "/repo", "groq", "h")
    assert (tmp_path / consent.FILE).read_bytes() == content


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        consent.grant(tmp_path / "file" / "state", "/repo", "groq", "h")


def test_processes_that_grant_at_once_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from optimizer.privacy import consent\n"
        "for n in range(15): consent.grant(Path(sys.argv[1]), f'/r{n}', sys.argv[2], 'h')"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in ("groq", "gemini", "openai")
    ]
    assert [one.wait(30) for one in running] == [0, 0, 0]
    assert len(consent.grants(tmp_path)) == 45
