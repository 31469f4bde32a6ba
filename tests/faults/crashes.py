"""A process killed, or failed by the system, at every file system call of a write, an undo, a redo and a recovery."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from optimizer.edits.journal import entries
from optimizer.edits.journalled import recover
from optimizer.edits.write import undo, write
from optimizer.types import FileChange, Patch

REPO = Path(__file__).parents[2]
CALLS = (
    "openat", "close", "write", "pwrite64", "ftruncate", "fsync", "rename", "renameat", "renameat2", "link", "linkat",
    "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "fchmod", "fchown", "flock",
)  # fmt: skip
FAILING = (
    "openat", "write", "pwrite64", "ftruncate", "fsync", "rename", "renameat", "renameat2", "linkat", "mkdirat",
    "fchmod",
)  # fmt: skip
STAGES = (0.2, 0.4, 0.6, 0.8)
"""How far a write of five files has come, of its renames and links, when it is killed for a recovery to begin with."""

CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
import fcntl, encodings.ascii
from pathlib import Path
from optimizer.edits.journalled import recover
from optimizer.edits.write import redo, undo, write
from optimizer.errors import OptimizerError
from optimizer.types import FileChange, Patch
root, journal, what = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
changes = tuple(FileChange(*change) for change in eval(sys.argv[5]))
os.access("/begin-here", 0)
try:
    if what == "recover":
        recover(root, journal)
    elif what == "undo":
        undo(root, journal)
    elif what == "redo":
        redo(root, journal)
    else:
        write(root, Patch(changes), journal, what)
except OptimizerError as error:
    os._exit(error.exit_code)
os.access("/end-here", 0)
os._exit(0)
"""
ONE = (("a", b"old a", b"new a"),)
FIVE = (
    *ONE,
    ("d/b", b"old b", None),
    ("n/e/w", None, b"new w"),
    ("d/c", b"old c\r\n", b"new c\r\n"),
    ("z", None, b"new z"),
)

Tree = dict[str, tuple[bytes, int]]


@dataclass(frozen=True, slots=True)
class Killed:
    """Points at which a process was killed, and what the next start left: files lost, trees half applied."""

    points: int
    lost: int
    half: int

    def __add__(self, other: Killed) -> Killed:
        return Killed(self.points + other.points, self.lost + other.lost, self.half + other.half)


@dataclass(frozen=True, slots=True)
class Failed:
    """Calls that failed, files that lost bytes by it, failures told as saved, and those after all was on disk."""

    points: int
    lost: int
    told_as_saved: int
    after: int

    def __add__(self, other: Failed) -> Failed:
        pairs = zip(
            (self.points, self.lost, self.told_as_saved, self.after),
            (other.points, other.lost, other.told_as_saved, other.after),
            strict=True,
        )
        return Failed(*(one + two for one, two in pairs))


def tree(root: Path) -> Tree:
    """Every file below a directory, with its bytes and mode."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o7777)
        for path in root.rglob("*")
        if path.is_file()
    }


class Place:
    """A repository and its journal that can be set back to how they were before `what`: one, five, undo or redo."""

    def __init__(self, base: Path, what: str) -> None:
        self.live, self.kept = base / "live", base / "kept"
        self.root, self.journal = self.live / "repo", self.live / "journal"
        self.changes = ONE if what == "one" else FIVE
        for path, before, _ in FIVE:
            if before is not None:
                (self.root / path).parent.mkdir(parents=True, exist_ok=True)
                (self.root / path).write_bytes(before)
        (self.root / "a").chmod(0o755)
        self.old = tree(self.root)
        write(self.root, Patch(tuple(FileChange(*change) for change in self.changes)), self.journal, what)
        self.new = tree(self.root)
        if what != "undo":
            undo(self.root, self.journal)
        if what in ("one", "five"):
            shutil.rmtree(self.journal)
        assert (tree(self.root) == self.old) is (what != "undo")
        self.keep()

    def keep(self) -> None:
        shutil.rmtree(self.kept, ignore_errors=True)
        subprocess.run(["cp", "-a", self.live, self.kept], check=True)

    def reset(self) -> None:
        shutil.rmtree(self.live)
        subprocess.run(["cp", "-a", self.kept, self.live], check=True)

    def run(self, what: str, *strace: str) -> int:
        words = [CHILD, str(REPO), str(self.root), str(self.journal), what, repr(self.changes)]
        command = ["strace", "-f", "-qq", *strace, sys.executable, "-S", "-E", "-s", "-B", "-c", *words]
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode

    def points(self, what: str, calls: tuple[str, ...] = CALLS) -> list[tuple[str, int]]:
        """Every call of `what`, as the name of the system call and its number in the process."""
        log = self.live.parent / "log"
        assert self.run(what, "-o", str(log), "-e", f"trace={','.join(CALLS)},access,faccessat,faccessat2") == 0
        self.reset()
        return list(_between(log.read_text().splitlines(), calls))

    def judge(self) -> tuple[int, int]:
        """After the next start: files that hold neither old nor new bytes, and 1 when all of them are not of one kind.

        Also checks that the start leaves nothing behind, does nothing twice, and that what is there can be undone.
        """
        line = recover(self.root, self.journal)
        now = tree(self.root)
        names = self.old.keys() | self.new.keys() | now.keys()
        lost = sum(now.get(name) not in (self.old.get(name), self.new.get(name)) for name in names)
        half = int(now not in (self.old, self.new))
        assert recover(self.root, self.journal) == "", line
        assert not [entry for entry in entries(self.journal) if entry.state in ("begun", "undoing", "damaged")]
        assert not list(self.journal.rglob("*.new"))
        if now == self.new:
            undo(self.root, self.journal)
            assert tree(self.root) == self.old
            assert not (self.root / "n").exists()
        return lost, half


def _between(lines: list[str], calls: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    before: Counter[str] = Counter()
    begun = False
    for line in lines:
        found = re.match(r"\d+ +(\w+)\(", line)
        if '"/begin-here"' in line:
            begun = True
        elif '"/end-here"' in line:
            return
        elif found and found[1] in CALLS:
            before[found[1]] += 1
            if begun and found[1] in calls:
                yield found[1], before[found[1]]
    raise AssertionError("the child was not seen to end")


def kill_everywhere(base: Path, what: str, every: int = 1) -> Killed:
    """Kill `what` (one, five, undo, redo) at each call, or at each n-th one, and judge what the next start makes."""
    place = Place(base, what)
    return _kill(place, what, every)


def kill_recovery(base: Path, stage: float, every: int = 1) -> Killed:
    """Kill a write of five files when it has come so far (0 to 1), then its recovery at each call."""
    place = Place(base, "five")
    steps = [point for point in place.points("five") if point[0] in ("rename", "linkat", "unlinkat", "unlink")]
    call, number = steps[int(len(steps) * stage)]
    place.run("five", "-o", "/dev/null", "-e", f"inject={call}:signal=SIGKILL:when={number}")
    assert any(entry.state == "begun" for entry in entries(place.journal))
    place.keep()
    return _kill(place, "recover", every)


def _kill(place: Place, what: str, every: int) -> Killed:
    total = Killed(0, 0, 0)
    for call, number in place.points(what)[::every]:
        status = place.run(what, "-o", "/dev/null", "-e", f"inject={call}:signal=SIGKILL:when={number}")
        total += Killed(int(status != 0), *place.judge())
        place.reset()
    return total


def fail_everywhere(base: Path, what: str, error: str, every: int = 1) -> Failed:
    """Let each call of `what` fail once with `error`; 0 for an exit code means that it was told as saved."""
    place = Place(base, what)
    start, wanted = (place.new, place.old) if what == "undo" else (place.old, place.new)
    total = Failed(0, 0, 0, 0)
    for call, number in place.points(what, FAILING)[::every]:
        status = place.run(what, "-o", "/dev/null", "-e", f"inject={call}:error={error}:when={number}")
        now = tree(place.root)
        saved = status == 0 and now == wanted  # all was on disk already, the journal was being tidied
        if status != 0:
            assert status == 7, (call, number, status)
        lost = sum(now.get(name) != data for name, data in start.items()) if status else 0
        total += Failed(1, lost + place.judge()[0], int(status == 0 and not saved), int(saved))
        place.reset()
    return total


def stay_full(base: Path, call: str) -> Failed:
    """From each of these calls on, a write of five files finds the disk full for good."""
    place = Place(base, "five")
    total = Failed(0, 0, 0, 0)
    for name, number in place.points("five", (call,)):
        status = place.run("five", "-o", "/dev/null", "-e", f"inject={name}:error=ENOSPC:when={number}+")
        total += Failed(1, place.judge()[0], int(status != 7), 0)
        place.reset()
    return total
