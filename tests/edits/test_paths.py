"""Attacks on the path of an edit: none leads outside, into git's files, or to anything but a regular file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.edits.journalled import recover
from optimizer.edits.paths import check_path, reader, resolve
from optimizer.edits.write import write
from optimizer.errors import Conflict, SafetyRefused
from optimizer.types import FileChange, Patch
from tests.conftest import git
from tests.faults.attacks import ODD, REFUSED, escapes, kept, lay_out, swapped_parents


@pytest.mark.parametrize("path", REFUSED)
def test_refused(path: str) -> None:
    with pytest.raises(SafetyRefused) as raised:
        check_path(path)
    assert "\x1b" not in raised.value.message
    assert len(raised.value.message) < 1000


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("a/./b//c.py", "a/b/c.py"),
        ("./a", "a"),
        *[(path, path) for path in (".gitignore", ".github/w.yml", "-x", 'q"uote', "a b", "naïve.py", "..a/b..c")],
    ],
)
def test_allowed(path: str, normal: str) -> None:
    assert check_path(path) == normal


@settings(max_examples=300)
@given(st.lists(st.sampled_from(["..", ".", "", "a", ".git", "~", "\\", "C:", "b c", ".env", "é", "\0"]), max_size=6))
def test_what_is_allowed_stays_inside(parts: list[str]) -> None:
    try:
        path = check_path("/".join(parts))
    except SafetyRefused:
        return
    assert os.path.normpath(os.path.join("/repo", path)) == f"/repo/{path}"  # noqa: PTH118
    assert not {".git", "..", ".env"} & set(path.split("/"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return lay_out(tmp_path)


@pytest.mark.parametrize("path", ODD)
def test_links_and_odd_files_are_refused(place: Path, path: str) -> None:
    before = kept(place)
    with pytest.raises(SafetyRefused):
        resolve(place, path)
    with pytest.raises((SafetyRefused, Conflict)):
        write(place, Patch((FileChange(path, None, b"evil\n"),)), place.parent / "journal", "attack")
    assert kept(place).items() - {(str(place.parent / "journal"), b"")} == before.items()


LAYOUTS = {
    "bare": (("init", "-q", "--bare", ".bare"), ".bare"),
    "separate": (("init", "-q", "--separate-git-dir", "meta", "."), "meta"),
    "embedded": (("init", "-q", "--bare", "data/one.git"), "data/one.git"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_directories_of_git_are_refused_whatever_their_name(tmp_path: Path, layout: str) -> None:
    made, folder = LAYOUTS[layout]
    git(tmp_path, *made)
    if layout == "bare":
        (tmp_path / ".git").write_text("gitdir: ./.bare\n")
    (tmp_path / "link").symlink_to(folder)
    for path in (f"{folder}/config", f"{folder}/hooks/pre-commit", f"{folder}/new", "link/config", "link/new/x"):
        with pytest.raises(SafetyRefused):
            resolve(tmp_path, path)
        with pytest.raises(SafetyRefused):
            reader(tmp_path, bool)(path)
    assert resolve(tmp_path, "data/two/config") == tmp_path / "data/two/config"


def test_what_a_dot_git_file_names_is_refused_before_it_exists(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: meta/git\n")
    with pytest.raises(SafetyRefused):
        resolve(tmp_path, "meta/git/config")
    assert resolve(tmp_path, "meta/config") == tmp_path / "meta/config"


def test_the_directories_of_linked_working_trees_are_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "store")
    git(tmp_path / "store", "commit", "-q", "--allow-empty", "-m", "begin")
    git(tmp_path / "store", "worktree", "add", "-q", "../tree")
    (tmp_path / "moved").mkdir()
    (tmp_path / "store/.git/worktrees/tree").rename(tmp_path / "moved/tree")
    with pytest.raises(SafetyRefused):
        resolve(tmp_path, "moved/tree/config.worktree")


def test_no_reply_reaches_what_is_not_the_repositorys(tmp_path: Path) -> None:
    tried, escaped = escapes(tmp_path, 30)
    assert escaped == []
    assert tried > 800


def test_a_link_within_the_repository_is_followed_to_its_target(place: Path) -> None:
    (place / "link.py").symlink_to("src/a.py")
    write(place, Patch((FileChange("link.py", b"x = 1\n", b"x = 2\n"),)), place.parent / "journal", "")
    assert (place / "src" / "a.py").read_text() == "x = 2\n"
    assert (place / "link.py").is_symlink()
    both = (FileChange("link.py", b"x = 2\n", b"x = 3\n"), FileChange("src/a.py", b"x = 2\n", b"x = 4\n"))
    with pytest.raises(SafetyRefused):
        write(place, Patch(both), place.parent / "journal", "")
    assert (place / "src" / "a.py").read_text() == "x = 2\n"


@pytest.mark.slow
def test_a_parent_swapped_for_a_link_while_writing_leads_nowhere(place: Path) -> None:
    _, refused, outside = swapped_parents(place.parent, 150)
    assert outside == 0
    assert refused > 0
    recover(place, place.parent / "journal")
    assert (place / "src" / "a.py").read_text() in ("x = 1\n", "x = 2\n")
