"""What a person reads, word by word: each session is a list of commands, run at a terminal of 80 columns.

The screens stand in `screens/`, a text file a session: the one place to change a sentence. After a change,

    pytest tests/e2e/test_screens.py --slow --update-screens

writes them again; read `git diff tests/e2e/screens` then. What differs from run to run is masked, digit by digit, so
that columns stay where they are.
"""

from __future__ import annotations

import difflib
import fcntl
import os
import pty
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import COMMAND, FAILS, GOOD, GOOD_LINE, REQUEST, Optimize
from tests.loopback.replies import Reply, refuse
from tests.loopback.server import Loopback
from tests.terminal import screen_of

SCREENS = Path(__file__).with_name("screens")
COLUMNS = 80
RUNS_ANYWHERE = "qwen2.5-coder:0.5b"  # what is suggested for local use depends on the machine otherwise
MASKS = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?|\d\d:\d\d:\d\d", "0"),  # a time
    (r"[0-9a-f]{32}(?=\.db)", "x"),
    (r"(?<=on )\d{4}-\d\d-\d\d|(?<=Metrics \()\d{4}-\d\d-\d\d", "0"),
    (r"127\.0\.0\.1:\d{5}", "0"),
    (r"\d+\.\d+(?= s\b)|\d+(?= ms )", "0"),
    (r"[\d.]+(?= [kM]B on disk)|[\d.]+(?= × the size)|(?<=index )[\d.]+(?= ×)", "0"),
    (r"\d+\.\d\d/\d+\.\d\d|\$0\.\d{4,6}|genai-prices [\d.]+", "0"),  # list prices
    (r"(?<=committed as )[0-9a-f]{10}|(?<=--transcript )[0-9a-f]{12}", "x"),
)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A directory whose name is as long wherever and whenever the tests run: lines are broken by it."""
    path = Path(tempfile.mkdtemp(prefix="o-", dir="/tmp")).resolve()
    yield path
    shutil.rmtree(path)


@pytest.fixture
def hold(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str, str], None]:
    """Compare a session with the file of its name, or write that with --update-screens."""

    def compare(name: str, screen: str) -> None:
        screen = masked(screen, tmp_path)
        file = SCREENS / f"{name}.txt"
        if request.config.getoption("--update-screens"):
            SCREENS.mkdir(exist_ok=True)
            file.write_text(screen, encoding="utf-8")
            return
        held = file.read_text(encoding="utf-8") if file.exists() else ""
        if screen != held:
            changes = "".join(difflib.unified_diff(held.splitlines(True), screen.splitlines(True), "held", "now"))
            pytest.fail(
                f"{changes}\n{file.name} differs. Is the new screen what it should be? Then:\n"
                "    pytest tests/e2e/test_screens.py --slow --update-screens",
                pytrace=False,
            )

    return compare


_DEARER = re.compile(
    r"(more expensive than \S+?)(?:\s+for\s+an\s+accepted\s+answer)?:\s+(\$\S+)\s+against\s+(\$[\d.]+)"
)


def masked(screen: str, tmp_path: Path) -> str:
    """A screen without what differs from run to run, as wide as before."""
    screen = re.sub(r"rests until (?=\d\d:\d\d)", "failed at ", screen)  # its rest is over by now on a slow machine
    screen = re.sub(r"(?<= · )[\dmin. ]+ s(?= · )", "0.0 s", screen)
    screen = _DEARER.sub(r"\1: \2 against \3", screen)  # prices have dates
    screen = screen.replace(str(tmp_path), re.sub(r"(?<=/o-).*", "########", str(tmp_path)))
    screen = re.sub(r"(?<=confined by)(\s+)\w+", r"\1bubblewrap", screen)  # what confines commands on this machine
    for pattern, mark in MASKS:
        screen = re.sub(
            pattern, lambda found, mark=mark: re.sub(r"[0-9a-f]" if mark == "x" else "[0-9]", mark, found[0]), screen
        )
    return screen


def at_terminal(user: Optimize, line: str, cwd: Path | None = None) -> str:
    """What a terminal of 80 columns shows of a command, with the command before it and its exit code below."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    modes = termios.tcgetattr(slave)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, modes)
    env = {**user.environment(), "COLUMNS": str(COLUMNS), "NO_COLOR": "1", "TERM": "xterm"}
    with subprocess.Popen(
        [COMMAND, *shlex.split(line)],
        cwd=cwd or user.cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    ) as running:
        os.close(slave)
        screen = b""
        while True:
            try:
                screen += os.read(master, 65536)
            except OSError:
                break
        code = running.wait(60)
    os.close(master)
    text = screen_of(screen.decode())
    assert "Traceback" not in text, text
    return f"$ optimize {line}\n{text}" + (f"[exit code {code}]\n" if code else "") + "\n"


def session(user: Optimize, *lines: str) -> str:
    """Commands one after the other, as a terminal shows them."""
    return "".join(at_terminal(user, line) for line in lines)


# ── help ─────────────────────────────────────────────────────────────────────────────────────────


HELPS = """
import click
from click.testing import CliRunner
from optimizer.cli.commands import COMMANDS
from optimizer.cli.main import optimize

calls = [""]
for name in COMMANDS:
    command = optimize.get_command(click.Context(optimize), name)
    inner = command.commands if isinstance(command, click.Group) else {}
    calls += [name, *(f"{name} {word}" for word, one in sorted(inner.items()) if not one.hidden)]
for words in calls:
    shown = CliRunner().invoke(optimize, [*words.split(), "--help"], prog_name="optimize").output
    print(" ".join(f"$ optimize {words} --help".split()), shown, sep="\\n")
"""


def test_the_help_of_every_command(hold: Callable[[str, str], None]) -> None:
    env = {**os.environ, "COLUMNS": str(COLUMNS)}
    done = subprocess.run([sys.executable, "-c", HELPS], env=env, check=True, capture_output=True, text=True)
    assert all(len(line) <= COLUMNS for line in done.stdout.splitlines())
    hold("help", done.stdout)


# ── without a model ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_looking(stand_in: Callable[..., Optimize], calc: Path, hold: Callable[[str, str], None]) -> None:
    user = stand_in(calc)
    hold(
        "looking",
        session(
            user,
            "context 'refactor parse_response'",
            "context 'refactor parse_response' --max-tokens 100",
            "context 'refactor parse_response' --format md",
            "context 'why does total fail' --explain --top 2",
            "context zebra",
            "find parse_response",
            "find parse_respons",
            "refs parse_response",
            "deps calc/cli.py",
            "deps calc/parse.py --reverse",
            "map",
            "map nowhere",
            "'where is parse_response'",
            "'where is parse_respons'",
            "index",
            "index --stats",
            "bench retrieval",
        ),
    )


@pytest.mark.slow
def test_without_a_model(stand_in: Callable[..., Optimize], calc: Path, hold: Callable[[str, str], None]) -> None:
    user = stand_in(calc)
    user.configure(LONG_CACHE)
    user.config.with_name("models.toml").write_text(f'suggested_local = "{RUNS_ANYWHERE}"\n')
    (user.home / "empty").mkdir()
    hold(
        "no-model",
        session(
            user,
            "'refactor parse_response'",
            "route 'refactor parse_response' --explain",
            "'explain total' --model qwen2.5-coder:14b",
            "models test qwen2.5-coder:14b",
            "models list",
            "models status",
            "budget",
            "metrics",
            "consent list",
            "consent log",
            "trust list",
            "log",
            "undo",
        )
        + at_terminal(user, "'refactor parse_response'", cwd=user.home / "empty")
        + at_terminal(user, "index", cwd=user.home),
    )


@pytest.mark.slow
def test_errors(stand_in: Callable[..., Optimize], calc: Path, hold: Callable[[str, str], None]) -> None:
    user = stand_in(calc)
    hold(
        "errors",
        session(
            user,
            "fnd",
            "login",
            "chat",
            "-v find parse_response",
            "'explain total' -q -v",
            "'explain total' --teir local",
            "'explain total' --tier locl",
            "'explain total' --image nothing.png",
            "'explain total' --feature colour=on",
            "'explain total' --message hello",
            "undo abc",
            "redo 0",
            "show 7",
            "metrics --date yesterday",
            "budget set",
            "budget set day many",
            "bench",
            "config",
            "config show max_token",
            "config show --profile fst",
            "profile show fst",
            "consent grant grok",
            "trust grant lint",
            "models use qwen2.5-codr:7b",
            "find '' ",
        ),
    )


# ── with models ──────────────────────────────────────────────────────────────────────────────────

LONG_CACHE = "[models]\ncache_seconds = 86400\n"
ANSWER = Reply(text="It adds the numbers of a line (calc/parse.py:10).")
MARKDOWN = """## What it does

It **adds** the numbers of a line, which `parse_response` takes apart (calc/parse.py:4) before `sum` gets them:

1. The text is split at commas.
2. Each part becomes a number.

```python
def total(text):
    return sum(parse_response(text))
```

| text | total |
|---|---|
| `1,2` | 3 |
"""


@pytest.mark.slow
def test_asking(user: Optimize, loopback: Loopback, hold: Callable[[str, str], None]) -> None:
    user.configure(loopback.config().replace("cache_seconds = 0", "cache_seconds = 86400"))
    loopback.queue("ollama", ANSWER, Reply(text=MARKDOWN), *[Reply(text="I see no need.")] * 2)
    loopback.queue("groq", *[Reply(text="Nor do I.")] * 2)
    shown = session(
        user,
        "'explain total'",
        "'explain total' -v",
        "route 'explain total'",
        "route 'refactor parse_response' --explain --max-tier budget",
        "'explain total' --dry-run --max-tier budget",
        f"'{REQUEST}' --yes --max-tier free",
    )
    loopback.answer("ollama", lambda _: refuse("ollama", 500, "out of memory"))
    shown += session(user, "'explain total' --tier local", "models list", "metrics", "consent", "'rename main to run'")
    hold("asking", shown)


@pytest.mark.slow
def test_changing(tested: Optimize, loopback: Loopback, calc: Path, hold: Callable[[str, str], None]) -> None:
    loopback.queue("ollama", Reply(calls=(GOOD,), stop="tool"), Reply(text=FAILS), Reply(calls=(GOOD,), stop="tool"))
    loopback.queue("groq", Reply(calls=(GOOD,), stop="tool"))
    shown = session(tested, f"'{REQUEST}' --tier local", "trust list", "trust grant tests", "trust list")
    shown += session(
        tested,
        f"'{REQUEST}' --yes",
        "log",
        "show",
        "verify --explain",
        "verify",
        "undo",
        "undo",
        "redo",
        "log",
        "metrics",
        "budget",
        "trust revoke",
    )
    (calc / "calc/parse.py").write_text("def total(text)\n")
    shown += session(tested, "verify", "undo", "undo --merge")
    assert GOOD_LINE not in (calc / "calc/parse.py").read_text()
    hold("changing", shown)


# ── settings ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_settings(user: Optimize, hold: Callable[[str, str], None]) -> None:
    held = user.config.read_text()
    shown = session(
        user,
        "config show",
        "config show context --origin",
        "config path",
        "config validate",
        "profile list",
        "profile create mine --extends code --family qwen --set context.max_files=4",
        "profile use mine",
        "config show context --origin",
        "profile export mine",
        "profile validate",
        "profile delete mine",
        "profile use none",
        "profile delete mine",
        "budget set day 2.5",
        "budget set ask off",
        "consent revoke groq",
        "consent grant groq",
        "models use claude-haiku-5-5",
        "models unlock",
        "models unlock",
    )
    user.config.write_text(held + "\n[context]\nmax_file = 3\n")
    shown += session(user, "config validate", "config show")
    hold("settings", shown)


@pytest.mark.slow
def test_models(user: Optimize, loopback: Loopback, hold: Callable[[str, str], None]) -> None:
    loopback.pulls["qwen2.5-coder:3b"] = [{"status": "pulling manifest"}, {"status": "success"}]
    hold(
        "models",
        session(
            user,
            "models pull qwen2.5-coder:3b",
            "models pull qwen2.5-codr:7b",
            "models show qwen2.5-coder:7b",
            "models limits claude-haiku-5-5",
            "models limits my-own:7b",
            "models status",
            "models rm qwen2.5-coder:7b",
            "models rm qwen2.5-coder:8b --yes",
            "models rm qwen2.5-coder:7b --yes",
        ),
    )
