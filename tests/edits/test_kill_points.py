"""Killed at every call that changes files, of undo, redo, their merging forms, and of the recovery after it.

The calls are counted inside the process, so that this runs where there is no strace.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from optimizer.edits.write import entries, recover, redo, undo, write
from optimizer.types import FileChange, Patch
from tests.edits.test_write import tree

CALLS = ("open", "write", "fsync", "rename", "replace", "link", "unlink", "mkdir", "rmdir", "fchmod", "ftruncate")
CHANGES = Patch(
    (
        FileChange("a", b"1\n2\n3\n", b"1\ntwo\n3\n"),
        FileChange("d/b", b"old b", None),
        FileChange("n/e/w", None, b"new w"),
        FileChange("x.sh", b"#!/bin/sh\n", b"#!/bin/sh\nexit\n"),
        FileChange("empty", b"", b"full"),
    )
)
Tree = dict[str, tuple[bytes, int]]
Act = Callable[[Path, Path], object]


def keep_both(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    """All three are texts of which ours has one more line at the end."""
    assert ours.startswith(base)
    return theirs + ours[len(base) :]


def undo_merged(root: Path, journal: Path) -> object:
    return undo(root, journal, merge=keep_both)


def redo_merged(root: Path, journal: Path) -> object:
    return redo(root, journal, merge=keep_both)


@dataclass(frozen=True)
class Place:
    """A repository, its journal, and a copy of both to begin from again."""

    base: Path

    @property
    def root(self) -> Path:
        return self.base / "live" / "repo"

    @property
    def journal(self) -> Path:
        return self.base / "live" / "journal"

    def keep(self, name: str = "kept") -> None:
        shutil.rmtree(self.base / name, ignore_errors=True)
        shutil.copytree(self.base / "live", self.base / name)

    def reset(self, name: str = "kept") -> None:
        shutil.rmtree(self.base / "live")
        shutil.copytree(self.base / name, self.base / "live")

    def killed_at(self, act: Act, number: int, half: bool) -> bool:
        """Do `act` in a process that is killed at its call `number`; whether it was, rather than finish before."""
        child = os.fork()
        if child == 0:
            try:
                count_calls(number, half)
                act(self.root, self.journal)
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)

    def kills(self, act: Act, kept: str = "kept") -> Iterator[int]:
        """Kill `act` at one call after the other, from the same beginning, until it runs through."""
        for half in (False, True):
            number = 0
            while self.killed_at(act, number, half):
                yield number
                self.reset(kept)
                number += 1
            self.reset(kept)


def count_calls(last: int, half: bool) -> None:
    """Make this process kill itself at call `last`; `half`: of a write, only after half of its bytes."""
    seen = 0

    def counted(call: Callable[..., object], writes: bool) -> Callable[..., object]:
        def run(*arguments: object, **named: object) -> object:
            nonlocal seen
            if seen == last:
                if half and writes and isinstance(arguments[1], bytes | memoryview):
                    call(arguments[0], arguments[1][: len(arguments[1]) // 2])
                elif half:
                    call(*arguments, **named)
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1
            return call(*arguments, **named)

        return run

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name), name == "write"))


@pytest.fixture
def quick() -> Iterator[Path]:
    """A directory in memory where there is one: what a killed process wrote is seen there as well."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() and os.access(memory, os.W_OK) else None) as base:
        yield Path(base)


def begin(base: Path) -> Place:
    place = Place(base)
    (place.root / "d").mkdir(parents=True)
    for change in CHANGES.changes:
        if change.before is not None:
            (place.root / change.path).write_bytes(change.before)
    (place.root / "x.sh").chmod(0o755)
    (place.root / "d/b").chmod(0o600)
    write(place.root, CHANGES, place.journal, "five files")
    return place


def appended(root: Path) -> None:
    for name in ("a", "x.sh", "empty"):
        (root / name).write_bytes((root / name).read_bytes() + b"mine\n")


def in_state(base: Path, what: str) -> tuple[Place, Act, Act]:
    """A place where `what` can be done, what does it and what reverses it."""
    place = begin(base)
    if what == "undo":
        return place, undo, redo
    if what == "undo --merge":
        appended(place.root)
        return place, undo_merged, redo
    (place.root / "n/e/w").chmod(0o750)
    undo(place.root, place.journal)
    if what == "redo --merge":
        appended(place.root)
        return place, redo_merged, undo
    return place, redo, undo


def check_settled(place: Place, start: Tree, goal: Tree) -> None:
    line = recover(place.root, place.journal)
    assert tree(place.root) in (start, goal), line
    assert recover(place.root, place.journal) == ""
    assert {entry.state for entry in entries(place.journal)} <= {"done", "undone"}
    assert not list(place.journal.rglob("*.new"))
    assert not list(place.root.rglob(".optimizer-*"))


@pytest.mark.slow
@pytest.mark.parametrize("what", ["undo", "redo", "undo --merge", "redo --merge"])
def test_killed_at_every_call_it_is_done_or_not_and_can_be_reversed(quick: Path, what: str) -> None:
    place, act, reverse = in_state(quick, what)
    start = tree(place.root)
    place.keep()
    act(place.root, place.journal)
    goal = tree(place.root)
    assert goal != start
    place.reset()
    points = 0
    for _ in place.kills(act):
        check_settled(place, start, goal)
        if tree(place.root) == start:
            act(place.root, place.journal)
            assert tree(place.root) == goal
        reverse(place.root, place.journal)
        assert tree(place.root) == start
        points += 1
    print(f"{what}: killed at {points} calls, 0 lost, 0 half done")
    assert points > 60


@pytest.mark.slow
@pytest.mark.parametrize("what", ["undo", "redo", "undo --merge", "redo --merge"])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_a_recovery_that_is_killed_is_repeated(quick: Path, what: str, share: float) -> None:
    place, act, _ = in_state(quick, what)
    start = tree(place.root)
    place.keep()
    act(place.root, place.journal)
    goal = tree(place.root)
    place.reset()
    total = len(list(place.kills(act))) // 2
    place.killed_at(act, int(total * share), half=False)
    assert any(entry.state in ("undoing", "redoing") for entry in entries(place.journal))
    place.keep("torn")
    points = 0
    for _ in place.kills(recover, "torn"):
        check_settled(place, start, goal)
        points += 1
    print(f"recovery of {what} at {share}: killed at {points} calls, 0 lost, 0 half done")
    assert points > 5
