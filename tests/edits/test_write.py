"""Writing, undoing and recovering on a real file system."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.edits import journal as journals
from optimizer.edits.journal import JournalBounds, entries, prune
from optimizer.edits.journalled import recover
from optimizer.edits.write import redo, undo, write
from optimizer.errors import Conflict, SafetyRefused, StorageError
from optimizer.types import FileChange, Patch
from tests.faults.crashes import tree

REPO = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    (root / "a.py").write_bytes(b"a = 1\r\n")
    (root / "run.sh").write_bytes(b"#!/bin/sh\n")
    (root / "run.sh").chmod(0o750)
    (root / "gone.txt").write_bytes(b"\xef\xbb\xbfbye")
    (root / "gone.txt").chmod(0o640)
    return root


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal"


CHANGES = Patch(
    (
        FileChange("a.py", b"a = 1\r\n", b"a = 2\r\n"),
        FileChange("run.sh", b"#!/bin/sh\n", b"#!/bin/sh\necho\n"),
        FileChange("gone.txt", b"\xef\xbb\xbfbye", None),
        FileChange("new/deep/file.txt", None, b"new"),
    )
)


def test_write_and_undo_restore_bytes_modes_files_and_directories(root: Path, journal: Path) -> None:
    before = tree(root)
    number = write(root, CHANGES, journal, "four files")
    now = tree(root)
    assert now["a.py"][0] == b"a = 2\r\n"
    assert now["run.sh"] == (b"#!/bin/sh\necho\n", 0o750)
    assert now["new/deep/file.txt"][0] == b"new"
    assert "gone.txt" not in now
    assert len(now) == 3
    restored = undo(root, journal)
    assert {(one.path, one.what) for one in restored} == {
        ("a.py", "restored"), ("run.sh", "restored"), ("gone.txt", "recreated"), ("new/deep/file.txt", "removed"),
    }  # fmt: skip
    assert tree(root) == before
    assert not (root / "new").exists()
    assert [(entry.id, entry.state, entry.label) for entry in entries(journal)] == [(number, "undone", "four files")]
    assert undo(root, journal) == ()


def test_undo_of_several_goes_newest_first(root: Path, journal: Path) -> None:
    before = tree(root)
    for number in range(1, 4):
        write(root, Patch((FileChange("a.py", b"a = %d\r\n" % number, b"a = %d\r\n" % (number + 1)),)), journal, "")
    assert [one.entry for one in undo(root, journal, 2)] == ["000003", "000002"]
    assert (root / "a.py").read_bytes() == b"a = 2\r\n"
    undo(root, journal)
    assert tree(root) == before


@pytest.mark.parametrize("how", ["changed", "deleted", "link"])
def test_undo_restores_nothing_when_a_file_is_not_ours_any_more(root: Path, journal: Path, how: str) -> None:
    write(root, CHANGES, journal, "")
    if how == "changed":
        (root / "run.sh").write_bytes(b"mine\n")
    else:
        (root / "run.sh").unlink()
        if how == "link":
            (root / "run.sh").symlink_to("a.py")
    before = tree(root)
    with pytest.raises((Conflict, SafetyRefused)):
        undo(root, journal)
    assert tree(root) == before


def test_undo_of_a_file_that_is_gone_already_is_done(root: Path, journal: Path) -> None:
    before = tree(root)
    write(
        root,
        Patch((FileChange("new.py", None, b"x = 1\n"), FileChange("a.py", b"a = 1\r\n", b"a = 2\r\n"))),
        journal,
        "",
    )
    (root / "new.py").unlink()
    assert [one.what for one in undo(root, journal)] == ["unchanged", "restored"]
    assert tree(root) == before
    redo(root, journal)
    assert (root / "a.py").read_bytes() == b"a = 2\r\n"
    assert (root / "new.py").read_bytes() == b"x = 1\n"
    undo(root, journal)
    assert tree(root) == before


def test_undo_restores_what_a_redo_had_nothing_to_remove_of(root: Path, journal: Path) -> None:
    before = tree(root)
    write(root, Patch((FileChange("a.py", b"a = 1\r\n", None),)), journal, "")
    undo(root, journal)
    (root / "a.py").unlink()
    assert [one.what for one in redo(root, journal)] == ["unchanged"]
    undo(root, journal)
    assert (root / "a.py").read_bytes() == before["a.py"][0]


def test_undo_of_two_restores_nothing_when_the_older_one_does_not_fit(root: Path, journal: Path) -> None:
    write(root, Patch((FileChange("run.sh", b"#!/bin/sh\n", b"x"),)), journal, "")
    write(root, Patch((FileChange("a.py", b"a = 1\r\n", b"a = 2\r\n"),)), journal, "")
    (root / "run.sh").write_bytes(b"mine\n")
    with pytest.raises(Conflict):
        undo(root, journal, 2)
    assert (root / "a.py").read_bytes() == b"a = 2\r\n"
    assert (root / "run.sh").read_bytes() == b"mine\n"


def test_a_damaged_or_missing_entry_restores_nothing(root: Path, journal: Path) -> None:
    number = write(root, CHANGES, journal, "")
    file = next(journal.glob(f"*/{number}.done"))
    data = bytearray(file.read_bytes())
    before = tree(root)
    for at in (0, 70, len(data) - 1):
        file.write_bytes(bytes(data[:at]) + bytes([data[at] ^ 1]) + bytes(data[at + 1 :]))
        with pytest.raises(Conflict, match=number):
            undo(root, journal)
        assert tree(root) == before
    file.write_bytes(bytes(data[:100]))
    with pytest.raises(Conflict, match=number):
        undo(root, journal)
    assert tree(root) == before
    file.write_bytes(bytes(data))
    assert undo(root, journal)


@pytest.mark.parametrize(
    "change",
    [
        FileChange("a.py", b"other\n", b"a = 2\r\n"),
        FileChange("a.py", None, b"a = 2\r\n"),
        FileChange("missing.py", b"x", b"y"),
        FileChange("gone.txt", b"x", None),
    ],
)
def test_a_stale_patch_changes_nothing(root: Path, journal: Path, change: FileChange) -> None:
    before = tree(root)
    with pytest.raises(Conflict):
        write(root, Patch((FileChange("run.sh", b"#!/bin/sh\n", b"x"), change)), journal, "")
    assert tree(root) == before
    assert entries(journal) == ()


def test_hard_links_are_refused(root: Path, journal: Path) -> None:
    (root / "twin.py").hardlink_to(root / "a.py")
    with pytest.raises(SafetyRefused, match=r"\ba\.py\b"):
        write(root, CHANGES, journal, "")
    assert (root / "twin.py").read_bytes() == b"a = 1\r\n"


@contextlib.contextmanager
def as_nobody() -> Iterator[Path]:
    """A directory in which permission bits count, also when the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=True)
        shutil.rmtree(folder)


@pytest.mark.parametrize("what", ["file", "directory", "journal"])
def test_read_only_places_are_an_error_and_stay_read_only(what: str) -> None:
    with as_nobody() as place:
        root, journal = place / "repo", place / "journal"
        (root / "d").mkdir(parents=True)
        journal.mkdir()
        (root / "d" / "f").write_bytes(b"1")
        shut = {"file": root / "d" / "f", "directory": root / "d", "journal": journal}[what]
        shut.chmod(0o444 if what == "file" else 0o555)
        with pytest.raises(StorageError):
            write(root, Patch((FileChange("d/f", b"1", b"2"), FileChange("g", None, b"3"))), journal, "")
        assert tree(root).keys() == {"d/f"}
        assert (root / "d" / "f").read_bytes() == b"1"
        assert shut.stat().st_mode & 0o222 == 0


@pytest.mark.slow
def test_short_writes_and_a_size_limit_leave_the_old_bytes(root: Path, journal: Path) -> None:
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from optimizer.edits.write import write; from optimizer.types import *; from optimizer.errors import *\n"
        "root, journal = Path(sys.argv[2]), Path(sys.argv[3])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), -1))\n"
        "big = FileChange('big', None, b'x' * 100_000)\n"
        "small = FileChange('a.py', b'a = 1\\r\\n', b'a = 2\\r\\n')\n"
        "try: write(root, Patch((small, big)), journal, '')\n"
        "except StorageError: sys.exit(7)\n"
    )
    before = tree(root)
    for limit in (10, 50_000, 100_200, 99_999):
        done = subprocess.run([sys.executable, "-c", code, str(REPO), str(root), str(journal), str(limit)], check=False)
        assert done.returncode == 7
        assert tree(root) == before


HOLD = (
    "import sys, time; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
    "from optimizer.edits import journal\n"
    "with journal.locked(Path(sys.argv[2])): print('held', flush=True); time.sleep(60)\n"
)


def test_a_second_writer_is_told_and_the_lock_of_a_dead_one_is_free(root: Path, journal: Path) -> None:
    place = journals.place_of(journal, os.path.realpath(root))
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(REPO), str(place)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Conflict, match=f"process {holder.pid}"):
            write(root, CHANGES, journal, "")
        holder.kill()
        holder.wait()
        write(root, CHANGES, journal, "")
    assert (root / "a.py").read_bytes() == b"a = 2\r\n"


def test_an_interrupt_at_any_time_rolls_back_or_completes(root: Path, journal: Path) -> None:
    before = tree(root)
    interrupted = 0
    armed = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal armed
        if armed:
            armed = False
            raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    for number in range(60):
        completed = False
        try:
            armed = True
            signal.setitimer(signal.ITIMER_REAL, 0.00005 * (number + 1))
            write(root, CHANGES, journal, "")
            completed = True
            armed = False
        except KeyboardInterrupt:
            interrupted += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        recover(root, journal)
        now = tree(root)
        assert now == before or (len(now) == 3 and now["a.py"][0] == b"a = 2\r\n")
        assert completed is False or now != before
        if now != before:
            undo(root, journal)
        assert tree(root) == before
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert interrupted > 5


def test_the_journal_is_bounded(root: Path, journal: Path) -> None:
    for number in range(1, 8):
        write(root, Patch((FileChange("a.py", b"a = %d\r\n" % number, b"a = %d\r\n" % (number + 1)),)), journal, "")
    place = journals.place_of(journal, os.path.realpath(root))
    prune(journal, place, JournalBounds(max_entries=3))
    assert [entry.id for entry in entries(journal)] == ["000007", "000006", "000005"]
    prune(journal, place, JournalBounds(max_bytes=1))
    assert [entry.id for entry in entries(journal)] == ["000007"]


def test_two_repositories_share_a_journal(tmp_path: Path, journal: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, Patch((FileChange("f", None, name.encode()),)), journal, name)
    undo(tmp_path / "one", journal)
    assert not (tmp_path / "one" / "f").exists()
    assert (tmp_path / "two" / "f").read_bytes() == b"two"
    assert {(entry.root, entry.state) for entry in entries(journal)} == {
        (os.path.realpath(tmp_path / "one"), "undone"),
        (os.path.realpath(tmp_path / "two"), "done"),
    }


def test_a_large_file_is_written_whole(root: Path, journal: Path) -> None:
    data = b"x" * 5_000_000
    write(root, Patch((FileChange("big", None, data),)), journal, "")
    assert (root / "big").read_bytes() == data
