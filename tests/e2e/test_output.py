"""Output that is closed, full, no longer read or unable to show a letter costs neither the answer nor the work."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import COMMAND, FAILS, REQUEST, Optimize, Ran
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

GOOD = FAILS.replace("if not part", "if part")  # every check passes
ANSWER = "It splits the text at “,” — 日本 🙂, calc/parse.py:4."
pytestmark = pytest.mark.slow
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def shell(user: Optimize, *arguments: str, then: str) -> Ran:
    """Run the command in a shell with a redirection or a pipe behind it."""
    line = f"{shlex.join((str(COMMAND), *arguments))} {then}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=user.cwd,
        env=user.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def written(user: Optimize) -> bool:
    return "if part.strip()" in (user.cwd / "calc/parse.py").read_text()


@pytest.fixture
def editing(user: Optimize, loopback: Loopback) -> Optimize:
    loopback.answer("ollama", lambda _: Reply(GOOD, tokens=Tokens(900, 60)))
    return user


@pytest.fixture
def asking(user: Optimize, loopback: Loopback) -> Optimize:
    loopback.answer("ollama", lambda _: Reply(ANSWER, tokens=Tokens(900, 60)))
    return user


@pytest.mark.parametrize("then", ["| true", "| head -c 3", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_change_is_written_though_nobody_reads_of_it(editing: Optimize, then: str) -> None:
    ran = shell(editing, REQUEST, "--yes", then=then)
    assert (ran.code, written(editing)) == (0, True), ran.err
    assert editing("undo").code == 0


@needs_full
def test_a_change_is_written_though_its_diff_finds_no_room(editing: Optimize) -> None:
    ran = shell(editing, REQUEST, "--yes", then=">/dev/full")
    assert (ran.code, written(editing)) == (7, True), ran.err


@needs_full
def test_an_answer_that_finds_no_room_is_kept_and_said_where(asking: Optimize) -> None:
    ran = shell(asking, "explain parse_response", "--provider", "ollama", then=">/dev/full")
    assert ran.code == 7
    again = ran.err.partition("optimize log --transcript ")[2].split()[0]
    assert ANSWER in asking("log", "--transcript", again).out


@pytest.mark.parametrize("command", [("map",), ("--help",), ("find", "total"), ("config", "show", "--json")])
@pytest.mark.parametrize(
    ("then", "code"),
    [(">&-", 0), ("<&-", 0), ("2>&-", 0), ("| true", 0), pytest.param(">/dev/full", 7, marks=needs_full)],
)
def test_every_command_ends_in_order(user: Optimize, command: tuple[str, ...], then: str, code: int) -> None:
    assert shell(user, *command, then=then).code == code


def test_no_file_gets_the_number_of_a_closed_stream(user: Optimize) -> None:
    """A child that writes to its stdout would write into it."""
    assert shell(user, "index", then="<&- >&- 2>&-").code == 0
    assert user("find", "total").code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_came_before_the_terminal_was_closed_is_recorded(
    user: Optimize, loopback: Loopback, number: signal.Signals
) -> None:
    loopback.answer("ollama", lambda _: Reply(" ".join(f"word{n}" for n in range(160)), stall_at=2, stall=20.0))
    arguments = [COMMAND, "explain parse_response", "--provider", "ollama"]
    with subprocess.Popen(
        arguments,
        cwd=user.cwd,
        env=user.environment(),
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    ) as process:
        while not loopback.asked("ollama"):
            time.sleep(0.05)
        time.sleep(1)
        process.send_signal(number)
        assert process.wait(30) == -number
    (kept,) = (user.home / ".local/state/optimizer/transcripts").iterdir()
    call = json.loads(kept.read_text())
    assert call["outcome"] == "cancelled" and "word0 word1" in call["received"][0]["text"]
    assert user("metrics", "--json").events[0]["requests"] == 1


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii", "cp437"])
def test_what_a_terminal_cannot_show_is_written_as_escapes(asking: Optimize, encoding: str) -> None:
    asking.env["PYTHONIOENCODING"] = encoding
    arguments = ("explain parse_response", "--provider", "ollama")
    done = subprocess.run(
        [COMMAND, *arguments], cwd=asking.cwd, env=asking.environment(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode(encoding)
    done.stderr.decode(encoding)
    assert "\\u65e5\\u672c \\U0001f642" in shown
    done = subprocess.run(
        [COMMAND, *arguments, "--json"], cwd=asking.cwd, env=asking.environment(), capture_output=True, check=False
    )
    last = json.loads(done.stdout.decode(encoding).splitlines()[-1])
    assert last["text"].strip() == ANSWER


def test_a_locale_without_letters_is_no_error(asking: Optimize, loopback: Loopback) -> None:
    asking.env.update(LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    ran = asking("explain parse_response — naïve 日本", "--provider", "ollama")
    assert ran.code == 0, ran.err
    assert "\\u65e5" in ran.out
    assert asking("map").code == 0


def test_names_that_are_not_utf8_are_shown(user: Optimize) -> None:
    (user.cwd / os.fsdecode(b"na\xefve.py")).write_text("def odd():\n    return 1\n")
    (user.cwd / "ok.py").write_text("def fine():\n    return 1\n")
    assert user("index", "--verbose").code == 0
    assert user("find", "fine").code == 0
