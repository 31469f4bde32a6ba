"""What a person meets at a terminal: the question before writing, Ctrl-C, no control characters from elsewhere."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer.cli.main import BROKEN_OFF
from optimizer.cli.terminal import YES_NO
from optimizer.cli.trust import ALL
from tests.e2e.conftest import COMMAND, Optimize
from tests.loopback.replies import Call, Reply
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

LINE = "    return [int(part) for part in parts if part.strip()]\n"
EDIT = Reply(calls=(Call("edit_file", {"path": "calc/parse.py", "start": 7, "end": 7, "content": LINE}),), stop="tool")
REQUEST = "make parse_response skip empty parts"


def typed(
    user: Optimize,
    arguments: list[str],
    expect: str,
    answer: str,
    then: Callable[[int], None] = lambda pid: None,
    ahead: str = "",
) -> tuple[int, str]:
    """Run at a terminal; once `expect` is on the screen, type a line of `answer` and do `then` with the process id.

    Each further line is typed at a further question; `ahead` is typed at the start.

    Returns the exit code and the screen.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(user.cwd)
        os.execve(COMMAND, [str(COMMAND), *arguments], {"TERM": "xterm", **user.environment()})
    os.write(terminal, ahead.encode())
    screen, seen, lines, deadline = "", 0, answer.splitlines(keepends=True) or [""], time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                screen += os.read(terminal, 65536).decode("utf-8", "replace")
            except OSError:
                break
        asks = screen[seen:].rstrip().endswith(":") or "\n" not in answer[:-1]
        if lines and expect in screen and asks:
            time.sleep(0.1)  # the system call that reads is begun: a ^C just before it would wait for a line
            os.write(terminal, lines.pop(0).encode())
            then(pid)
            seen = len(screen)
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), screen


def test_a_huge_folder_outside_git_is_asked_about_until_it_is_indexed(
    tmp_path: Path, stand_in: Callable[..., Optimize]
) -> None:
    huge = tmp_path / "huge"
    for folder in (huge / f"d{number}" for number in range(21)):
        folder.mkdir(parents=True)
        for number in range(1000):
            (folder / f"f{number}.txt").touch()
    someone = stand_in(huge)
    find = ["refs", "parse_response"]
    ran = someone(*find)
    assert (ran.code, "more than 20,000 files" in ran.err, "optimize index" in ran.err) == (2, True, True)
    assert typed(someone, find, "Index all of them?", "n\n")[0] == 2
    assert typed(someone, find, "Index all of them?", "y\n")[0] == 3
    assert someone(*find).code == 3
    shutil.rmtree(someone.home / ".cache")
    assert someone("trust", "list").code == 0
    assert someone("index").code == 0
    assert someone(*find).code == 3


def test_json_at_a_terminal_is_asked_too(user: Optimize, loopback: Loopback, calc: Path) -> None:
    loopback.queue("ollama", EDIT)
    code, screen = typed(user, [REQUEST, "--json"], YES_NO, "y\n")
    assert code == 0
    assert '"event": "result"' in screen
    assert LINE in (calc / "calc/parse.py").read_text()


def test_yes_writes_and_no_does_not(user: Optimize, loopback: Loopback, calc: Path) -> None:
    loopback.queue("ollama", EDIT, EDIT)
    before = (calc / "calc/parse.py").read_bytes()
    code, screen = typed(user, [REQUEST], YES_NO, "n\n")
    assert (code, (calc / "calc/parse.py").read_bytes()) == (0, before)
    code, screen = typed(user, [REQUEST], YES_NO, "y\n")
    assert code == 0
    assert LINE in (calc / "calc/parse.py").read_text()
    assert "optimize undo" in screen
    outcomes = user("metrics", "--json").events[0]
    assert (outcomes["requests"], outcomes["succeeded"]) == (2, 1)


def test_a_dumb_terminal_gets_no_escapes(user: Optimize, loopback: Loopback) -> None:
    user.env["TERM"] = "dumb"
    loopback.queue("ollama", EDIT, Reply("# It **parses**\n\n- `int` of each part\n\n```python\nx = 1\n```\n"))
    for arguments, expect in (([REQUEST], YES_NO), (["explain parse_response"], "parses")):
        code, screen = typed(user, arguments, expect, "n\n")
        assert code == 0 and expect in screen and "\x1b" not in screen


def test_json_has_what_is_not_seen_as_escapes(user: Optimize, loopback: Loopback) -> None:
    answer = "parse_response \x9b8m \u202e \u2029 \u00ad \U000e0041 \ufeff is it"
    loopback.queue("groq", Reply(answer))
    ran = user("explain parse_response", "--provider", "groq", "--json")
    assert ran.code == 0 and ran.event("result")["text"].strip() == answer
    assert not any(letter in ran.out for letter in "\x9b\u202e\u2029\u00ad\U000e0041\ufeff")


def test_what_was_typed_before_a_question_is_no_answer_to_it(user: Optimize, loopback: Loopback, calc: Path) -> None:
    loopback.queue("ollama", EDIT)
    before = (calc / "calc/parse.py").read_bytes()
    code, screen = typed(user, [REQUEST], YES_NO, "n\n", ahead="y\ny\n")
    assert (code, (calc / "calc/parse.py").read_bytes()) == (0, before), screen


def test_consent_can_be_given_at_the_terminal(user: Optimize, loopback: Loopback) -> None:
    assert user("consent", "revoke", "groq").code == 0
    loopback.queue("groq", Reply(text="It adds (calc/parse.py:10)."))
    code, screen = typed(user, ["explain total", "--tier", "free", "--provider", "groq"], YES_NO, "y\n")
    assert code == 0, screen
    assert "It adds" in screen


def test_an_answer_cannot_act_on_the_terminal(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text="Look:\x1b]52;c;ZXZpbA==\x07 \u202eevil in calc/parse.py:4"))
    code, screen = typed(user, ["explain total", "--tier", "local"], "nothing to wait for", "")
    assert code == 0, screen
    assert "\x1b]52" not in screen
    assert "\u202e" not in screen


def test_ctrl_c_while_a_model_answers(user: Optimize, loopback: Loopback, calc: Path) -> None:
    before = (calc / "calc/parse.py").read_bytes()
    loopback.queue("ollama", Reply(text="one two three four", pieces=4, stall_at=2, stall=30))
    process = subprocess.Popen(
        [COMMAND, "explain total", "--tier", "local"],
        cwd=user.cwd,
        env=user.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 20
    while not loopback.asked("ollama") and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130, err
    assert BROKEN_OFF in err
    assert "Traceback" not in err
    assert (calc / "calc/parse.py").read_bytes() == before
    summary = user("metrics", "--json").events[0]
    assert (summary["requests"], summary["succeeded"]) == (1, 0)


def test_a_command_is_asked_for_once_and_its_failure_stops_the_write(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    (calc / "tests").mkdir()
    (calc / "tests/test_parse.py").write_text("from calc import parse\n\n\ndef test_it():\n    assert not parse\n")
    program = user.home / "bin/pytest"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\ntest -f conftest.py || echo no\ngrep -q 'if part.strip' calc/parse.py && exit 1\nexit 0\n"
    )
    program.chmod(0o755)
    user.env["PATH"] = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    loopback.queue("ollama", EDIT, EDIT)
    before = (calc / "calc/parse.py").read_bytes()
    code, screen = typed(user, [REQUEST, "--json"], YES_NO, "y\n")
    assert code == 3, screen
    assert '"state": "checks-failed"' in screen
    assert (calc / "calc/parse.py").read_bytes() == before
    assert user("trust", "list", "--json").events[0]["allowed"] is True


def program(user: Optimize, name: str) -> None:
    """A program that finds nothing wrong, and comes first on the path."""
    place = user.home / "bin" / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("#!/bin/sh\nexit 0\n")
    place.chmod(0o755)
    user.env["PATH"] = f"{place.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def checked(user: Optimize, calc: Path) -> Optimize:
    """A user in a repository with a linter, types and tests, none of them allowed to run yet."""
    (calc / "tests").mkdir()
    (calc / "tests/test_parse.py").write_text("from calc import parse\n\n\ndef test_it():\n    assert parse\n")
    (calc / "pyproject.toml").write_text("[tool.ruff]\n[tool.mypy]\n[tool.pytest.ini_options]\n")
    for name in ("ruff", "mypy", "pytest"):
        program(user, name)
    return user


def test_all_commands_are_one_question_and_one_yes_is_remembered_for_each(
    checked: Optimize, loopback: Loopback
) -> None:
    loopback.queue("ollama", EDIT, EDIT)
    code, screen = typed(checked, [REQUEST, "-v"], ALL, "y\nn\n")
    assert code == 0, screen
    assert screen.count(ALL) == 1
    for text in ("ruff check  (linter)", "mypy        (type checker)", "pytest      (tests)"):
        assert text in screen
    assert ", ".join(("ruff check", "mypy", "pytest")) in screen
    assert [row["allowed"] for row in checked("trust", "list", "--json").events] == [True, True, True]
    code, screen = typed(checked, [REQUEST], YES_NO, "n\n")
    assert code == 0 and ALL not in screen


def test_commands_can_be_chosen_one_by_one_or_refused_together(checked: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", EDIT, EDIT)
    code, screen = typed(checked, [REQUEST], ALL, "c\ny\nn\n\nn\n")
    assert code == 0, screen
    said = {row["kind"]: row["allowed"] for row in checked("trust", "list", "--json").events}
    assert said == {"lint": True, "types": False, "tests": False}
    assert checked("trust", "revoke").code == 0
    code, screen = typed(checked, [REQUEST], ALL, "\nn\n")
    assert code == 0, screen
    assert [row["allowed"] for row in checked("trust", "list", "--json").events] == [False, False, False]


def test_ctrl_c_at_the_last_question_is_a_no_and_told_on_a_line_of_its_own(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    loopback.queue("ollama", EDIT)
    before = (calc / "calc/parse.py").read_bytes()
    code, screen = typed(user, [REQUEST], YES_NO, "\x03")
    assert code == 130, screen
    assert screen.rstrip().splitlines()[-1] == f"\x1b[2m{BROKEN_OFF}\x1b[0m"
    assert "error:" not in screen and "Traceback" not in screen
    assert (calc / "calc/parse.py").read_bytes() == before
    assert user("metrics", "--json").events[0]["succeeded"] == 0


def test_consent_is_asked_for_before_anything_else_is_told_of_missing_models(
    user: Optimize, loopback: Loopback
) -> None:
    assert user("consent", "revoke", "groq").code == 0
    code, screen = typed(user, ["explain total", "--provider", "groq"], YES_NO, "n\n")
    assert code == 5, screen
    before, _, after = screen.partition(YES_NO)
    assert "at 127.0.0.1" in before and "optimize consent grant" not in before
    assert "optimize consent grant" in after


def test_ctrl_c_at_the_question_about_commands_decides_nothing_and_declines_the_change(
    checked: Optimize, loopback: Loopback
) -> None:
    loopback.queue("ollama", EDIT)
    code, screen = typed(checked, [REQUEST], ALL, "\x03")
    assert code == 130, screen
    assert BROKEN_OFF in screen and "error:" not in screen
    assert [row["allowed"] for row in checked("trust", "list", "--json").events] == [None, None, None]
    assert checked("metrics", "--json").events[0]["succeeded"] == 0
