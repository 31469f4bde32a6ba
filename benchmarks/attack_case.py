"""One attack on what may be read: the repository it is laid out in, and whether the canary leaves the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.loopback.replies import Call, Reply
from tests.loopback.server import Loopback, Received

CANARY = "CANARY_8731"
MINE = f"def private_notes():\n    return '{CANARY}'\n"
CALC = {
    "calc.py": "def add(a, b):\n    return a + b\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    "pytest.ini": "[pytest]\n",
}
ASKED = "explain private_notes"
ANOTHER = 12_345
ANSWERS = "private_notes returns a text and add adds both numbers, calc.py:2."

Answer = Callable[[Received], Reply]


@dataclass
class Case:
    """One try: a repository, a home, and the question; `held` leaves out what should hold the attack when False."""

    base: Path
    held: bool
    env: dict[str, str] = field(default_factory=dict)
    request: tuple[str, ...] = (ASKED,)
    answer: Answer = lambda _: Reply(text=ANSWERS)
    start: Path | None = None
    sign: str = CANARY
    quick: bool = False

    @property
    def root(self) -> Path:
        return self.base / "repo"

    @property
    def home(self) -> Path:
        return self.base / "home"

    def git(self, *arguments: str, at: Path | None = None) -> None:
        subprocess.run(
            ["git", *arguments], cwd=at or self.root, check=True, capture_output=True, env=self.environment()
        )

    def environment(self) -> dict[str, str]:
        names = {name: self.env.get(name, os.environ.get(name, "")) for name in ("PATH", "LANG")}
        keys = {"GROQ_API_KEY": "k-groq-1", "OPTIMIZER_HOME": str(self.base / "own")}
        return {**names, "HOME": str(self.home), "NO_COLOR": "1", **keys, **self.env}

    def put(self, path: str, text: str = "", at: Path | None = None) -> Path:
        place = (at or self.root) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def commit(self, **files: str) -> None:
        """A repository of CALC and some files by their names, `__` for a slash and `_DOT_` for a dot."""
        self.root.mkdir(exist_ok=True)
        self.git("init", "-q", "-b", "main")
        for name, text in {**CALC, **files}.items():
            self.put(name.replace("__", "/").replace("_DOT_", "."), text)
        self.git("add", "-Af")
        self.git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x")

    def untracked(self) -> None:
        self.commit()
        self.put("notes.py", MINE)

    def give_away(self, *places: Path) -> None:
        for top in places:
            for place in (top, *top.rglob("*")):
                os.chown(place, ANOTHER, ANOTHER, follow_symlinks=False)


def called(*calls: tuple[str, Mapping[str, object]]) -> Answer:
    """First these calls of tools, then an answer."""

    def answer(received: Received) -> Reply:
        first = not any(one.get("role") == "assistant" for one in received.body.get("messages") or [])
        return Reply(calls=tuple(Call(name, dict(given)) for name, given in calls)) if first else Reply(text=ANSWERS)

    return answer


def left(case: Case, program: str) -> tuple[bool, float]:
    """Whether the sign of a case left the machine, and the seconds that the command took."""
    server = Loopback()
    sent: list[str] = []

    def take(received: Received) -> Reply:
        sent.append(received.raw.decode("utf-8", "replace"))
        return case.answer(received)

    server.answer("groq", take)
    start = case.start or case.root
    settings = case.put("own/config/config.toml", server.config(), case.base)
    words = [program, *case.request, "--provider", "groq"]
    try:
        grants = (("consent", "grant", "groq"), ("trust", "grant", "tests"))
        for granting in grants if "tests" in case.request[0] else grants[:1]:
            _run([program, *granting], start, {**case.environment(), **case.env})
        began = time.monotonic()
        _run(words, start, case.environment())
        seconds = time.monotonic() - began
    finally:
        server.close()
        settings.unlink()
    return any(re.search(rf"\b{case.sign}\b", one) for one in sent), seconds


def _run(words: list[str], at: Path, env: Mapping[str, str]) -> None:
    try:
        subprocess.run(words, cwd=at, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=180, check=False)
    except subprocess.TimeoutExpired:
        print(f"  (longer than 180 s: {' '.join(words[1:])})")


def tried(lay: Callable[[Case], None], held: bool, program: str) -> tuple[bool, float, bool]:
    base = Path(tempfile.mkdtemp(prefix="attack-"))
    base.chmod(0o755)
    try:
        case = Case(base, held)
        case.home.mkdir()
        lay(case)
        return *left(case, program), case.quick
    finally:
        shutil.rmtree(base)
