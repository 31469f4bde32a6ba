"""Which files a repository holds: with git, without it, and when it is hostile."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from optimizer.git.run import GitProcess, find_git
from optimizer.index.files import Root, Scan, find_root, list_names, look, scan
from optimizer.types import Skipped
from tests.conftest import git

LIMIT = 1_000_000


def names(found: Scan) -> list[str]:
    return [file.path for file in found.files]


def put(root: Path, *paths: str, text: str = "x = 1\n") -> None:
    for path in paths:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


@pytest.fixture
def no_git(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


def test_git_lists_tracked_and_untracked_but_not_ignored(make_repo):
    root = make_repo({"a.py": "x", "b/c.py": "y", ".gitignore": "*.log\nout/\n", "kept.log": ""})
    put(root, "new.py", "out/made.py", "some.log", "node_modules/dep/index.js", ".venv/lib/site.py")
    git(root, "add", "-f", "kept.log")
    assert names(scan(Root(root, True), LIMIT)) == [".gitignore", "a.py", "b/c.py", "kept.log", "new.py"]


@pytest.mark.parametrize("with_git", [True, False])
def test_what_an_interrupted_write_left_is_no_file(make_repo, monkeypatch, tmp_path, with_git):
    root = make_repo({"a.py": "x"})
    put(root, ".optimizer-1f-0.tmp", "b/.optimizer-1f-1.old", ".optimizer.toml", ".optimizer-notes.md")
    if not with_git:
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert names(scan(find_root(root), LIMIT)) == [".optimizer-notes.md", ".optimizer.toml", "a.py"]


def test_the_users_own_list_of_ignored_files_counts(make_repo, monkeypatch, tmp_path):
    root = make_repo({"a.py": "x"})
    put(root, "notes.scratch", "b.py")
    put(tmp_path, "settings/git/ignore", text="*.scratch\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    assert names(scan(find_root(root), LIMIT)) == ["a.py", "b.py"]


def test_a_deleted_file_is_no_file(make_repo):
    root = make_repo({"a.py": "x", "b.py": "y"})
    (root / "a.py").unlink()
    assert names(scan(Root(root, True), LIMIT)) == ["b.py"]


def test_during_a_merge_conflict_each_file_is_listed_once(make_repo):
    root = make_repo({"a.py": "x = 1\n"})
    git(root, "checkout", "-q", "-b", "side")
    put(root, "a.py", text="x = 2\n")
    git(root, "commit", "-qam", "two")
    git(root, "checkout", "-q", "main")
    put(root, "a.py", text="x = 3\n")
    git(root, "commit", "-qam", "three")
    subprocess.run(["git", "merge", "-q", "side"], cwd=root, capture_output=True, check=False)
    assert names(scan(Root(root, True), LIMIT)) == ["a.py"]


def test_size_and_times_are_those_on_disk(make_repo):
    root = make_repo({"a.py": "x = 1\n"})
    (file,) = scan(Root(root, True), LIMIT).files
    status = (root / "a.py").stat()
    assert (file.size, file.mtime_ns, file.ctime_ns) == (6, status.st_mtime_ns, status.st_ctime_ns)


def test_only_regular_files_are_files(tmp_path):
    put(tmp_path, "a.py", "real/b.py")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "link.py").symlink_to("a.py")
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "dangling.py").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "door.py"))
        assert names(scan(Root(tmp_path, False), LIMIT)) == ["a.py", "real/b.py"]
        git(tmp_path, "init", "-q")
        assert names(scan(Root(tmp_path, True), LIMIT)) == ["a.py", "real/b.py"]


def test_a_tracked_file_behind_a_link_that_replaced_its_folder_is_left_out(make_repo, tmp_path):
    root = make_repo({"pkg/a.py": "x", "b.py": "y"})
    put(tmp_path, "outside/a.py", text="secret")
    (root / "pkg" / "a.py").unlink()
    (root / "pkg").rmdir()
    (root / "pkg").symlink_to(tmp_path / "outside")
    assert names(scan(Root(root, True), LIMIT)) == ["b.py"]


def test_submodules_and_nested_repositories_are_not_entered(make_repo, tmp_path):
    root = make_repo({"a.py": "x"})
    inner = root / "vendor"
    inner.mkdir()
    put(inner, "deep.py")
    git(inner, "init", "-q")
    git(inner, "add", "-A")
    git(inner, "commit", "-qm", "inner")
    assert names(scan(Root(root, True), LIMIT)) == ["a.py"]
    git(root, "add", "vendor")
    assert names(scan(Root(root, True), LIMIT)) == ["a.py"]


@pytest.mark.parametrize("with_git", [True, False])
def test_large_secret_and_oddly_named_files_are_skipped_with_the_reason(make_repo, with_git):
    root = make_repo({"a.py": "x", "big.py": "y" * 200, ".env": "KEY=1", "conf/id_rsa": "k"})
    try:
        (root / os.fsdecode(b"caf\xe9.py")).write_text("z")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    found = scan(Root(root, with_git), 100)
    assert names(found) == ["a.py"]
    assert sorted(found.skipped, key=lambda item: item.path) == [
        Skipped(".env", "secret"),
        Skipped("big.py", "large", 100),
        Skipped("caf\\xe9.py", "name"),
        Skipped("conf/id_rsa", "secret"),
    ]


def test_names_with_spaces_line_breaks_and_letters_of_any_script(make_repo):
    odd = ["a b.py", 'q"uote.py', "line\nbreak.py", "имя.py", "-dash.py", "tab\t.py"]
    root = make_repo(dict.fromkeys(odd, "x"))
    assert names(scan(Root(root, True), LIMIT)) == sorted(odd)


@pytest.mark.usefixtures("no_git")
def test_without_git_nested_gitignores_are_honoured(tmp_path):
    put(
        tmp_path,
        "a.py",
        "a.log",
        "keep.log",
        "out/b.py",
        "sub/c.py",
        "sub/c.tmp",
        "sub/deep/d.tmp",
        "sub/deep/keep.tmp",
    )
    put(
        tmp_path, "node_modules/x.js", ".venv/y.py", ".git/config", "__pycache__/z.pyc", "only/top.py", "sub/only/in.py"
    )
    put(tmp_path, ".gitignore", text="*.log\n!keep.log\nout/\n/only\n")
    put(tmp_path, "sub/.gitignore", text="*.tmp\n")
    put(tmp_path, "sub/deep/.gitignore", text="!keep.tmp\n")
    found = [name for name in names(scan(Root(tmp_path, False), LIMIT)) if not name.endswith(".gitignore")]
    assert found == ["a.py", "keep.log", "sub/c.py", "sub/deep/keep.tmp", "sub/only/in.py"]


def test_the_walk_without_git_sees_what_git_sees(make_repo, monkeypatch, tmp_path):
    root = make_repo({"a.py": "", "s/b.py": "", ".gitignore": "x/\n*.o\n!s/keep.o\n", "s/.gitignore": "/t\n"})
    put(root, "x/1.py", "s/x/2.py", "s/t/3.py", "s/u/t/4.py", "s/1.o", "s/keep.o", "new/5.py")
    with_git = names(scan(Root(root, True), LIMIT))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert names(scan(Root(root, True), LIMIT)) == with_git


def test_the_root_is_the_nearest_dot_git_upwards(make_repo, tmp_path):
    root = make_repo({"a/b/c.py": "x"})
    assert find_root(root / "a" / "b") == Root(root, True)
    git(root, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert find_root(tmp_path / "tree" / "a") == Root(tmp_path / "tree", True)
    assert names(scan(find_root(tmp_path / "tree" / "a"), LIMIT)) == ["a/b/c.py"]
    (tmp_path / "plain" / "deep").mkdir(parents=True)
    assert find_root(tmp_path / "plain" / "deep") == Root(tmp_path / "plain" / "deep", False)


def test_a_dot_git_that_is_no_repository_falls_back_to_the_walk_and_never_to_a_repository_above(make_repo):
    root = make_repo({"a.py": "x", ".gitignore": "inner/\n"})
    put(root, "inner/b.py")
    (root / "inner" / ".git").mkdir()
    assert names(scan(find_root(root / "inner"), LIMIT)) == ["b.py"]


def test_a_bare_repository_holds_no_files(tmp_path):
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    put(tmp_path / "bare.git", "planted.py")
    assert names(scan(find_root(tmp_path / "bare.git"), LIMIT)) == []


def bare_below(top: Path) -> None:
    git(top, "init", "-q", "--bare", ".bare")
    (top / ".git").write_text("gitdir: ./.bare\n")


def separate(top: Path) -> None:
    git(top, "init", "-q", "--separate-git-dir", "meta", ".")


def separate_and_damaged(top: Path) -> None:
    separate(top)
    (top / "meta/HEAD").unlink()


def beside_a_working_tree(top: Path) -> None:
    git(top, "init", "-q", ".")
    git(top, "commit", "-q", "--allow-empty", "-m", "begin")
    git(top, "clone", "-q", "--bare", ".", "copies/one.git")


def with_old_link(top: Path) -> None:
    git(top, "init", "-q", "--bare", "old")
    (top / "old/HEAD").unlink()
    (top / "old/HEAD").symlink_to("refs/heads/main")


@pytest.mark.parametrize("with_git", [True, False])
@pytest.mark.parametrize("layout", [bare_below, separate, separate_and_damaged, beside_a_working_tree, with_old_link])
def test_directories_of_git_are_not_files_whatever_their_name(tmp_path, monkeypatch, layout, with_git):
    top = tmp_path / "top"
    put(top, "a.py", "refs/a.py", "objects/b.py")
    layout(top)
    for made in (".bare", "meta", "copies/one.git", "old"):
        if (top / made).is_dir():
            put(top, f"{made}/planted.py", f"{made}/hooks/planted.py")
    if not with_git:
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert names(scan(find_root(top), LIMIT)) == ["a.py", "objects/b.py", "refs/a.py"]


def test_a_directory_that_only_looks_a_little_like_gits_holds_files(make_repo):
    root = make_repo(
        {"x/HEAD": "the head\n", "x/objects/a.py": "", "x/refs/b.py": "", "y/HEAD": "ref: z\n", "y/c.py": ""}
    )
    assert names(scan(Root(root, True), LIMIT)) == ["x/HEAD", "x/objects/a.py", "x/refs/b.py", "y/HEAD", "y/c.py"]


def test_variables_of_a_git_hook_do_not_lead_elsewhere(make_repo, monkeypatch, tmp_path):
    root = make_repo({"a.py": "x"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert names(scan(Root(root, True), LIMIT)) == ["a.py"]


def test_nothing_a_repository_configures_is_run(make_repo, tmp_path):
    root = make_repo({"a.py": "x", ".gitattributes": "*.py filter=evil diff=evil\n"})
    sentinel = tmp_path / "sentinel"
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch '{sentinel}'\ncat\n")
    script.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("post-index-change", "fsmonitor-watchman", "post-checkout", "pre-commit"):
        (hooks / hook).write_text(script.read_text())
        (hooks / hook).chmod(0o755)
    for key, value in {
        "core.fsmonitor": str(script),
        "core.hooksPath": str(hooks),
        "core.pager": str(script),
        "pager.ls-files": str(script),
        "alias.ls-files": f"!{script}",
        "filter.evil.clean": str(script),
        "filter.evil.smudge": str(script),
        "filter.evil.process": str(script),
        "diff.evil.textconv": str(script),
        "core.sshCommand": str(script),
        "core.editor": str(script),
        "credential.helper": f"!{script}",
    }.items():
        git(root, "config", key, value)
    put(root, "a.py", text="changed")
    sentinel.unlink(missing_ok=True)
    before = (root / ".git" / "index").read_bytes()
    assert names(scan(Root(root, True), LIMIT)) == [".gitattributes", "a.py"]
    assert not sentinel.exists()
    assert (root / ".git" / "index").read_bytes() == before


def test_the_test_above_would_notice_a_hook(make_repo, tmp_path):
    root = make_repo({"a.py": "x"})
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch '{tmp_path / 'sentinel'}'\n")
    script.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(script))
    git(root, "status")
    assert (tmp_path / "sentinel").exists()


def test_a_git_planted_in_the_repository_is_not_used(make_repo, monkeypatch):
    root = make_repo({"a.py": "x"})
    (root / "bin").mkdir()
    for planted in (root / "git", root / "bin" / "git"):
        planted.write_text("#!/bin/sh\nexit 1\n")
        planted.chmod(planted.stat().st_mode | stat.S_IXUSR)
    monkeypatch.chdir(root)
    unreadable = f"/{'x' * 300}"
    own = [".", "", str(root), str(root / "bin"), unreadable]
    monkeypatch.setenv("PATH", os.pathsep.join([*own, os.environ["PATH"]]))
    found = find_git(root)
    assert found
    assert not Path(found).is_relative_to(root)
    assert Path(found).is_absolute()


def test_an_index_lock_that_is_held_does_not_matter(make_repo):
    root = make_repo({"a.py": "x"})
    (root / ".git" / "index.lock").write_text("")
    assert names(scan(Root(root, True), LIMIT)) == ["a.py"]


def test_a_folder_that_cannot_be_read_is_passed_over(tmp_path):
    put(tmp_path, "a.py", "closed/b.py")
    (tmp_path / "closed").chmod(0)
    try:
        found = names(scan(Root(tmp_path, False), LIMIT))
    finally:
        (tmp_path / "closed").chmod(0o755)
    assert found == (["a.py", "closed/b.py"] if os.geteuid() == 0 else ["a.py"])


def test_git_may_have_begun_before(make_repo):
    root = Root(make_repo({"a.py": "x", "b/c.py": "y"}), True)
    put(root.path, "new.py")
    naming = list_names(root)
    assert look(root, naming) == look(root)
    assert [name for name, is_file in zip(*look_columns(root), strict=True) if is_file] == [
        b"a.py",
        b"b/c.py",
        b"new.py",
    ]


def look_columns(root: Root) -> tuple[list[bytes], list[int]]:
    seen = look(root)
    return seen.names, list(seen.columns[::4])


@pytest.mark.slow
def test_a_git_that_is_late_or_fails_tells_nothing(make_repo, tmp_path):
    root = make_repo({"a.py": "x"})
    program = find_git(root)
    assert program
    assert GitProcess(program, root, ["no-such-command"]).output() is None
    assert GitProcess(str(tmp_path / "nothing"), root, ["version"]).output() is None
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nsleep 5\necho late\n")
    slow.chmod(0o755)
    assert GitProcess(str(slow), root, [], seconds=0.2).output() is None
    left = GitProcess(str(slow), root, [])
    left.close()
    assert left.output() is None


def test_where_git_refuses_the_folders_are_walked(make_repo):
    root = make_repo({"a.py": "x", "b/c.py": "y"})
    (root / ".git" / "HEAD").write_text("nonsense\n")
    assert names(scan(Root(root, True), LIMIT)) == ["a.py", "b/c.py"]
