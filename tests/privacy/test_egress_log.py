"""The egress log: complete, private, and readable after a crash."""

from __future__ import annotations

import json
import stat
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from optimizer.errors import StorageError
from optimizer.privacy import egress
from optimizer.privacy.egress import Egress

ENTRY = Egress("2026-11-20T12:00:00.000+00:00", "groq", "api.groq.com", "/r é\n", "m", 12, "ab" * 32, True)


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    refused = Egress("2026-11-20T12:00:01.000+00:00", "gemini", "h", "/r", "", 0, "", False, "ConsentMissing")
    for entry in (ENTRY, refused):
        egress.log(tmp_path / "state", entry)
    assert egress.entries(tmp_path / "state") == (ENTRY, refused)
    assert stat.S_IMODE((tmp_path / "state" / egress.FILE).stat().st_mode) == 0o600
    assert len((tmp_path / "state" / egress.FILE).read_bytes().splitlines()) == 2


def test_pictures_are_told_and_older_lines_without_them_still_read(tmp_path: Path) -> None:
    seen = replace(ENTRY, image_bytes=2000, images=("cd" * 32, "ef" * 32))
    old = {name: value for name, value in asdict(ENTRY).items() if name not in ("image_bytes", "images", "reason")}
    (tmp_path / egress.FILE).write_text(json.dumps(old) + "\n")
    egress.log(tmp_path, seen)
    assert egress.entries(tmp_path) == (ENTRY, seen)


def test_no_log_is_no_entries(tmp_path: Path) -> None:
    assert egress.entries(tmp_path) == ()


def test_a_line_cut_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    egress.log(tmp_path, ENTRY)
    with (tmp_path / egress.FILE).open("ab") as file:
        file.write(b'{"at": "2026\n[]\n\xff\n{}\n')
    egress.log(tmp_path, ENTRY)
    assert egress.entries(tmp_path) == (ENTRY, ENTRY)


def test_writers_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    def write() -> None:
        for _ in range(50):
            egress.log(tmp_path, ENTRY)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert egress.entries(tmp_path) == (ENTRY,) * 200


def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / egress.FILE).mkdir()
    with pytest.raises(StorageError) as caught:
        egress.log(tmp_path, ENTRY)
    assert caught.value.exit_code == 7
    with pytest.raises(StorageError):
        egress.entries(tmp_path)
