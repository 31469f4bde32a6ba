"""The policies for odd files, each as it is documented, and redo and merge of what was written."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from pathlib import Path

import pytest

from optimizer.edits import journal as journals
from optimizer.edits.journal import DAY, JournalBounds, entries, prune
from optimizer.edits.journalled import recover
from optimizer.edits.paths import check_path, new_scripts, open_files, resolve
from optimizer.edits.write import redo, redoable, undo, write
from optimizer.errors import Conflict, SafetyRefused
from optimizer.git.merge import three_way
from optimizer.types import FileChange, Patch
from tests.conftest import git
from tests.edits.test_write import CHANGES, journal, root, tree

__all__ = ["journal", "root"]  # fixtures


def change(path: str, before: bytes | None, after: bytes | None) -> Patch:
    return Patch((FileChange(path, before, after),))


# ── names ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path", [".env.example", "app/.env.sample", ".env.template", ".ENV.dist", "src/environment.py", "key.pub", "env"]
)
def test_templates_of_secret_files_may_be_edited(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [".env", ".env.local", ".env~", ".env-prod", ".envrc", ".ENV", "x/.Env.production", "id_rsa", "a/server.pem",
     ".npmrc", ".aws/credentials", ".SSH/config", "config/secrets.yml", ".env/x", ".netrc", ".env.examples/x"],
)  # fmt: skip
def test_secret_files_are_refused_by_name(path: str) -> None:
    with pytest.raises(SafetyRefused, match=re.escape(path)):
        check_path(path)


def test_very_long_names_are_refused_and_the_longest_is_written(root: Path, journal: Path) -> None:
    with pytest.raises(SafetyRefused):
        check_path("x" * 256)
    with pytest.raises(SafetyRefused):
        check_path("é" * 128)
    name = "x" * 255
    write(root, change(name, None, b"long"), journal, "")
    assert (root / name).read_bytes() == b"long"
    undo(root, journal)
    assert not (root / name).exists()


def test_files_of_a_repository_within_are_refused(root: Path, journal: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "other")
    git(tmp_path / "other", "commit", "-q", "--allow-empty", "-m", "one")
    git(root, "init", "-q", "-b", "main")
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "other"), "vendor/lib")
    (root / "vendor/lib/deep").mkdir()
    for path in ("vendor/lib/x.py", "vendor/lib/deep/x.py"):
        with pytest.raises(SafetyRefused, match=r"\bvendor/lib\b(?!/)"):
            write(root, change(path, None, b"x"), journal, "")
    assert resolve(root, "vendor/x.py") == Path(os.path.realpath(root)) / "vendor/x.py"


# ── kinds and attributes ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["pipe", "directory", "device"])
def test_what_is_no_regular_file_is_refused_by_its_kind(root: Path, journal: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(root / "odd")
    elif kind == "directory":
        (root / "odd").mkdir()
    else:
        try:
            os.mknod(root / "odd", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("devices cannot be made here")
    with pytest.raises(SafetyRefused, match=rf"\b{kind}\b"):
        write(root, change("odd", None, b"x"), journal, "")


def test_a_new_script_is_not_executable_and_that_is_told(root: Path, journal: Path) -> None:
    patch = change("new.sh", None, b"#!/bin/sh\n")
    write(root, patch, journal, "")
    assert (root / "new.sh").stat().st_mode & 0o111 == 0
    assert new_scripts(patch) == ("new.sh",)
    assert new_scripts(change("run.sh", b"#!/bin/sh\n", b"#!/bin/sh\nls\n")) == ()


def test_the_mode_given_to_a_new_file_is_back_after_undo_and_redo(root: Path, journal: Path) -> None:
    write(root, CHANGES, journal, "")
    (root / "new/deep/file.txt").chmod(0o710)
    (root / "run.sh").chmod(0o700)
    after = tree(root)
    undo(root, journal)
    assert (root / "run.sh").stat().st_mode & 0o7777 == 0o700
    redo(root, journal)
    assert tree(root) == after


def test_extended_attributes_are_kept(root: Path, journal: Path) -> None:
    try:
        os.setxattr(root / "a.py", "user.origin", b"here")
    except OSError:
        pytest.skip("the file system keeps no attributes")
    write(root, change("a.py", b"a = 1\r\n", b"a = 2\r\n"), journal, "")
    assert os.getxattr(root / "a.py", "user.origin") == b"here"
    undo(root, journal)
    assert os.getxattr(root / "a.py", "user.origin") == b"here"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_of_somebody_else_keeps_its_owner_or_loses_set_user_id(root: Path, journal: Path) -> None:
    os.chown(root / "a.py", 65534, 65534)
    write(root, change("a.py", b"a = 1\r\n", b"a = 2\r\n"), journal, "")
    assert ((root / "a.py").stat().st_uid, (root / "a.py").stat().st_gid) == (65534, 65534)
    (root / "a.py").chmod(0o4777)
    os.chown(root / "a.py", 1, 65534)
    (root / "a.py").chmod(0o4777)
    for place in (root, *root.parents):
        with contextlib.suppress(PermissionError):
            place.chmod(place.stat().st_mode | 0o005)
    root.chmod(0o777)
    journal.mkdir(parents=True) if not journal.exists() else None
    for path in (journal, *journal.rglob("*")):
        os.chown(path, 65534, 65534)
    os.setegid(65534)
    os.seteuid(65534)
    try:
        write(root, change("a.py", b"a = 2\r\n", b"a = 3\r\n"), journal, "")
    finally:
        os.seteuid(0)
        os.setegid(0)
    about = (root / "a.py").stat()
    assert (about.st_uid, about.st_mode & 0o7777) == (65534, 0o777)


def test_an_open_editor_is_told(root: Path) -> None:
    (root / ".a.py.swp").touch()
    (root / ".#run.sh").symlink_to("somebody@nowhere.1")
    assert [path for path, _ in open_files(root, CHANGES)] == ["a.py", "run.sh"]


# ── redo and merge ───────────────────────────────────────────────────────────────────────────────


def numbers(root: Path, journal: Path) -> None:
    """Three changes of a.py, the third also of n.txt."""
    (root / "n.txt").write_bytes(b"".join(b"%d\n" % n for n in range(30)))
    write(root, change("a.py", b"a = 1\r\n", b"a = 2\r\n"), journal, "two")
    write(root, change("a.py", b"a = 2\r\n", b"a = 3\r\n"), journal, "three")
    text = (root / "n.txt").read_bytes()
    patch = Patch((FileChange("a.py", b"a = 3\r\n", b"a = 4\r\n"), FileChange("n.txt", text, text[:-3] + b"last\n")))
    write(root, patch, journal, "four")


def test_redo_goes_forward_again_until_something_new_is_written(root: Path, journal: Path) -> None:
    numbers(root, journal)
    undo(root, journal, 3)
    assert redoable(entries(journal, root)) == ("000001", "000002", "000003")
    assert [(one.entry, one.what) for one in redo(root, journal, 2)] == [
        ("000001", "rewritten"),
        ("000002", "rewritten"),
    ]
    assert (root / "a.py").read_bytes() == b"a = 3\r\n"
    undo(root, journal)
    write(root, change("a.py", b"a = 2\r\n", b"a = 9\r\n"), journal, "nine")
    assert redo(root, journal) == ()
    undo(root, journal)
    assert [one.entry for one in redo(root, journal)] == ["000004"]


def test_a_merge_keeps_both_and_is_reversed_to_the_byte(root: Path, journal: Path) -> None:
    numbers(root, journal)
    merge = three_way(root, journal.parent)
    mine = (root / "n.txt").read_bytes().replace(b"3\n", b"three\n", 1)
    (root / "n.txt").write_bytes(mine)
    with pytest.raises(Conflict, match=r"\b3\b.*n\.txt") as refused:
        undo(root, journal)
    assert "undo --merge" in refused.value.hint
    assert {one.path: one.what for one in undo(root, journal, merge=merge)} == {"a.py": "restored", "n.txt": "merged"}
    both = (root / "n.txt").read_bytes()
    assert b"three\n" in both
    assert both.endswith(b"29\n")
    redo(root, journal)
    assert (root / "n.txt").read_bytes() == mine
    (root / "n.txt").write_bytes(b"more\n" + mine)
    undo(root, journal, merge=merge)
    assert (root / "n.txt").read_bytes() == b"more\n" + both
    place = journals.place_of(journal, os.path.realpath(root))
    first = journals.load(place, "000003", "first")
    assert first.files[0].before == b"a = 3\r\n"
    assert first.merged == ""


@pytest.mark.parametrize("how", ["same line", "deleted", "binary", "grown"])
def test_what_cannot_be_merged_is_named_and_nothing_changes(root: Path, journal: Path, how: str) -> None:
    write(root, CHANGES, journal, "")
    target = {"same line": "a.py", "deleted": "run.sh", "binary": "a.py", "grown": "new/deep/file.txt"}[how]
    if how == "deleted":
        (root / target).unlink()
    else:
        (root / target).write_bytes({"same line": b"a = 7\r\n", "binary": b"a\0", "grown": b"new and more"}[how])
    before = tree(root)
    with pytest.raises(Conflict, match=target) as raised:
        undo(root, journal, merge=three_way(root, journal.parent))
    assert "optimize show 1" in raised.value.hint
    assert tree(root) == before
    assert b"<<<<" not in (root / "a.py").read_bytes()
    assert entries(journal)[0].state == "done"
    assert not list(journal.parent.glob("merge-*"))


def test_without_git_a_merge_is_refused_and_undo_is_not(
    root: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    numbers(root, journal)
    merge = three_way(root, journal.parent)
    (root / "a.py").write_bytes(b"a = 4\r\nb = 1\r\n")
    with pytest.raises(Conflict, match=r"\bgit\b"):
        undo(root, journal, merge=merge)
    (root / "a.py").write_bytes(b"a = 4\r\n")
    assert undo(root, journal, merge=merge)


def test_a_file_that_already_is_as_wanted_is_left_by_a_merge(root: Path, journal: Path) -> None:
    write(root, CHANGES, journal, "")
    (root / "a.py").write_bytes(b"a = 1\r\n")
    (root / "new/deep/file.txt").unlink()
    told = {one.path: one.what for one in undo(root, journal, merge=three_way(root, journal.parent))}
    assert told == {
        "a.py": "unchanged",
        "run.sh": "restored",
        "gone.txt": "recreated",
        "new/deep/file.txt": "unchanged",
    }
    assert (root / "gone.txt").exists()
    redo(root, journal)
    assert (root / "a.py").read_bytes() == b"a = 1\r\n"
    assert (root / "run.sh").read_bytes() == b"#!/bin/sh\necho\n"


# ── the bounds of the journal ────────────────────────────────────────────────────────────────────


def test_the_oldest_entries_of_all_repositories_go_first_and_each_keeps_its_newest(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    for number, name in enumerate(["one", "two", "one", "two", "one"]):
        place = tmp_path / name
        place.mkdir(exist_ok=True)
        write(place, change(f"f{number}", None, b"x" * 1000), journal, name)
        newest = max(journal.glob(f"{name}-*/*.done"))
        os.utime(newest, (time.time() - (5.5 - number) * DAY,) * 2)
    held = journals.place_of(journal, os.path.realpath(tmp_path / "one"))
    prune(journal, held, JournalBounds(max_days=5))
    assert sorted(entry.label for entry in entries(journal)) == ["one", "one", "two", "two"]
    prune(journal, held, JournalBounds(max_bytes=4500))
    assert sorted(entry.label for entry in entries(journal)) == ["one", "one", "two"]
    prune(journal, held, JournalBounds(max_bytes=0))
    assert sorted((entry.label, entry.paths) for entry in entries(journal)) == [("one", ("f4",)), ("two", ("f3",))]


def test_what_is_under_way_is_never_forgotten(root: Path, journal: Path) -> None:
    numbers(root, journal)
    place = journals.place_of(journal, os.path.realpath(root))
    journals.move(place, "000001", "done", "undoing")
    prune(journal, place, JournalBounds(max_bytes=0, max_days=0, max_entries=0))
    assert {entry.id: entry.state for entry in entries(journal)} == {"000001": "undoing", "000003": "done"}
    recover(root, journal)
