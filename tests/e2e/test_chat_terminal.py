"""A conversation at a terminal: typed, answered, broken off, left and continued."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from optimizer.cli.terminal import YES_NO
from tests.e2e.conftest import COMMAND, GOOD, GOOD_LINE, Optimize
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback, Received

pytestmark = pytest.mark.slow
RIGHT = "It splits the text at commas, see calc/parse.py:6."
MAIN = "main prints the total of a line, see calc/cli.py:5."
CHANGE = "make parse_response skip empty parts"
STALLED = "explain parse_response slowly"
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[=>78])")


class Screen:
    """A terminal with the command in it."""

    def __init__(self, terminal: int, pid: int) -> None:
        self._terminal, self.pid = terminal, pid
        self.seen = ""

    def until(self, text: str, seconds: float = 30) -> None:
        """Read until what came since the last line that was typed has this in it."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, f"{text!r} did not come:\n{self.seen}"
            if not self._read():
                break
        assert text in self.seen, self.seen

    def type(self, text: str) -> None:
        self.seen = ""
        time.sleep(0.15)
        os.write(self._terminal, text.encode())

    def _read(self) -> bool:
        if select.select([self._terminal], [], [], 0.2)[0]:
            try:
                data = os.read(self._terminal, 65536).decode("utf-8", "replace")
            except OSError:
                return False
            if "\x1b[6n" in data:  # where is the cursor
                os.write(self._terminal, b"\x1b[1;1R")
            self.seen += _ESCAPES.sub("", data).replace("\r", "")
        return True

    def rest(self) -> str:
        while self._read():
            pass
        return self.seen


@contextmanager
def chatting(user: Optimize, *arguments: str) -> Iterator[tuple[Screen, list[int]]]:
    """The command in a terminal, and (at the end) its exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(user.cwd)
        os.execve(COMMAND, [str(COMMAND), *arguments], {"TERM": "xterm", "COLUMNS": "100", **user.environment()})
    screen, code = Screen(terminal, pid), list[int]()
    try:
        yield screen, code
        screen.rest()
    finally:
        os.close(terminal)
        code.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def replies(received: Received) -> Reply:
    asked = received.text.rpartition("Request:")[2]
    if "skip" in asked:
        return Reply("Skips empty parts.", calls=(GOOD,))
    if "slowly" in asked:
        return Reply(" ".join(f"word{n}" for n in range(160)), stall_at=2, stall=20.0)
    return Reply(MAIN if "main" in asked else RIGHT)


@pytest.fixture
def talking(user: Optimize, loopback: Loopback) -> Optimize:
    loopback.answer("ollama", replies)
    return user


STYLES: Sequence[tuple[str, ...]] = ((), ("--plain",))


@pytest.mark.parametrize("style", STYLES)
def test_a_morning(talking: Optimize, loopback: Loopback, style: tuple[str, ...]) -> None:
    path = talking.cwd / "calc/parse.py"
    with chatting(talking, "chat", "--tier", "local", *style) as (screen, code):
        screen.until("today")
        screen.type("explain how parse_response treats commas\r")
        screen.until(RIGHT)
        screen.until("local)")
        screen.type(f"{CHANGE}\r")
        screen.until(YES_NO.strip())
        screen.type("y\r")
        screen.until("optimize undo")
        screen.until("local)")
        assert GOOD_LINE in path.read_text()
        screen.type("/undo\r")
        screen.until("calc/parse.py")
        screen.until("local)")
        assert GOOD_LINE not in path.read_text()
        screen.type("/add calc/cli.py\r")
        screen.until("file calc/cli.py")
        screen.until("local)")
        screen.type("/rewind 1 conversation\r")
        screen.until("end of turn 1")
        screen.until("local)")
        screen.type("\x04")
        screen.until("1 turn")
    assert code == [0]
    with chatting(talking, "chat", "--continue", "--tier", "local", *style) as (screen, code):
        screen.until("after 1 turn")
        screen.until("today")
        screen.type("explain main\r")
        screen.until(MAIN)
        screen.until("local)")
        screen.type("/quit\r")
        screen.until("2 turns")
    assert code == [0]
    last = loopback.asked("ollama")[-1].text
    assert RIGHT in last and "skip empty" not in last


def test_ctrl_c_stops_the_answer_and_keeps_the_session(talking: Optimize, loopback: Loopback) -> None:
    with chatting(talking, "chat", "--tier", "local") as (screen, code):
        screen.until("today")
        screen.type(f"{STALLED}\r")
        screen.until("word1")
        screen.type("\x03")
        screen.until("stopped")
        screen.type("explain main\r")
        screen.until(MAIN)
        screen.until("local)")
        screen.type("\x04")
        screen.until("2 turns")
    assert code == [0]
    text = loopback.asked("ollama")[-1].text
    assert STALLED in text and "word0 word1" in text


def test_two_ctrl_c_leave(talking: Optimize) -> None:
    with chatting(talking, "chat", "--tier", "local") as (screen, code):
        screen.until("today")
        screen.type("\x03")
        screen.until("stopped")
        screen.type("\x03")
        screen.until("--continue")
    assert code == [0]


def test_the_program_alone_opens_a_conversation_at_a_terminal(talking: Optimize) -> None:
    with chatting(talking) as (screen, code):
        screen.until("today")
        screen.type("\x04")
        screen.until("--continue")
    assert code == [0]
    assert "Usage:" in talking().out


def test_an_error_of_a_turn_ends_nothing(talking: Optimize) -> None:
    (talking.cwd / ".env").write_text("KEY=1\n")
    with chatting(talking, "chat", "--tier", "local") as (screen, code):
        screen.until("today")
        for line, shown in (
            ("/nothing", "no command /nothing"),
            ("/add nothing.py", "nothing.py"),
            ("/add .env", "never sent"),
            ("/rewind 7", "no turn yet"),
            ("/resume zzzz", "no session"),
        ):
            screen.type(f"{line}\r")
            screen.until(shown)
            screen.until("today")
        screen.type("\x04")
        screen.until("--continue")
    assert code == [0]


def test_lines_are_kept_for_their_user_alone(talking: Optimize) -> None:
    with chatting(talking, "chat", "--tier", "local") as (screen, _):
        screen.until("today")
        screen.type("/cost\r")
        screen.until("Left today")
        screen.type("\x04")
        screen.until("--continue")
    kept = Path(talking.home / ".local/state/optimizer/chat-history")
    assert "/cost" in kept.read_text() and kept.stat().st_mode & 0o077 == 0


def test_no_line_that_is_typed_ends_the_session(talking: Optimize, tmp_path: Path) -> None:
    with chatting(talking, "chat", "--tier", "local", "--plain") as (screen, code):
        screen.until("/help")
        for line, shown in (
            ('/add "calc', "not closed"),
            ("/undo it's", "not closed"),
            ("/drop it's", "not closed"),
            ("/image 'x", "not closed"),
            ("/image", "takes files"),
            ("/image nothing.png", "nothing.png"),
            (f"/export {tmp_path}/no/such/folder.md", "No such file"),
            (f"/export {tmp_path}", "is a folder"),
            ("/export ~nobody-here/x.md", "No such file"),
            ("/rewind 0", "no turn yet"),
            ("/add", "nothing is on the table"),
            ("/model 99", "no model '99'"),
            ("/model gpt-99", "no model 'gpt-99'"),
            ("/profile nothing", "nothing"),
            ("/undo --nothing", "No such option"),
            ("/", "no command"),
        ):
            screen.type(f"{line}\r")
            screen.until(shown)
            screen.until("today")
        screen.type("explain main\r")  # neither the model nor the profile was kept
        screen.until(MAIN)
        screen.until("local)")
        screen.type("/stage it's all in cents\r")
        screen.until("on the table")
        screen.until("local)")
        screen.type("/drop it's all in cents\r")
        screen.until("taken off")
        screen.until("local)")
        screen.type("\x04")
        screen.until("1 turn")
    assert code == [0]


def test_ctrl_c_and_ctrl_d_at_a_question_answer_it_only(talking: Optimize) -> None:
    before = (talking.cwd / "calc/parse.py").read_text()
    with chatting(talking, "chat", "--tier", "local", "--plain") as (screen, code):
        screen.until("/help")
        for line, key in ((CHANGE, "\x03"), (CHANGE, "\x04"), ("/run cat", "\x03")):
            screen.type(f"{line}\r")
            screen.until(YES_NO.strip())
            screen.type(key)
            screen.until("stopped")
            screen.until("today")
        screen.type("/run sleep 20\r")
        screen.until("sleep 20")
        screen.type("\x03")
        screen.until("stopped")
        screen.type("/quit\r")
        screen.until("2 turns")
    assert code == [0] and (talking.cwd / "calc/parse.py").read_text() == before


def test_a_session_of_another_repository_is_not_gone_on_with(talking: Optimize, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    ran = talking("chat", "--prompt", "where is x", "--output-format", "json", cwd=other)
    session = json.loads(ran.out)["session_id"]
    with chatting(talking, "chat", "--tier", "local", "--plain") as (screen, code):
        screen.until("/help")
        screen.type(f"/resume {session}\r")
        screen.until("belongs to")
        screen.type("/quit\r")
        screen.until("--continue")
    assert code == [0]


def test_nothing_that_was_said_acts_on_the_terminal(talking: Optimize, loopback: Loopback) -> None:
    loopback.answer("ollama", lambda _: Reply(f"{RIGHT} \x1b]0;owned\x07 \u202eback"))
    ran = talking(
        "chat", "--prompt", "explain how parse_response \x1b[2J", "--output-format", "json", "--tier", "local"
    )
    session = json.loads(ran.out)["session_id"]
    for shown in ("show", "export", "graph"):
        out = talking("sessions", shown, session).out
        assert out and not set("\x1b\x07\u202e") & set(out)
    assert "\x1b" not in talking("sessions", "list").out
    with chatting(talking, "chat", "--continue", "--tier", "local", "--plain") as (screen, code):
        screen.until("/help")
        for line in ("/context", "/cost", "/rewind", "/export", "/run printf '\\033]0;owned'"):
            screen.type(f"{line}\r")
            screen.until("\\u001b")
            if line.startswith("/run"):
                screen.type("n\r")
            screen.until("today")
            assert not set("\x07\u202e") & set(screen.seen)
        screen.type("/quit\r")
        screen.until("--continue")
    assert code == [0]


def test_a_mode_for_one_turn_does_not_outlive_it(talking: Optimize) -> None:
    with chatting(talking, "chat", "--tier", "local") as (screen, code):
        screen.until("today")
        screen.type(f"/accept {STALLED}\r")
        screen.until("word1")
        os.kill(screen.pid, signal.SIGKILL)
    assert code == [-signal.SIGKILL]
    session = talking("sessions", "list", "--json").events[0]["id"]
    log = talking("sessions", "export", session, "--json").events
    assert [entry["kind"] for entry in log] == ["asked"]


def test_sigterm_leaves_at_once_and_keeps_the_session(talking: Optimize) -> None:
    with chatting(talking, "chat", "--tier", "local") as (screen, code):
        screen.until("today")
        screen.type(f"{STALLED}\r")
        screen.until("word1")
        os.kill(screen.pid, signal.SIGTERM)
        screen.until("1 turn")
    assert code == [-signal.SIGTERM]
    assert "word0 word1" in talking("sessions", "show", talking("sessions", "list", "--json").events[0]["id"]).out


def test_a_secret_in_a_turn_can_be_taken_back(talking: Optimize, loopback: Loopback) -> None:
    secret = "gsk_" + "Zb7Qw3Er9Ty1Ui5Op2As8Df4Gh6Jk0LzXcVbNm3Qw7Er1Ty5Ui9O"
    loopback.answer("groq", replies)
    with chatting(talking, "chat", "--tier", "free", "--plain") as (screen, code):
        screen.until("/help")
        screen.type(f"explain main with {secret}\r")
        screen.until("/rewind 0")
        screen.until("today")
        screen.type("/rewind 0 conversation\r")
        screen.until("end of turn 0")
        screen.until("today")
        screen.type("explain main\r")
        screen.until(MAIN)
        screen.type("/quit\r")
        screen.until("--continue")
    assert code == [0]


def test_a_staged_file_that_is_ignored_since_is_not_sent(talking: Optimize, loopback: Loopback) -> None:
    (talking.cwd / "notes.txt").write_text("the launch is on Friday\n")
    with chatting(talking, "chat", "--tier", "local", "--plain") as (screen, _):
        screen.until("/help")
        screen.type("/add notes.txt\r")
        screen.until("on the table")
        screen.until("today")
        screen.type("/quit\r")
        screen.until("--continue")
    with (talking.cwd / ".gitignore").open("a") as ignored:
        ignored.write("\nnotes.txt\n")
    talking("chat", "--prompt", "explain main", "--continue", "--tier", "local")
    assert loopback.asked("ollama") and "Friday" not in "".join(one.text for one in loopback.asked("ollama"))


def test_the_model_of_a_session_holds_in_scripts_too(talking: Optimize, loopback: Loopback) -> None:
    loopback.answer("anthropic", replies)
    with chatting(talking, "chat", "--plain") as (screen, _):
        screen.until("/help")
        screen.type("/model claude-haiku-4-5\r")
        screen.until("is asked only")
        screen.until("today")
        screen.type("/quit\r")
        screen.until("--continue")
    talking("chat", "--prompt", "explain main", "--continue")
    assert loopback.asked("anthropic") and not loopback.asked("ollama")
    talking("chat", "--prompt", "explain parse_response", "--continue", "--model", "qwen2.5-coder:7b")
    assert len(loopback.asked("anthropic")) == 1 and loopback.asked("ollama")


def test_what_is_unpinned_holds_no_longer(talking: Optimize, loopback: Loopback) -> None:
    loopback.answer("anthropic", replies)
    with chatting(talking, "chat", "--plain") as (screen, _):
        screen.until("/help")
        for line, shown in (
            ("/model claude-haiku-4-5", "is asked only"),
            ("explain main", MAIN),
            ("/unpin", "router"),
            ("explain main again", MAIN),
        ):
            screen.type(f"{line}\r")
            screen.until(shown)
            screen.until("today $")
        screen.type("/quit\r")
        screen.until("--continue")
    assert len(loopback.asked("anthropic")) == 1 and loopback.asked("ollama")
