"""Which commands may run to check which repository: remembered answers, in one private file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from optimizer.errors import StorageError
from optimizer.privacy import private_file
from optimizer.privacy.identity import UNKNOWN, Identity, Look, is_same, packed, unpacked

FILE = "trust.json"
UNCONFINED = "(unconfined)"
"""In place of a command: that commands may run where nothing confines them."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer for one repository (its path) and the exact text of one command; `at` is UTC.

    `content` is a digest of what the command runs, `identity` what was known of the repository then.
    """

    repository: str
    command: str
    allowed: bool
    at: str
    content: str = ""
    identity: Identity | None = UNKNOWN


def decision(state: Path, repository: str, command: str, content: str = "", look: Look = Identity) -> bool | None:
    """Whether the command may run there; None without an answer for what it runs now.

    An answer from before the first commit learns of it. Raises StorageError when the file is damaged.
    """
    found = [one for one in decisions(state) if _same(one, repository, command) and one.content == content]
    holds = [one for one in found if is_same(one.identity, look())]
    if not holds:
        return None
    if look().roots and holds[0].identity == Identity(mark=look().mark):
        decide(state, repository, command, holds[0].allowed, content, look)
    return holds[0].allowed


def decide(state: Path, repository: str, command: str, allowed: bool, content: str = "", look: Look = Identity) -> None:
    """Remember an answer in place of any earlier one for the same command, what it runs, and path."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    fresh = Decision(repository, command, allowed, at, content, look())

    def kept(old: tuple[Decision, ...]) -> Iterator[Decision]:
        for one in old:
            if not _same(one, repository, command) or (one.content != content and one.identity is not None):
                yield one

    _change(state, lambda old: (*kept(old), fresh))


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
        found = tuple(_read(row) for row in rows)
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


def _read(row: Mapping[str, Any]) -> Decision:
    answer = row["repository"], row["command"], row["allowed"], row["at"]
    return Decision(*answer, row.get("content", ""), unpacked(row))


def _row(one: Decision) -> dict[str, Any]:
    answer = {"repository": one.repository, "command": one.command, "allowed": one.allowed, "at": one.at}
    return {**answer, "content": one.content, **packed(one.identity)}


def _same(one: Decision, repository: str, command: str) -> bool:
    return (one.repository, one.command) == (repository, command)


def _change(state: Path, change: Callable[[tuple[Decision, ...]], tuple[Decision, ...]]) -> tuple[Decision, ...]:
    try:
        with private_file.alone(state / FILE):
            new = change(decisions(state))
            text = json.dumps({"version": 2, "decisions": [_row(one) for one in new]}, indent=1)
            private_file.replace(state / FILE, text + "\n")
    except OSError as error:
        raise StorageError(f"trust cannot be recorded ({error.strerror})", f"check {state}") from None
    return new
