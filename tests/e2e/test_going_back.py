"""undo, redo, log, show and --commit as the installed command: what a person sees, and what is on disk after."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from optimizer.cli.terminal import YES_NO
from tests.conftest import CLEAN, git
from tests.e2e.conftest import CALC, COMMAND, Optimize, Ran
from tests.e2e.test_terminal import typed

pytestmark = pytest.mark.slow

MESSAGE = "fix: a word"
RENAME = "rename total to sum_up"


@pytest.fixture
def alone(calc: Path, stand_in: Callable[..., Optimize]) -> Optimize:
    """A user who needs no model."""
    return stand_in(calc, **{key: value for key, value in CLEAN.items() if key.startswith("GIT_")})


def refused(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran.err
    assert ran.err.count("error: ") == 1
    assert ran.err.count("try:   ") == 1
    for word in words:
        assert word in ran.err, ran.err


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*.py")}


def test_there_and_back_and_there_again(alone: Optimize, calc: Path) -> None:
    before = files(calc)
    assert alone("log", "--json").events == []
    refused(alone("show"), 3, "no changes")
    assert alone("undo", "--json").events == alone("redo", "--json").events == []
    assert alone(RENAME, "--yes").code == 0
    after = files(calc)
    assert after != before
    undone = alone("undo")
    assert (undone.code, files(calc)) == (0, before)
    assert undone.out.splitlines() == ["restored   calc/cli.py", "restored   calc/parse.py"]
    assert undone.err.strip() == "undone: change 1"
    assert alone("redo").code == 0
    assert files(calc) == after
    assert alone("undo", "5", "--json").events == [
        {"event": "undone", "entry": "000001", "path": path, "what": "restored"}
        for path in ("calc/cli.py", "calc/parse.py")
    ]
    assert files(calc) == before


def test_log_and_show_tell_what_was_written(alone: Optimize, calc: Path) -> None:
    alone(RENAME, "--yes")
    alone("rename main to run_it", "--yes")
    alone("undo")
    listed = alone("log")
    lines = listed.out.splitlines()
    assert [line.split()[0] for line in lines[::2]] == ["2", "1"]
    assert ["undone" in lines[0], "written" in lines[2], RENAME in lines[2]] == [True] * 3
    assert lines[3].strip() == "calc/cli.py, calc/parse.py"
    assert "90 days, 200 MB" in listed.err
    limited = alone("log", "--limit", "1")
    assert len(limited.out.splitlines()) == 2
    assert "1 of 2" in limited.err
    events = alone("log", "--json").events
    assert [(event["id"], event["state"], event["files"]) for event in events] == [
        ("000002", "undone", ["calc/cli.py"]),
        ("000001", "written", ["calc/cli.py", "calc/parse.py"]),
    ]
    shown = alone("show", "1")
    assert "+def sum_up(text):" in shown.out
    assert "\x1b" not in shown.out
    assert RENAME in shown.err
    event = alone("show", "1", "--json").events[0]
    git(calc, "diff", "--exit-code", "--", "README.md")
    assert event["diff"].strip() == shown.out.strip()
    refused(alone("show", "7"), 3, "no change 7", "optimize log")
    assert alone("show sum_up").out.startswith("calc/parse.py:10")
    assert alone("show", "sum_up").out.startswith("calc/parse.py:10")


def test_show_is_coloured_on_a_terminal(alone: Optimize) -> None:
    alone(RENAME, "--yes")
    code, screen = typed(alone, ["show"], "nothing to wait for", "")
    assert code == 0
    assert "\x1b[32m+def sum_up(text):" in screen


def test_a_changed_file_is_named_with_the_cure_and_merged_on_request(alone: Optimize, calc: Path) -> None:
    alone(RENAME, "--yes")
    parse = calc / "calc/parse.py"
    mine = parse.read_text().replace('"""Read what people type."""', '"""Mine."""')
    parse.write_text(mine)
    kept = files(calc)
    refused(alone("undo"), 8, "change 1", "calc/parse.py (changed since)", "optimize undo --merge")
    assert files(calc) == kept
    merged = alone("undo", "--merge")
    assert merged.code == 0, merged.err
    assert merged.out.splitlines() == ["restored   calc/cli.py", "merged     calc/parse.py"]
    assert parse.read_text() == CALC["calc/parse.py"].replace('"""Read what people type."""', '"""Mine."""')
    assert "(merged)" in alone("log").out
    assert alone("show", "--json").events[0]["merged"]
    first = alone("show", "--as-written")
    assert "+def sum_up(text):" in first.out
    assert "merged" not in first.err
    assert alone("redo").code == 0
    assert parse.read_text() == mine
    parse.write_text(mine.replace("def sum_up(text)", "def sum_up(line)"))
    kept = files(calc)
    refused(alone("undo", "--merge"), 8, "calc/parse.py (changed since in the same lines, line 10)", "optimize show 1")
    assert files(calc) == kept


def test_it_all_works_outside_git_and_without_it(
    tmp_path: Path, stand_in: Callable[..., Optimize], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tmp_path / "plain"
    for path, text in CALC.items():
        (plain / path).parent.mkdir(parents=True, exist_ok=True)
        (plain / path).write_text(text)
    someone = stand_in(plain, PATH=str(tmp_path / "empty"))
    before = files(plain)
    refused(someone(RENAME, "--yes", "--commit"), 2, "--commit needs git", "optimize undo works without git")
    assert files(plain) == before
    assert someone(RENAME, "--yes").code == 0
    after = files(plain)
    assert someone("undo").code == 0
    assert files(plain) == before
    assert someone("redo").code == 0
    (plain / "calc/parse.py").write_bytes(after["calc/parse.py"] + b"# mine\n")
    refused(someone("undo", "--merge"), 8, "git was not found", "install git")


def test_undo_needs_no_index_and_no_cache(alone: Optimize, calc: Path) -> None:
    before = files(calc)
    alone(RENAME, "--yes")
    cache = alone.home / ".cache"
    shutil.rmtree(cache)
    cache.write_text("in the way")
    for command in (["log"], ["show"], ["undo"]):
        assert alone(*command).code == 0
    assert files(calc) == before


def test_the_journal_forgets_by_its_settings(alone: Optimize, calc: Path) -> None:
    alone.configure("[journal]\nmax_bytes = 1\n")
    alone(RENAME, "--yes")
    alone("rename sum_up to total", "--yes")
    assert [event["id"] for event in alone("log", "--json").events] == ["000002"]
    (calc / ".optimizer.toml").write_text("[journal]\nmax_days = 1\n")
    assert "journal.max_days" in alone("log").err


# ── --commit ─────────────────────────────────────────────────────────────────────────────────────


def test_commit_makes_one_commit_of_the_edit_alone(alone: Optimize, calc: Path) -> None:
    (calc / "README.md").write_text("mine, staged\n")
    git(calc, "add", "README.md")
    (calc / "README.md").write_text("mine, not staged\n")
    before = git(calc, "status", "--porcelain")
    ran = alone(RENAME, "--yes", "--commit")
    assert ran.code == 0, ran.err
    assert "committed as" in ran.err
    assert git(calc, "show", "--name-only", "--format=%s", "HEAD").split("\n") == [
        RENAME, "", "calc/cli.py", "calc/parse.py", "",
    ]  # fmt: skip
    assert git(calc, "status", "--porcelain") == before
    alone("rename sum_up to total", "--yes", "--commit", "--message", MESSAGE)
    assert git(calc, "log", "-1", "--format=%B").strip() == MESSAGE
    assert alone("undo").code == 0
    assert git(calc, "log", "-1", "--format=%s").strip() == MESSAGE


def test_commit_refuses_files_with_changes_of_the_users_own(alone: Optimize, calc: Path) -> None:
    (calc / "calc/cli.py").write_text("# mine\n" + CALC["calc/cli.py"])
    before = files(calc)
    ran = alone(RENAME, "--yes", "--commit")
    refused(ran, 8, "calc/cli.py has changes of yours that are not committed", "--commit")
    assert files(calc) == before
    assert git(calc, "log", "--format=%s").strip() == "begin"


def test_at_a_terminal_such_a_change_can_be_written_without_the_commit(alone: Optimize, calc: Path) -> None:
    (calc / "calc/cli.py").write_text("# mine\n" + CALC["calc/cli.py"])
    code, screen = typed(alone, [RENAME, "--commit", "--json"], YES_NO, "y\n")
    assert code == 0, screen
    assert '"kind": "not-committable"' in screen
    assert "sum_up" in (calc / "calc/cli.py").read_text()
    assert git(calc, "log", "--format=%s").strip() == "begin"


def test_a_hook_that_fails_leaves_the_edit_and_tells_with_its_own_code(alone: Optimize, calc: Path) -> None:
    hook = calc / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho too long a line >&2\nexit 1\n")
    hook.chmod(0o755)
    ran = alone(RENAME, "--yes", "--commit")
    assert ran.code == 9
    for words in ("too long a line", "git commit --only -- calc/cli.py calc/parse.py"):
        assert words in ran.err
    assert "sum_up" in (calc / "calc/parse.py").read_text()
    assert git(calc, "diff", "--cached", "--name-only") == ""
    events = alone("rename sum_up to total", "--yes", "--json", "--commit").events
    assert events[-1]["exit_code"] == 8


def test_ctrl_c_in_a_hook_leaves_the_edit_and_no_lock(alone: Optimize, calc: Path) -> None:
    hook = calc / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch begun\nexec sleep 30\n")
    hook.chmod(0o755)
    head, staged = git(calc, "rev-parse", "HEAD"), git(calc, "ls-files", "-s")
    process = subprocess.Popen(
        [COMMAND, RENAME, "--yes", "--commit", "--json"],
        cwd=calc,
        env=alone.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not (calc / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130, out
    assert len(Ran(130, out, "").notices("not-committed")) == 1
    assert "sum_up" in (calc / "calc/parse.py").read_text()
    assert (git(calc, "rev-parse", "HEAD"), git(calc, "ls-files", "-s")) == (head, staged)
    assert not list((calc / ".git").glob("*.lock"))
    assert alone("undo").code == 0


def test_a_merge_under_way_refuses_before_anything_is_asked(alone: Optimize, calc: Path) -> None:
    (calc / ".git/MERGE_HEAD").write_text(git(calc, "rev-parse", "HEAD"))
    refused(alone(RENAME, "--yes", "--commit"), 8, "a merge is in progress", "leave out --commit")
    refused(alone(RENAME, "--message", "x"), 2, "--message goes with --commit")


# ── files that want more than a plain yes ────────────────────────────────────────────────────────


@pytest.fixture
def workflow(make_repo: Callable[[Mapping[str, str | bytes]], Path], stand_in: Callable[..., Optimize]) -> Optimize:
    files = {".husky/check.py": "def total():\n    return 1\n\n\nprint(total())\n"}
    return stand_in(make_repo(files))


def test_yes_alone_does_not_write_what_something_acts_on(workflow: Optimize) -> None:
    place = workflow.cwd / ".husky/check.py"
    before = place.read_bytes()
    refused(workflow(RENAME, "--yes"), 4, "git's hooks", "--allow .husky/check.py")
    assert place.read_bytes() == before
    code, screen = typed(workflow, [RENAME, "--yes"], YES_NO, "n\n")
    assert (code, place.read_bytes()) == (0, before), screen
    assert workflow(RENAME, "--yes", "--allow", ".husky/check.py").code == 0
    assert place.read_bytes() != before


def test_a_swap_file_is_told_before_the_question(alone: Optimize, calc: Path) -> None:
    (calc / "calc/.parse.py.swp").touch()
    ran = alone(RENAME, "--yes", "--json")
    assert ["Vim" in text for text in ran.notices("open-file")] == [True]
    assert (ran.events[-1]["landing"]["state"], ran.events[-1]["landing"]["entry"]) == ("written", "000001")
    assert json.loads(json.dumps(ran.events[-1]))["files"] == ["calc/cli.py", "calc/parse.py"]
    assert os.path.lexists(calc / "calc/.parse.py.swp")
