"""An editor that saves while a change is written, at the moments where a save could be lost.

The moments are met by saving within a call of the system that comes just before; `benchmarks/attack_saves.py` races.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optimizer.edits.exchange import exchange, put_back
from optimizer.edits.journal import entries
from optimizer.edits.journalled import recover
from optimizer.edits.write import undo, write
from optimizer.errors import Conflict
from optimizer.types import FileChange, Patch

A = FileChange("a", b"old a", b"new a")
B = FileChange("b", b"old b", b"new b")
SAVED = b"what the editor saved"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    (root / "a").write_bytes(b"old a")
    (root / "b").write_bytes(b"old b")
    return root


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture(autouse=True)
def exchanges(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    (tmp_path / "y").touch()
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        if not exchange(folder, "x", "y"):
            pytest.skip("files cannot be exchanged here")
    finally:
        os.close(folder)


def rename_over(path: Path, data: bytes = SAVED) -> None:
    path.with_name("save~").write_bytes(data)
    path.with_name("save~").replace(path)


def truncate(path: Path) -> None:
    path.write_bytes(SAVED)


def before(monkeypatch: pytest.MonkeyPatch, call: str, ending: str, act: Callable[[], None]) -> None:
    """Do `act` before the first call of that name for a file whose name ends so."""
    real, done = getattr(os, call), []

    def first(path: Any, *arguments: Any, **named: Any) -> Any:
        if str(path).endswith(ending) and not done:
            done.append(path)
            act()
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, call, first)


def settled(root: Path, journal: Path) -> None:
    assert recover(root, journal) == ""
    assert not list(root.glob(".optimizer-*"))


@pytest.mark.parametrize("save", [rename_over, truncate])
def test_a_save_between_the_check_and_the_exchange_stays(
    root: Path, journal: Path, monkeypatch: pytest.MonkeyPatch, save: Callable[[Path], None]
) -> None:
    before(monkeypatch, "unlink", "-1.old", lambda: save(root / "b"))
    with pytest.raises(Conflict, match="saved by another program") as told:
        write(root, Patch((A, B)), journal, "")
    assert told.value.exit_code == 8
    assert ((root / "a").read_bytes(), (root / "b").read_bytes()) == (b"old a", SAVED)
    assert entries(journal) == ()
    settled(root, journal)


def test_a_save_before_an_undo_stays(root: Path, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, Patch((A,)), journal, "")
    before(monkeypatch, "unlink", "-0.old", lambda: rename_over(root / "a"))
    with pytest.raises(Conflict):
        undo(root, journal)
    assert (root / "a").read_bytes() == SAVED
    assert [entry.state for entry in entries(journal)] == ["done"]
    settled(root, journal)


def test_a_save_before_a_removal_stays(root: Path, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before(monkeypatch, "replace", "a", lambda: rename_over(root / "a"))
    with pytest.raises(Conflict):
        write(root, Patch((FileChange("a", b"old a", None),)), journal, "")
    assert (root / "a").read_bytes() == SAVED
    settled(root, journal)


def test_a_save_over_the_new_bytes_stays_when_the_rest_fails(
    root: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, "unlink", "-1.old", lambda: rename_over(root / "b", b"saved b"))
    real = os.stat

    def stat(path: Any, *arguments: Any, **named: Any) -> Any:
        if str(path).endswith("-0.old") and (root / "b").read_bytes() == b"saved b":
            rename_over(root / "a")
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "stat", stat)
    with pytest.raises(Conflict):
        write(root, Patch((A, B)), journal, "")
    monkeypatch.undo()
    assert ((root / "a").read_bytes(), (root / "b").read_bytes()) == (SAVED, b"saved b")
    settled(root, journal)


def test_a_program_that_has_the_file_open_may_finish_its_save(root: Path, journal: Path) -> None:
    file = os.open(root / "a", os.O_WRONLY)

    def finish() -> None:
        os.write(file, SAVED)
        os.close(file)

    timer = threading.Timer(0.05, finish)
    timer.start()
    with pytest.raises(Conflict):
        write(root, Patch((A,)), journal, "")
    timer.join()
    assert (root / "a").read_bytes() == SAVED
    settled(root, journal)


def test_what_came_out_goes_back_even_when_another_save_follows(root: Path) -> None:
    folder = os.open(root, os.O_RDONLY)
    try:
        assert put_back(folder, "a", "b", b"old b") is True
        assert ((root / "a").read_bytes(), (root / "b").read_bytes()) == (b"old b", b"old a")
        assert put_back(folder, "a", "b", b"something else") is False
        assert (root / "b").read_bytes() == b"old a"
    finally:
        os.close(folder)
