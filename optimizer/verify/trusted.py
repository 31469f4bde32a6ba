"""Which commands may run: the user's answer for a command, what it runs, and the repository."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from optimizer import programs
from optimizer.index.regular import read_regular
from optimizer.privacy import trust
from optimizer.types import Patch

if TYPE_CHECKING:
    from optimizer.index.files import Root
    from optimizer.privacy.identity import Look


class Command(Protocol):
    """What is asked about: `commands.Command`."""

    @property
    def text(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def argv(self) -> tuple[str, ...]: ...


class Means(Protocol):
    """Where it runs, and where answers are kept: `commands.Means`."""

    @property
    def root(self) -> Root: ...
    @property
    def state(self) -> Path: ...
    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def look(self) -> Look: ...


SCRIPTS = "package.json"
_RUNNERS = frozenset({"npm", "yarn", "pnpm", "bun"})
_WORD = re.compile(r"[\w:.-]+")


def allowed(command: Command, means: Means, patch: Patch | None = None) -> bool | None:
    """Whether a command may run, with a patch where there is one: configured ones always; others by the user's answer.

    None without an answer for what it runs now. Raises StorageError.
    """
    if command.source == "configured":
        return True
    return trust.decision(means.state, str(means.root.path), command.text, content(command, means, patch), means.look)


def decide(command: Command, means: Means, answer: bool, patch: Patch | None = None) -> None:
    """Remember an answer for a command and what it runs. Raises StorageError."""
    digest = content(command, means, patch)
    trust.decide(means.state, str(means.root.path), command.text, answer, digest, means.look)


def content(command: Command, means: Means, patch: Patch | None = None) -> str:
    """A digest of what a command runs: its program, and the scripts of package.json that it starts."""
    found = programs.find(command.argv[0], means.root.path, means.env) or ""
    runs = [command.text, found, *started(command, means, patch)]
    return hashlib.sha256(json.dumps(runs).encode("utf-8", "backslashreplace")).hexdigest()


def started(command: Command, means: Means, patch: Patch | None = None) -> Iterator[str]:
    """The scripts that a command of a package manager starts, each with its name, and those that they name."""
    if command.argv[0] not in _RUNNERS:
        return
    listed = _listed(means, patch)
    pending, seen = list(command.argv[1:]), set[str]()
    while pending:
        name = pending.pop()
        for one in (f"pre{name}", name, f"post{name}"):
            if one in listed and one not in seen:
                seen.add(one)
                yield f"{one}: {listed[one]}"
                pending += _WORD.findall(listed[one])


def _listed(means: Means, patch: Patch | None) -> dict[str, str]:
    changed = {change.path: change.after for change in patch.changes} if patch else {}
    data = changed[SCRIPTS] if SCRIPTS in changed else read_regular(means.root.path, SCRIPTS)
    try:
        scripts: Any = json.loads(data or b"{}")["scripts"]
        return {str(name): str(text) for name, text in scripts.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
