"""Killed, or failed by the system, at every file system call of a write, an undo and a recovery."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.edits.write import entries, recover, undo, write
from optimizer.types import FileChange, Patch
from tests.edits.test_write import tree

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]

REPO = Path(__file__).parents[2]
CALLS = (
    "openat", "close", "write", "pwrite64", "ftruncate", "fsync", "rename", "renameat", "renameat2", "link", "linkat",
    "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "fchmod", "fchown", "flock",
)  # fmt: skip
FAILING = (
    "openat",
    "write",
    "pwrite64",
    "ftruncate",
    "fsync",
    "rename",
    "renameat",
    "renameat2",
    "linkat",
    "mkdirat",
    "fchmod",
)

CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
import fcntl, encodings.ascii
from pathlib import Path
from optimizer.edits.write import recover, undo, write
from optimizer.errors import OptimizerError
from optimizer.types import FileChange, Patch
root, journal, what = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
one = (FileChange("a", b"old a", b"new a"),)
three = (*one, FileChange("d/b", b"old b", None), FileChange("n/e/w", None, b"new w"))
os.access("/begin-here", 0)
try:
    if what == "recover":
        recover(root, journal)
    elif what == "undo":
        undo(root, journal)
    else:
        write(root, Patch(one if what == "one" else three), journal, what)
except OptimizerError as error:
    os._exit(error.exit_code)
os.access("/end-here", 0)
os._exit(0)
"""


class Place:
    """A repository and its journal that can be set back to how they were."""

    def __init__(self, base: Path) -> None:
        self.live, self.kept = base / "live", base / "kept"
        self.root, self.journal = self.live / "repo", self.live / "journal"
        (self.root / "d").mkdir(parents=True)
        (self.root / "a").write_bytes(b"old a")
        (self.root / "a").chmod(0o755)
        (self.root / "d" / "b").write_bytes(b"old b")
        self.old = tree(self.root)

    def keep(self) -> None:
        shutil.rmtree(self.kept, ignore_errors=True)
        subprocess.run(["cp", "-a", self.live, self.kept], check=True)

    def reset(self) -> None:
        shutil.rmtree(self.live)
        subprocess.run(["cp", "-a", self.kept, self.live], check=True)

    def run(self, what: str, *strace: str) -> int:
        code = [sys.executable, "-S", "-E", "-s", "-B", "-c", CHILD, str(REPO), str(self.root), str(self.journal), what]
        return subprocess.run(
            ["strace", "-f", "-qq", *strace, *code], stderr=subprocess.DEVNULL, check=False
        ).returncode

    def points(self, what: str, calls: tuple[str, ...]) -> Iterator[tuple[str, int]]:
        """Every call of `what`, as the name of the system call and its number in the process."""
        log = self.live.parent / "log"
        assert self.run(what, "-o", str(log), "-e", f"trace={','.join(CALLS)},access,faccessat,faccessat2") == 0
        self.reset()
        before: Counter[str] = Counter()
        begun = False
        for line in log.read_text().splitlines():
            found = re.match(r"\d+ +(\w+)\(", line)
            if '"/begin-here"' in line:
                begun = True
            elif '"/end-here"' in line:
                break
            elif found and found[1] in CALLS:
                before[found[1]] += 1
                if begun and found[1] in calls:
                    yield found[1], before[found[1]]
        assert begun


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def prepare(place: Place, what: str) -> tuple[dict[str, tuple[bytes, int]], dict[str, tuple[bytes, int]]]:
    """Set the place up for `what`; the trees with all old and with all new bytes."""
    changes = [FileChange("a", b"old a", b"new a")]
    if what != "one":
        changes += [FileChange("d/b", b"old b", None), FileChange("n/e/w", None, b"new w")]
    write(place.root, Patch(tuple(changes)), place.journal, what)
    new = tree(place.root)
    if what != "undo":
        undo(place.root, place.journal)
        shutil.rmtree(place.journal)
    assert (tree(place.root) == place.old) is (what != "undo")
    place.keep()
    return place.old, new


def check_recovered(place: Place, old: object, new: object) -> None:
    line = recover(place.root, place.journal)
    assert tree(place.root) in (old, new), line
    assert recover(place.root, place.journal) == ""
    assert not [entry for entry in entries(place.journal) if entry.state in ("begun", "undoing", "damaged")]
    assert not list(place.journal.rglob("*.new"))
    if tree(place.root) == new and new != old:
        undo(place.root, place.journal)
        assert tree(place.root) == old
        assert not (place.root / "n").exists()


@pytest.mark.parametrize("what", ["one", "three", "undo"])
def test_killed_at_every_call(place: Place, what: str) -> None:
    old, new = prepare(place, what)
    killed = 0
    for call, number in list(place.points(what, CALLS)):
        status = place.run(what, "-o", "/dev/null", "-e", f"inject={call}:signal=SIGKILL:when={number}")
        killed += status != 0
        check_recovered(place, old, new)
        place.reset()
    print(f"{what}: killed at {killed} calls, 0 lost, 0 half done")
    assert killed > 20


@pytest.mark.parametrize("stage", [0.4, 0.6, 0.8])
def test_recovery_killed_at_every_call(place: Place, stage: float) -> None:
    old, new = prepare(place, "three")
    renames = [
        point for point in place.points("three", CALLS) if point[0] in ("rename", "linkat", "unlinkat", "unlink")
    ]
    call, number = renames[int(len(renames) * stage)]
    place.run("three", "-o", "/dev/null", "-e", f"inject={call}:signal=SIGKILL:when={number}")
    assert any(entry.state == "begun" for entry in entries(place.journal))
    place.keep()
    killed = 0
    for call, number in list(place.points("recover", CALLS)):
        status = place.run("recover", "-o", "/dev/null", "-e", f"inject={call}:signal=SIGKILL:when={number}")
        killed += status != 0
        check_recovered(place, old, new)
        place.reset()
    print(f"recovery at {stage}: killed at {killed} calls, 0 lost, 0 half done")
    assert killed > 5


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EROFS"])
@pytest.mark.parametrize("what", ["one", "three", "undo"])
def test_an_error_at_any_call_is_told_and_leaves_all_bytes(place: Place, what: str, error: str) -> None:
    old, new = prepare(place, what)
    start, wanted = (new, old) if what == "undo" else (old, new)
    tried = tidied = 0
    for call, number in list(place.points(what, FAILING)):
        status = place.run(what, "-o", "/dev/null", "-e", f"inject={call}:error={error}:when={number}")
        if status == 0:  # all was done and on disk, and the journal was being tidied
            assert call == "openat"
            assert tree(place.root) == wanted
            tidied += 1
        else:
            assert status == 7, (call, number)
            assert tree(place.root) == start, (call, number)
        check_recovered(place, old, new)
        place.reset()
        tried += 1
    print(f"{what} {error}: {tried} calls failed, 0 lost, 0 told as saved, {tidied} after all was saved")
    assert tidied <= 4
    assert tried > 15


@pytest.mark.parametrize("call", ["write", "fsync", "linkat", "renameat"])
def test_a_disk_that_stays_full_leaves_all_bytes(place: Place, call: str) -> None:
    old, new = prepare(place, "three")
    for name, number in list(place.points("three", (call,))):
        status = place.run("three", "-o", "/dev/null", "-e", f"inject={name}:error=ENOSPC:when={number}+")
        assert status == 7
        check_recovered(place, old, new)
        place.reset()
