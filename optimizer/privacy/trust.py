"""Which commands may run to check which repository: remembered answers, in one private file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from optimizer.errors import StorageError
from optimizer.privacy import private_file

FILE = "trust.json"
UNCONFINED = "(unconfined)"
"""In place of a command: that commands may run where nothing confines them."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer for one repository (its root) and the exact text of one command; `at` is UTC."""

    repository: str
    command: str
    allowed: bool
    at: str


def decision(state: Path, repository: str, command: str) -> bool | None:
    """Whether the command may run there; None without an answer. Raises StorageError when the file is damaged."""
    found = (one for one in decisions(state) if (one.repository, one.command) == (repository, command))
    return next((one.allowed for one in found), None)


def decide(state: Path, repository: str, command: str, allowed: bool) -> None:
    """Remember an answer in place of any earlier one for the same command and repository."""
    fresh = Decision(repository, command, allowed, datetime.now(UTC).isoformat(timespec="seconds"))
    _change(state, lambda old: (*(one for one in old if not _same(one, repository, command)), fresh))


def revoke(state: Path, repository: str, command: str = "") -> int:
    """Forget the answer for a command, or all of a repository if none is named; returns how many."""
    before = len(decisions(state))
    kept = _change(state, lambda old: tuple(one for one in old if not _same(one, repository, command or one.command)))
    return before - len(kept)


def decisions(state: Path) -> tuple[Decision, ...]:
    """All answers, oldest first. Raises StorageError when the file is damaged or cannot be read."""
    path = state / FILE
    damaged = StorageError("the record of trusted commands is damaged: none is run", f"remove {path} and grant again")
    try:
        rows = json.loads(path.read_bytes())["decisions"]
        found = tuple(Decision(row["repository"], row["command"], row["allowed"], row["at"]) for row in rows)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise StorageError(
            f"the record of trusted commands cannot be read ({error.strerror})", f"check {path}"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged from None
    if not all(isinstance(one.command, str) and isinstance(one.allowed, bool) for one in found):
        raise damaged
    return found


def _same(one: Decision, repository: str, command: str) -> bool:
    return (one.repository, one.command) == (repository, command)


def _change(state: Path, change: Callable[[tuple[Decision, ...]], tuple[Decision, ...]]) -> tuple[Decision, ...]:
    try:
        with private_file.alone(state / FILE):
            new = change(decisions(state))
            text = json.dumps({"version": 1, "decisions": [asdict(one) for one in new]}, indent=1)
            private_file.replace(state / FILE, text + "\n")
    except OSError as error:
        raise StorageError(f"trust cannot be recorded ({error.strerror})", f"check {state}") from None
    return new
