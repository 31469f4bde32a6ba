"""Killed at every call that changes files, of undo, redo, their merging forms, and of the recovery after it.

The calls are counted inside the process, so that this runs where there is no strace.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from optimizer.edits.journal import entries
from optimizer.edits.journalled import recover
from optimizer.edits.write import redo, undo, write
from optimizer.errors import OptimizerError, StorageError
from optimizer.types import FileChange, Patch
from tests.faults.crashes import tree

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
Call = Callable[..., Any]
CLEAN = 99


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

    def run(self, act: Act, trouble: Callable[[Call, tuple[Any, ...]], None], number: int, *, stays: bool) -> int:
        """Do `act` in a process of its own with `trouble` at its call `number`, `stays`: and at all after it.

        Returns the exit code, negative for a signal, and CLEAN when there were fewer calls.
        """
        child = os.fork()
        if child == 0:
            code = 1
            try:
                count = trouble_at(number, trouble, stays)
                act(self.root, self.journal)
                code = CLEAN if count() <= number else 0
            except OptimizerError as error:
                code = error.exit_code
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def killed_at(self, act: Act, number: int, half: bool) -> bool:
        """Do `act` in a process that is killed at its call `number`; whether it was, rather than finish before.

        `half`: of a write only after half of its bytes, of anything else after it.
        """
        code = self.run(act, kill_after_half if half else kill, number, stays=False)
        assert code in (-signal.SIGKILL, CLEAN)
        return code == -signal.SIGKILL

    def kills(self, act: Act, kept: str = "kept") -> Iterator[int]:
        """Kill `act` at one call after the other, from the same beginning, until it runs through."""
        for half in (False, True):
            number = 0
            while self.killed_at(act, number, half):
                yield number
                self.reset(kept)
                number += 1
            self.reset(kept)


def trouble_at(number: int, trouble: Callable[[Call, tuple[Any, ...]], None], stays: bool) -> Callable[[], int]:
    """Put trouble before the call `number` of this process; returns how to ask how many calls there were."""
    seen = 0

    def counted(call: Call) -> Call:
        def run(*arguments: Any, **named: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == number + 1 or (stays and seen > number):
                trouble(partial(call, **named), arguments)
            return call(*arguments, **named)

        return run

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    return lambda: seen


def kill(call: Call, arguments: tuple[Any, ...]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_after_half(call: Call, arguments: tuple[Any, ...]) -> None:
    try:
        call(*(half_of(argument) for argument in arguments))
    finally:
        os.kill(os.getpid(), signal.SIGKILL)


def no_space(call: Call, arguments: tuple[Any, ...]) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def no_space_after_half(call: Call, arguments: tuple[Any, ...]) -> None:
    if any(isinstance(argument, bytes | memoryview) for argument in arguments):
        call(*(half_of(argument) for argument in arguments))
    no_space(call, arguments)


def half_of(argument: Any) -> Any:
    return argument[: len(argument) // 2] if isinstance(argument, bytes | memoryview) else argument


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


def before_and_after(base: Path, what: str) -> tuple[Place, Act, Tree, Tree]:
    """A place where `what` can be done, what does it, and the files before and after it."""
    place, act, _ = in_state(base, what)
    start = tree(place.root)
    place.keep()
    act(place.root, place.journal)
    goal = tree(place.root)
    place.reset()
    return place, act, start, goal


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
@pytest.mark.parametrize(
    ("what", "share"),
    [("undo", 0.5), ("undo", 0.9), ("redo", 0.5), ("redo", 0.9), ("undo --merge", 0.7), ("redo --merge", 0.7)],
)
def test_a_recovery_that_is_killed_is_repeated(quick: Path, what: str, share: float) -> None:
    place, act, start, goal = before_and_after(quick, what)
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


@pytest.mark.slow
@pytest.mark.parametrize("what", ["undo", "redo", "undo --merge", "redo --merge"])
@pytest.mark.parametrize("stays", [False, True])
def test_a_full_disk_at_any_call_is_told_and_nothing_is_lost(quick: Path, what: str, stays: bool) -> None:
    place, act, start, goal = before_and_after(quick, what)
    points = 0
    while (code := place.run(act, no_space_after_half, points, stays=stays)) != CLEAN:
        assert code in (0, StorageError.exit_code)
        if code == 0:
            assert tree(place.root) == goal
        elif not stays:
            assert tree(place.root) == start
        check_settled(place, start, goal)
        place.reset()
        points += 1
    print(f"{what}: {points} calls failed, 0 lost, 0 told as done")
    assert points > 60
