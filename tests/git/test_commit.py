"""One commit of exactly the files of an edit: what else is staged, changed or under way stays as it was."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from optimizer.edits.write import undo, write
from optimizer.errors import ChecksFailed, Conflict, InputError
from optimizer.events import Hindrance
from optimizer.git.commit import Committed, by_hand, hindrance, make, message_for, ready
from optimizer.types import FileChange, Patch
from tests.conftest import CLEAN, git

ENV = {**os.environ, **CLEAN}
FILES = {"a.py": "a = 1\n", "b.py": "b = 1\n", "d/c.py": "c = 1\n", "gone.py": "gone = 1\n"}
CHANGES = (
    FileChange("a.py", b"a = 1\n", b"a = 2\n"),
    FileChange("gone.py", b"gone = 1\n", None),
    FileChange("new/n [x].py", None, b"n = 1\n"),
)


@pytest.fixture
def root(make_repo) -> Path:  # type: ignore[no-untyped-def]
    return make_repo(FILES)


def land(root: Path, changes: tuple[FileChange, ...] = CHANGES, env: Mapping[str, str] = ENV) -> Committed:
    """As a run with --commit does it."""
    repository = ready(root, env)
    assert hindrance(repository, changes) is None
    write(root, Patch(changes), root.parent / "journal", "an edit")
    return make(repository, changes, message_for("make it better", changes))


def status(root: Path) -> str:
    return git(root, "status", "--porcelain", "--untracked-files=all")


def shown(root: Path) -> list[str]:
    return git(root, "show", "--name-status", "--format=", "HEAD").splitlines()


def test_the_commit_holds_the_edit_alone_and_staged_work_stays_staged(root: Path) -> None:
    (root / "b.py").write_text("b = 2\n")
    git(root, "add", "b.py")
    (root / "b.py").write_text("b = 3\n")
    (root / "staged.py").write_text("s\n")
    git(root, "add", "staged.py")
    (root / "d/c.py").write_text("c = 2\n")
    (root / "loose.py").write_text("l\n")
    before, index = status(root), git(root, "ls-files", "-s", "b.py", "staged.py")
    made = land(root)
    assert shown(root) == ["M\ta.py", "D\tgone.py", "A\tnew/n [x].py"]
    assert status(root) == before
    assert git(root, "ls-files", "-s", "b.py", "staged.py") == index
    assert (made.branch, made.notes) == ("main", ())
    assert made.id == git(root, "rev-parse", "HEAD").strip()
    assert git(root, "log", "-1", "--format=%B").strip() == (
        "make it better\n\n- a.py: 1 line added, 1 removed\n- gone.py: removed\n- new/n [x].py: new, 1 line"
    )


def test_undo_after_a_commit_changes_the_files_and_leaves_the_commit(root: Path) -> None:
    made = land(root)
    undo(root, root.parent / "journal")
    assert git(root, "rev-parse", "HEAD").strip() == made.id
    assert (root / "a.py").read_text() == "a = 1\n"
    assert (root / "gone.py").exists()


@pytest.mark.parametrize("how", ["changed", "staged", "untracked", "deleted", "skipped", "assumed", "ignored"])
def test_a_file_with_changes_of_the_users_own_is_not_committed(root: Path, how: str) -> None:
    change = CHANGES[0]
    if how in ("changed", "staged"):
        (root / "a.py").write_text("a = 9\n")
        change = FileChange("a.py", b"a = 9\n", b"a = 2\n")
    if how == "staged":
        git(root, "add", "a.py")
        (root / "a.py").write_text("a = 1\n")
    if how == "untracked":
        (root / "u.py").write_text("u\n")
        change = FileChange("u.py", b"u\n", b"v\n")
    if how == "deleted":
        (root / "a.py").unlink()
        change = FileChange("a.py", None, b"a = 2\n")
    if how == "skipped":
        git(root, "update-index", "--skip-worktree", "a.py")
    if how == "assumed":
        git(root, "update-index", "--assume-unchanged", "a.py")
    if how == "ignored":
        (root / ".git/info/exclude").write_text("*.log\n")
        change = FileChange("x.log", None, b"x\n")
    hindered = hindrance(ready(root, ENV), (change, CHANGES[2]))
    assert hindered is not None
    assert change.path in hindered.paths


def test_others_changes_are_no_hindrance_whatever_the_name(root: Path) -> None:
    (root / "b.py").write_text("mine\n")
    (root / "n").mkdir()
    (root / "n/x.py").write_text("mine\n")
    assert hindrance(ready(root, ENV), (FileChange("[n]/x.py", None, b""), FileChange("*.py", None, b""))) is None


def test_an_unborn_branch_gets_its_first_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "r")
    root = tmp_path / "r"
    (root / "mine.py").write_text("m\n")
    git(root, "add", "mine.py")
    land(root, (CHANGES[2],))
    assert git(root, "ls-tree", "-r", "--name-only", "HEAD").splitlines() == ["new/n [x].py"]
    assert status(root) == "A  mine.py\n"


def test_a_detached_head_is_committed_to_and_told(root: Path) -> None:
    git(root, "checkout", "-q", "--detach")
    made = land(root)
    assert made.branch == ""
    assert "detached" in made.notes[0]
    assert status(root) == ""


@pytest.mark.parametrize("what", ["merge", "rebase", "cherry-pick", "revert"])
def test_nothing_is_committed_while_something_is_under_way(root: Path, what: str) -> None:
    git(root, "checkout", "-qb", "other")
    (root / "b.py").write_text("b = 2\n")
    git(root, "commit", "-qam", "other")
    git(root, "checkout", "-q", "main")
    (root / "b.py").write_text("b = 3\n")
    git(root, "commit", "-qam", "mine")
    command = {
        "merge": ["merge", "other"],
        "rebase": ["rebase", "other"],
        "cherry-pick": ["cherry-pick", "other"],
        "revert": ["revert", "--no-edit", "other"],
    }[what]
    subprocess.run(["git", *command], cwd=root, env=ENV, check=False, capture_output=True)
    with pytest.raises(Conflict, match=what):
        ready(root, ENV)


def test_where_no_commit_can_be_made_it_is_said_before_anything(root: Path, tmp_path: Path) -> None:
    (root / ".git/index.lock").touch()
    with pytest.raises(Conflict, match=r"index\.lock"):
        ready(root, ENV)
    (root / ".git/index.lock").unlink()
    with pytest.raises(InputError, match=rf"--commit.*{re.escape(str(root / 'd'))}"):
        ready(root / "d", ENV)
    plain = tmp_path / "plain"
    plain.mkdir()
    with pytest.raises(InputError, match=rf"--commit.*{re.escape(str(plain))}"):
        ready(plain, ENV)
    nobody = {k: v for k, v in ENV.items() if not k.startswith(("GIT_AUTHOR", "GIT_COMMITTER", "EMAIL"))}
    git(root, "config", "user.useConfigOnly", "true")
    with pytest.raises(InputError) as unnamed:
        ready(root, {**nobody, "HOME": str(tmp_path)})
    assert "user.name" in unnamed.value.hint and "user.email" in unnamed.value.hint


def hook(root: Path, name: str, text: str) -> None:
    place = root / ".git/hooks" / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)


@pytest.mark.parametrize("name", ["pre-commit", "commit-msg"])
def test_a_hook_that_fails_leaves_the_edit_written_and_the_index_as_it_was(root: Path, name: str) -> None:
    (root / "staged.py").write_text("s\n")
    git(root, "add", "staged.py")
    before, head = git(root, "ls-files", "-s"), git(root, "rev-parse", "HEAD")
    hook(root, name, "echo the hook says no; exit 1")
    with pytest.raises(ChecksFailed, match="the hook says no") as raised:
        land(root)
    assert by_hand(CHANGES) in raised.value.hint
    assert (git(root, "ls-files", "-s"), git(root, "rev-parse", "HEAD")) == (before, head)
    assert (root / "a.py").read_text() == "a = 2\n"
    assert not list((root / ".git").glob("*.lock"))
    hook(root, name, "exit 0")
    command = by_hand(CHANGES).replace("--only", "--only -m later")
    subprocess.run(["sh", "-c", command], cwd=root, env=ENV, check=True, capture_output=True)
    assert shown(root) == ["M\ta.py", "D\tgone.py", "A\tnew/n [x].py"]
    assert status(root) == "A  staged.py\n"


def test_a_signature_that_fails_is_heard(root: Path) -> None:
    git(root, "config", "commit.gpgsign", "true")
    git(root, "config", "gpg.program", "false")
    before, head = git(root, "ls-files", "-s"), git(root, "rev-parse", "HEAD")
    with pytest.raises(ChecksFailed, match="gpg"):
        land(root)
    assert (git(root, "ls-files", "-s"), git(root, "rev-parse", "HEAD")) == (before, head)


def test_a_hook_sees_only_the_edit_and_what_it_stages_is_committed_and_in_the_index(root: Path) -> None:
    (root / "staged.py").write_text("s\n")
    git(root, "add", "staged.py")
    hook(root, "pre-commit", "git diff --cached --name-only >seen; echo a = 7 >a.py; git add a.py")
    made = land(root)
    assert (root / "seen").read_text().splitlines() == ["a.py", "gone.py", "new/n [x].py"]
    assert git(root, "show", "HEAD:a.py") == "a = 7\n"
    assert status(root) == "A  staged.py\n?? seen\n"
    assert any("a.py" in note and "--merge" in note for note in made.notes)


def test_what_a_repository_runs_during_a_commit_sees_no_key_and_its_watcher_never_runs(
    root: Path, tmp_path: Path
) -> None:
    hook(root, "pre-commit", f"env > {tmp_path}/hook")
    git(root, "config", "filter.spy.clean", f"sh -c 'env > {tmp_path}/filter; cat'")
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/attributes").write_text("* filter=spy\n")
    watcher = tmp_path / "watch"
    watcher.write_text(f"#!/bin/sh\ntouch {tmp_path}/watched\n")
    watcher.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(watcher))
    (tmp_path / "watched").unlink(missing_ok=True)
    keys = dict.fromkeys(("GROQ_API_KEY", "OPTIMIZER_HOME", "GITHUB_TOKEN", "OPENAI_ORG_ID"), "canary")
    land(root, env={**ENV, **keys})
    for name in ("hook", "filter"):
        seen = (tmp_path / name).read_text()
        assert "HOME=" in seen and "canary" not in seen
    assert not (tmp_path / "watched").exists()


def test_a_surrounding_git_does_not_lead_elsewhere(root: Path, tmp_path: Path) -> None:
    elsewhere = {"GIT_DIR": str(tmp_path / "no"), "GIT_INDEX_FILE": str(tmp_path / "index"), "GIT_PREFIX": "d/"}
    land(root, env={**ENV, **elsewhere, "GIT_LITERAL_PATHSPECS": "1"})
    assert status(root) == ""
    assert not (tmp_path / "index").exists()


def test_a_linked_worktree_is_committed_to_by_itself(root: Path, tmp_path: Path) -> None:
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    head = git(root, "rev-parse", "main")
    made = land(tmp_path / "side")
    assert (made.branch, git(root, "rev-parse", "main")) == ("side", head)
    assert status(tmp_path / "side") == ""


def test_a_sparse_checkout_takes_files_within_it(root: Path) -> None:
    git(root, "sparse-checkout", "set", "--no-cone", "/*", "!/d")
    assert hindrance(ready(root, ENV), (FileChange("d/c.py", None, b"c = 5\n"),)) == Hindrance(
        "overlooked", ("d/c.py",)
    )
    land(root)
    assert git(root, "ls-tree", "-r", "--name-only", "HEAD", "d").splitlines() == ["d/c.py"]


@pytest.mark.parametrize("form", ["sha256", "index v4"])
def test_other_forms_of_repositories(tmp_path: Path, form: str) -> None:
    root = tmp_path / "r"
    root.mkdir()
    git(root, "init", "-q", "-b", "main", *(["--object-format=sha256"] if form == "sha256" else []))
    if form == "index v4":
        git(root, "config", "index.version", "4")
    for path, text in FILES.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    git(root, "add", ".")
    git(root, "commit", "-qm", "begin")
    hook(root, "pre-commit", "git reset -q gone.py; echo a = 7 >a.py; git add a.py")
    land(root)
    assert git(root, "show", "HEAD:a.py") == "a = 7\n"
    assert [line for line in status(root).splitlines() if "gone" not in line] == []
    assert git(root, "fsck", "--strict", "--no-dangling") == ""


def test_a_submodule_beside_the_edit_stays_as_it_is(root: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "other")
    git(tmp_path / "other", "commit", "-q", "--allow-empty", "-m", "one")
    add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "other"), "lib"]
    git(root, *add)
    git(root, "commit", "-qm", "lib")
    git(root / "lib", "commit", "-q", "--allow-empty", "-m", "two")
    before = status(root)
    assert "lib" in before
    land(root)
    assert status(root) == before
    assert "lib" not in "".join(shown(root))


def test_line_endings_that_git_converts_are_no_change_of_the_users(root: Path) -> None:
    git(root, "config", "core.autocrlf", "true")
    (root / "a.py").unlink()
    git(root, "checkout", "-q", "--", "a.py")
    assert (root / "a.py").read_bytes() == b"a = 1\r\n"
    made = land(root, (FileChange("a.py", b"a = 1\r\n", b"a = 2\r\n"),))
    assert git(root, "cat-file", "-p", "HEAD:a.py") == "a = 2\n"
    assert (status(root), made.notes) == ("", ())


def test_the_message_tells_a_long_request_in_full_and_holds_no_control_characters() -> None:
    request = "# " + "word " * 30 + "\x1b[31m\nsecond line"
    message = message_for(request, CHANGES[:1])
    subject, _, rest = message.partition("\n\n")
    assert len(subject) <= 72
    assert subject.endswith("word…")
    assert "second line" in rest
    assert "\x1b" not in message


def test_a_subject_that_looks_like_a_comment_is_kept(root: Path) -> None:
    repository = ready(root, ENV)
    write(root, Patch(CHANGES), root.parent / "journal", "")
    make(repository, CHANGES, message_for("#12: mend it", CHANGES))
    assert git(root, "log", "-1", "--format=%s").strip() == "#12: mend it"
