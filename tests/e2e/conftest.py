"""The installed command, run as a subprocess in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from optimizer.git.identity import identify
from optimizer.privacy.consent import grant
from tests.conftest import git
from tests.e2e.preloaded import CAN, READ_AT_START, Preloaded
from tests.loopback.replies import Call
from tests.loopback.server import Loopback

COMMAND = Path(sys.executable).with_name("optimize")


@dataclass(frozen=True)
class Ran:
    """What a run printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON lines of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    def event(self, name: str) -> dict[str, Any]:
        """The last event of that name."""
        return next(event for event in reversed(self.events) if event["event"] == name)

    def notices(self, kind: str) -> list[str]:
        """The texts of the notices of that kind."""
        return [event["text"] for event in self.events if event["event"] == "notice" and event["kind"] == kind]


@dataclass(frozen=True)
class Optimize:
    """A user: a home, an environment, and a working directory."""

    home: Path
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)
    seconds: float = 60
    preloaded: Preloaded | None = None

    @property
    def config(self) -> Path:
        return self.home / ".config/optimizer/config.toml"

    def configure(self, text: str) -> None:
        """Write the user's configuration."""
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text)

    def environment(self) -> dict[str, str]:
        """A bare environment: nothing of the machine but PATH."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", **self.env}

    def __call__(self, *arguments: str, stdin: str | None = None, cwd: Path | None = None) -> Ran:
        where, env = cwd or self.cwd, self.environment()
        if self.preloaded is None or any(name.startswith(READ_AT_START) for name in env):
            done = subprocess.run(
                [COMMAND, *arguments],
                cwd=where,
                env=env,
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                timeout=self.seconds,
                check=False,
            )
        else:
            done = self.preloaded.run(arguments, cwd=where, env=env, stdin=stdin, seconds=self.seconds)
        ran = Ran(done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in ran.err, ran.err
        return ran


@pytest.fixture(scope="session")
def loaded(request: pytest.FixtureRequest) -> Iterator[Preloaded | None]:
    """What runs are forked from, where the system can do that and there are enough of them; use `preloaded`."""
    if not CAN or not request.config.getoption("--slow"):
        yield None
        return
    loaded = Preloaded(COMMAND)
    yield loaded
    loaded.close()


@pytest.fixture
def preloaded(loaded: Preloaded | None) -> Preloaded | None:
    """How the command is run; files whose tests look at the process itself give None: it is started by itself."""
    return loaded


@pytest.fixture
def stand_in(tmp_path: Path, preloaded: Preloaded | None) -> Callable[..., Optimize]:
    """A user in a directory with an empty home; environment variables by keyword."""

    def stand(cwd: Path, **env: str) -> Optimize:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        return Optimize(home, cwd, {"OLLAMA_HOST": "127.0.0.1:9", **env}, preloaded=preloaded)

    return stand


CALC: Mapping[str, str] = {
    "calc/__init__.py": "",
    "calc/parse.py": '''"""Read what people type."""


def parse_response(text):
    """Split `text` into numbers."""
    parts = text.split(",")
    return [int(part) for part in parts]


def total(text):
    return sum(parse_response(text))
''',
    "calc/cli.py": "from calc.parse import total\n\n\ndef main(line):\n    print(total(line))\n",
    "README.md": "# calc\n\nAdds numbers.\n",
}


@pytest.fixture
def calc(make_repo: Callable[[Mapping[str, str | bytes]], Path]) -> Path:
    """A small Python repository."""
    return make_repo(dict(CALC))


@pytest.fixture
def user(calc: Path, loopback: Loopback, stand_in: Callable[..., Optimize]) -> Optimize:
    """A user in `calc` with a local server, a free and two paid providers, all on loopback, and consent for all."""
    someone = stand_in(calc, GROQ_API_KEY="g-1", GEMINI_API_KEY="m-1", ANTHROPIC_API_KEY="a-1")
    del someone.env["OLLAMA_HOST"]
    someone.configure(loopback.config())
    loopback.served["ollama"] = ("qwen2.5-coder:7b",)
    for destination in ("groq", "gemini", "anthropic"):
        host = loopback.url.removeprefix("http://")
        state = someone.home / ".local/state/optimizer"
        grant(state, str(calc), destination, host, partial(identify, calc, state))
    return someone


REQUEST = "refactor parse_response to skip empty parts"
FAILS = """calc/parse.py
<<<<<<< SEARCH
    return [int(part) for part in parts]
=======
    return [int(part) for part in parts if not part.strip()]
>>>>>>> REPLACE
"""
LINE = CALC["calc/parse.py"].splitlines()[6]
GOOD_LINE = "    return [int(part) for part in parts if part.strip()]\n"
GOOD = Call("edit_file", {"path": "calc/parse.py", "start": 7, "end": 7, "content": GOOD_LINE})
TESTS = """from calc.parse import parse_response, total


def test_parts():
    assert parse_response("1,2") == [1, 2]


def test_total():
    assert total("1,2") == 3
"""


@pytest.fixture
def tested(user: Optimize, calc: Path) -> Optimize:
    """A user whose repository has tests, on a machine with pytest."""
    (calc / "tests").mkdir()
    (calc / "tests/test_parse.py").write_text(TESTS)
    git(calc, "add", "-A")
    git(calc, "commit", "-qm", "tests")
    programs = user.home / "bin"
    programs.mkdir()
    (programs / "pytest").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pytest "$@"\n')
    (programs / "pytest").chmod(0o755)
    user.env["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return user


def assert_landed_and_undone(user: Optimize, before: bytes) -> None:
    """The good edit is in the tree and nothing else of git has changed; it verifies, and is undone byte for byte."""
    path = user.cwd / "calc/parse.py"
    assert GOOD_LINE in path.read_text()
    assert git(user.cwd, "status", "--porcelain") == " M calc/parse.py\n"
    assert git(user.cwd, "stash", "list") == ""
    assert user("verify").code == 0
    assert user("undo").code == 0
    assert path.read_bytes() == before
    assert git(user.cwd, "status", "--porcelain") == ""
