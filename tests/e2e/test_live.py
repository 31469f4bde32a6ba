"""What a terminal shows while a model works, and that nothing of it is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.cli.live import SPINNER
from optimizer.cli.terminal import YES_NO
from tests.e2e.conftest import FAILS, GOOD, REQUEST, Optimize
from tests.e2e.test_terminal import typed
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback
from tests.terminal import screen_of

pytestmark = pytest.mark.slow

EDIT = FAILS.replace("if not part", "if part")  # every check passes
ANSWER = "# Total\n\nIt **adds** the numbers of a line:\n\n- see calc/parse.py:10\n- and `parse_response`\n"
RENDERED = "\nTotal\n\nIt adds the numbers of a line:\n\n • see calc/parse.py:10\n • and parse_response\n"
QUESTION = ["explain total", "--tier", "local"]
SLOWLY = Reply(EDIT, pieces=40, pause=0.06, stall_at=0, stall=2.2)
MOVES = re.compile(f"[{SPINNER}]|\x1b\\[[JK]")


def test_a_line_moves_while_an_edit_is_written_and_is_gone_before_the_diff(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    loopback.queue("ollama", SLOWLY)
    code, raw = typed(user, [REQUEST, "--tier", "local"], YES_NO, "n\n")
    assert code == 0, raw
    waiting = {int(found) for found in re.findall(r"(\d+) s · (?:loading, )?waiting for", raw)}
    received = [int(found) for found in re.findall(r"· ~(\d+) tokens", raw)]
    assert {1, 2} <= waiting
    assert len(set(received)) > 3 and received == sorted(received) and "a second" in raw
    assert len(set(re.findall(f"[{SPINNER}]", raw))) > 3
    screen = screen_of(raw)
    assert not MOVES.search(screen) and "waiting for" not in screen
    head = screen.index("diff --git")
    assert screen[:head].count("\n") == 2
    assert not MOVES.search(raw[raw.index("Write this change") :])


@pytest.mark.parametrize("how", ["^C", "SIGTERM", "error"])
def test_nothing_of_it_is_left_however_a_run_ends(user: Optimize, loopback: Loopback, calc: Path, how: str) -> None:
    stalls = how in ("^C", "SIGTERM")
    late = Reply(ANSWER, stall_at=1, stall=30) if stalls else Reply(status=500, body=b"{}", stall=1.5)
    loopback.answer("ollama", lambda _: late)
    words = ["explain total", "--tier", "local"]
    if how == "SIGTERM":
        code, raw = typed(user, words, "1 s · ", "", lambda pid: os.kill(pid, signal.SIGTERM))
    else:
        code, raw = typed(user, words, "1 s · ", "\x03" if how == "^C" else "")
    assert code in {"^C": (130,), "SIGTERM": (-signal.SIGTERM,)}.get(how, (6,)), raw
    assert re.search(f"[{SPINNER}]", raw)
    assert not re.search(f"[{SPINNER}]", screen_of(raw).replace("^C", ""))


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"CI": "1"}, {}], ids=["dumb", "CI", "options"])
def test_where_lines_cannot_be_rewritten_none_is(
    user: Optimize, loopback: Loopback, calc: Path, env: dict[str, str]
) -> None:
    loopback.answer("ollama", lambda _: Reply(ANSWER, stall_at=0, stall=1.2))
    user.env.update(env, NO_COLOR="1")
    for flags in [[]] if env else [["--json"], ["--quiet"]]:
        code, raw = typed(user, [*QUESTION, *flags], "nothing to wait for", "")
        assert code == 0, raw
        assert not re.search(f"[{SPINNER}\x1b]|\r(?!\n)", raw), raw


def test_a_terminal_shows_markdown_and_a_pipe_the_very_text(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", *[Reply(ANSWER)] * 3)
    piped = user(*QUESTION)
    assert piped.out == ANSWER
    code, raw = typed(user, QUESTION, "nothing to wait for", "")
    assert code == 0
    shown = screen_of(raw).replace("\r", "")
    assert RENDERED in shown
    assert "\x1b[1mTotal" in raw
    user.env["NO_COLOR"] = "1"
    code, raw = typed(user, QUESTION, "nothing to wait for", "")
    assert f"\n# {RENDERED[1:]}" in screen_of(raw).replace("\r", "")
    assert not re.search(r"\x1b\[[\d;]*m", raw)


def test_quiet_is_the_answer_alone_and_verbose_tells_each_call(user: Optimize, loopback: Loopback, calc: Path) -> None:
    loopback.queue("ollama", *[Reply(ANSWER)] * 2, *[Reply(calls=(GOOD,), stop="tool")] * 2, *[Reply("No.")] * 2)
    quiet = user(*QUESTION, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, ANSWER, "")
    verbose = user(*QUESTION, "-v")
    assert "task: " in verbose.err and "checks: answers, " in verbose.err
    change = user(REQUEST, "-q", "--tier", "local")
    assert change.out.startswith("diff --git") and change.err == ""
    assert "checks: place, " in user(REQUEST, "--verbose", "--tier", "local").err
    refused = user(REQUEST, "-q", "--tier", "local")
    assert (refused.code, refused.out) == (3, "")
    assert [line[:6] for line in refused.err.splitlines()] == ["error:", "try:  "]
    assert user(*QUESTION, "-q", "-v").code == 2


def test_what_is_refused_is_no_output_and_a_part_of_it_is_shown_on_stderr(user: Optimize, loopback: Loopback) -> None:
    prose = "\n".join(f"Reason {number} why I change nothing." for number in range(40))
    loopback.answer("ollama", lambda _: Reply(prose))
    ran = user(REQUEST, "--tier", "local")
    assert (ran.code, ran.out) == (3, "")
    assert "Reason 0 why" in ran.err and "Reason 30 why" not in ran.err
    request = ran.err.partition("optimize log --transcript ")[2][:12]
    assert "Reason 39 why" in user("log", "--transcript", request).out


def test_an_answer_that_was_shown_and_fails_is_marked_before_the_next_one(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply("The capital of France is Paris, which lies on the river Seine."))
    loopback.queue("groq", Reply("It adds the numbers (calc/parse.py:10)."))
    code, raw = typed(user, ["explain total", "--max-tier", "free"], "nothing to wait for", "")
    assert code == 0
    places = [raw.index(words) for words in ("Paris", "not accepted", "about failed", "asking openai", "It adds")]
    assert places == sorted(places)
    assert raw.count("not accepted") == 1


@pytest.mark.parametrize("terminal", [True, False], ids=["quiet", "pipe"])
def test_a_pipe_and_a_quiet_terminal_get_the_answer_that_holds_and_no_other(
    user: Optimize, loopback: Loopback, terminal: bool
) -> None:
    loopback.queue("ollama", Reply("The capital of France is Paris, which lies on the river Seine."))
    held = "It **adds** the numbers (calc/parse.py:10)."
    loopback.queue("groq", Reply(held))
    asked = ["explain total", "--max-tier", "free"]
    if terminal:
        code, raw = typed(user, [*asked, "-q"], "nothing to wait for", "")
        assert (code, screen_of(raw).strip()) == (0, held.replace("*", ""))
    else:
        ran = user(*asked)
        assert (ran.code, ran.out) == (0, f"{held}\n")


RICH = """
import contextlib, sys, optimizer.cli.main as m
with contextlib.suppress(SystemExit):
    m.main(sys.argv[1:])
print([name for name in ("rich", "markdown_it", "pygments") if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize("words", [["--help"], ["where is total"], ["context", "total"], QUESTION])
def test_only_an_answer_on_a_terminal_loads_what_renders_it(
    user: Optimize, loopback: Loopback, words: list[str]
) -> None:
    loopback.answer("ollama", lambda _: Reply(ANSWER))
    env = {**user.environment(), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", RICH, *words], cwd=user.cwd, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout and done.stderr.splitlines()[-1] == "[]"
