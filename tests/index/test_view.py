"""What may be read: with git, without it, and where it refuses; what assistants' ignore files name; whose it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer.git import owner
from optimizer.index.assistants import KINDS
from optimizer.index.files import Root, find_root, hidden, look, scan, sees
from optimizer.index.refresh import refresh
from optimizer.settings import Settings
from tests.conftest import git

ANOTHER = 12_345
as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
Spoil = Callable[[Path], None]


def names(root: Path) -> list[str]:
    found = [file.path for file in scan(find_root(root), 1_000_000).files]
    assert [path for path in found if not sees(find_root(root), path)] == []
    return found


def put(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without any configuration; also that of git, which is run with HOME."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "SUDO_UID"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(params=["works", "missing", "broken", pytest.param("refuses", marks=as_root)])
def spoil(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """Make git work, or not, in each of the ways."""

    def do(root: Path) -> None:
        if request.param == "missing":
            monkeypatch.setenv("PATH", "/nothing")
        if request.param == "broken":
            (root / ".git/HEAD").write_text("nonsense\n")
        if request.param == "refuses":
            give_away(root)

    return do


def give_away(*places: Path) -> None:
    for top in places:
        for place in (top, *top.rglob("*")):
            os.chown(place, ANOTHER, ANOTHER, follow_symlinks=False)


# ── the four sources ─────────────────────────────────────────────────────────────────────────────


def by_gitignore(root: Path, home: Path) -> None:
    put(root, _gitignore="/notes.py\n")


def by_exclude(root: Path, home: Path) -> None:
    (root / ".git/info/exclude").write_text("[[:lower:]]otes.py\n")


def by_default_excludes(root: Path, home: Path) -> None:
    put(home, _config__git__ignore="notes.py\n")


def by_global_excludes(root: Path, home: Path) -> None:
    put(home, _gitconfig='[user] name = x\n[core] excludesFile = "~/my ignore" # mine\n')
    (home / "my ignore").write_text("notes.py\n")


def by_included_excludes(root: Path, home: Path) -> None:
    put(home, _gitconfig="[include]\n\tpath = more\n", more="[CORE]\n  excludesfile=~/rules\n", rules="notes.py\n")


@pytest.mark.parametrize(
    "ignore", [by_gitignore, by_exclude, by_default_excludes, by_global_excludes, by_included_excludes]
)
def test_what_any_source_of_git_ignores_is_not_in_the_view(
    make_repo: Callable[..., Path], home: Path, spoil: Spoil, ignore: Callable[[Path, Path], None]
) -> None:
    root = make_repo({"a.py": "x"})
    put(root, notes_py="private", sub__b_py="y")
    assert names(root) == ["a.py", "notes.py", "sub/b.py"]
    ignore(root, home)
    spoil(root)
    assert [name for name in names(root) if name.endswith(".py")] == ["a.py", "sub/b.py"]
    assert not sees(find_root(root), "notes.py")


def test_a_linked_working_tree_has_the_rules_of_its_repository(
    make_repo: Callable[..., Path], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, tree = make_repo({"a.py": "x"}), tmp_path / "tree"
    git(root, "worktree", "add", "-q", str(tree))
    put(tree, notes_py="private")
    (root / ".git/info/exclude").write_text("notes.py\n")
    monkeypatch.setenv("PATH", "/nothing")
    assert names(tree) == ["a.py"]


def test_repositories_in_a_plain_folder_keep_their_rules_and_those_in_a_repository_are_left_out(
    make_repo: Callable[..., Path], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_repo({"a.py": "x"})
    put(root, notes_py="private")
    (root / ".git/info/exclude").write_text("notes.py\n")
    plain = tmp_path / "plain"
    plain.mkdir()
    root.rename(plain / "repo")
    assert names(plain) == ["repo/a.py"]
    assert not sees(find_root(plain), "repo/notes.py")
    git(plain, "init", "-q")
    monkeypatch.setenv("PATH", "/nothing")
    assert names(plain) == []


@pytest.mark.parametrize(("break_it", "word"), [("missing", "not found"), ("broken", "git status")])
def test_the_user_gets_a_word(
    make_repo: Callable[..., Path],
    opened: Callable[..., object],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    break_it: str,
    word: str,
) -> None:
    root = make_repo({"a.py": "x"})
    index = opened(root)
    assert refresh(index, Settings(workers=1), lambda _: None).notice == ""
    if break_it == "missing":
        monkeypatch.setenv("PATH", "/nothing")
    else:
        (root / ".git/HEAD").write_text("nonsense\n")
    assert word in refresh(index, Settings(workers=1), lambda _: None).notice
    assert refresh(index, Settings(workers=1), lambda _: None).notice == ""


# ── ignore files of assistants ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_tracked_files_that_an_assistants_ignore_file_names_are_not_in_the_view(
    make_repo: Callable[..., Path], home: Path, spoil: Spoil, kind: str
) -> None:
    root = make_repo({"a.py": "x", "data/x.py": "y", "sub/keep.py": "", "sub/gone.py": "", kind: "data/\n"})
    (root / "sub" / kind).write_text("/gone.py\n")
    (root / ".gitignore").write_text(f"sub/{kind}\n")  # as many tools suggest
    spoil(root)
    assert names(root) == [".gitignore", "a.py", "sub/keep.py"]
    assert not sees(find_root(root), "data/x.py")
    assert hidden(find_root(root), ["a.py", "data/gone.py", "sub/gone.py"]) == {"data/gone.py", "sub/gone.py"}


def test_each_assistants_file_counts_by_itself(make_repo: Callable[..., Path], home: Path) -> None:
    root = make_repo({"a.py": "", "b.py": "", ".aiderignore": "a.py\n", ".cursorignore": "b.py\n!a.py\n"})
    assert names(root) == []


def test_other_names_are_no_ignore_files(make_repo: Callable[..., Path], home: Path) -> None:
    root = make_repo({"a.py": "", "x.aiderignore": "a.py\n", ".aiderignore.md": "a.py\n"})
    assert names(root) == [".aiderignore.md", "a.py", "x.aiderignore"]


def test_an_ignore_file_may_be_a_link_to_another(make_repo: Callable[..., Path], home: Path) -> None:
    root = make_repo({"a.py": "", "rules": "a.py\n"})
    (root / ".cursorignore").symlink_to("rules")
    assert names(root) == ["rules"]


# ── what is no regular file ──────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="a git that waits is known by /proc")
@pytest.mark.parametrize("place", [".gitignore", "sub/.gitignore", ".git/index", ".git/info/exclude", ".aiderignore"])
def test_a_pipe_in_the_place_of_a_file_stops_nothing(make_repo: Callable[..., Path], home: Path, place: str) -> None:
    root = make_repo({"a.py": "x", "sub/b.py": "y"})
    (root / place).unlink(missing_ok=True)
    os.mkfifo(root / place)
    seen = look(find_root(root))
    assert {b"a.py", b"sub/b.py"} <= {*seen.names}
    assert seen.refusal == ("" if place == ".aiderignore" else "stalled")


# ── whose it is ──────────────────────────────────────────────────────────────────────────────────


@as_root
def test_a_repository_above_that_is_anothers_does_not_count(tmp_path: Path, home: Path) -> None:
    outer, mine = tmp_path / "outer", tmp_path / "outer/mine"
    mine.mkdir(parents=True)
    git(outer, "init", "-q")
    put(outer, theirs_py="x", _gitignore="*.log\n/mine/private.py\n")
    put(mine, a_py="y", b_log="z", private_py="p")
    assert find_root(mine) == Root(outer, True)
    give_away(outer / ".git")
    assert find_root(mine) == Root(mine, False, outer)
    assert names(mine) == ["a.py"]
    assert not sees(find_root(mine), "private.py")
    give_away(outer)
    assert find_root(mine) == Root(outer, True)


@as_root
def test_safe_directory_of_the_user_is_obeyed_and_that_of_the_repository_is_not(
    make_repo: Callable[..., Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_repo({"a.py": "x"})
    assert owner.is_ours(root)
    give_away(root)
    (root / ".git/config").write_text(f"[safe]\n\tdirectory = *\n\tdirectory = {root}\n")
    assert not owner.is_ours(root)
    for listed, safe in ((str(root), True), ("*", True), ("*\n\tdirectory =", False), (f"{root.parent}/*", True)):
        (home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {listed}\n")
        assert owner.is_ours(root) is safe
    (home / ".gitconfig").unlink()
    monkeypatch.setenv("SUDO_UID", str(ANOTHER))
    assert owner.is_ours(root)


@as_root
def test_a_file_that_another_user_put_into_my_project_does_not_configure(tmp_path: Path, home: Path) -> None:
    put(tmp_path, _optimizer_toml="", AGENTS_md="x")
    link = tmp_path / "CLAUDE.md"
    link.symlink_to("AGENTS.md")
    places = (tmp_path / ".optimizer.toml", tmp_path / "AGENTS.md", link)
    assert [owner.may_configure(tmp_path, place) for place in places] == [True, True, True]
    os.chown(tmp_path / "AGENTS.md", ANOTHER, ANOTHER)
    assert [owner.may_configure(tmp_path, place) for place in places] == [True, False, False]
