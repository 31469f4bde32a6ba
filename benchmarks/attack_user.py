"""A user who is attacked: a home, repositories, vendors on loopback; and how attacks are listed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

OPTIMIZE = Path(sys.executable).with_name("optimize")
KEY = "sk-test-key-of-the-benchmark-0001"
CALC = {"calc.py": "def add(a, b):\n    return a + b\n", "test_calc.py": "def test_add():\n    assert True\n"}
ASK = "explain what add is for"


class Tried(NamedTuple):
    """Whether an attack succeeded, and whether its control got through."""

    succeeded: bool
    control: bool


class Bench:
    """A user with a home, repositories below it, and vendors on loopback."""

    def __init__(self) -> None:
        self.base = Path(os.path.realpath(tempfile.mkdtemp(prefix="identity-")))
        self.home = self.base / "home"
        self.home.mkdir()
        self.vendors = Loopback()
        for wire in ("anthropic", "groq", "openai", "ollama"):
            self.vendors.answer(wire, lambda _: Reply("It adds, calc.py:1.", tokens=Tokens(900, 9)))  # type: ignore[arg-type]
        self.vendors.served["openai"] = ("some-model",)
        self.configure()

    def configure(self, text: str = "") -> None:
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text + self.vendors.config())

    @property
    def config(self) -> Path:
        return self.home / ".config/optimizer/config.toml"

    def close(self) -> None:
        self.vendors.close()
        shutil.rmtree(self.base, ignore_errors=True)

    def env(self, **more: str) -> dict[str, str]:
        path = f"{OPTIMIZE.parent}{os.pathsep}{os.environ['PATH']}"
        git = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        keys = dict.fromkeys(("ANTHROPIC_API_KEY", "GROQ_API_KEY"), KEY)
        return {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8", **git, **keys, **more}

    def sh(self, cwd: Path, *words: str, **more: str) -> str:
        done = subprocess.run(words, cwd=cwd, env=self.env(**more), capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def repo(self, files: Mapping[str, str] = CALC, name: str = "", commits: bool = True) -> Path:
        root = self.base / (name or f"r{len(list(self.base.iterdir()))}")
        root.mkdir()
        self.sh(root, "git", "init", "-q", "-b", "main")
        for path, text in files.items():
            (root / path).write_text(text)
        if commits:
            self.commit(root)
        return root

    def commit(self, root: Path) -> None:
        self.sh(root, "git", "add", "-A")
        self.sh(root, "git", "commit", "-qm", "x")

    def run(self, cwd: Path, *arguments: str, **env: str) -> str:
        return self.sh(cwd, str(OPTIMIZE), *arguments, **env)

    def sent(self, cwd: Path, wire: str, *options: str, **env: str) -> bool:
        """Whether a request got code to a vendor."""
        before = len(self.vendors.requests)
        self.run(cwd, ASK, *options, **env)
        return any(one.wire == wire and b"return a + b" in one.raw for one in self.vendors.requests[before:])

    def setting(self, cwd: Path, key: str) -> object:
        found = self.sh(cwd, str(OPTIMIZE), "config", "show", key, "--json").splitlines()
        rows = [json.loads(line) for line in found if line.startswith("{")]
        return rows[0]["settings"][key]

    def allowed(self, cwd: Path, **env: str) -> bool:
        return '"allowed": true' in self.run(cwd, "trust", "list", "--json", **env)


Attack = Callable[[Bench], Tried]


class Attacks(dict[str, Attack]):
    """Attacks by their names."""

    def add(self, function: Attack) -> Attack:
        """List an attack under the name of its function."""
        self[function.__name__] = function
        return function


def program(folder: Path, name: str, text: str) -> Path:
    """A script of this name in a folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return folder / name
