"""Consent to send a repository's code to a destination: explicit and remembered, in one private file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from optimizer.errors import StorageError
from optimizer.privacy import private_file

FILE = "consent.json"


@dataclass(frozen=True, slots=True)
class Grant:
    """Consent for one repository (its root), one destination (a provider's name) and one host; `at` is UTC."""

    repository: str
    destination: str
    host: str
    at: str


def granted(state: Path, repository: str, destination: str, host: str) -> bool:
    """Whether there is consent for exactly this; raises StorageError when the file is damaged."""
    return any(_same(grant, repository, destination, host) for grant in grants(state))


def grant(state: Path, repository: str, destination: str, host: str) -> None:
    """Remember consent; granting it twice changes nothing."""
    fresh = Grant(repository, destination, host.lower(), datetime.now(UTC).isoformat(timespec="seconds"))

    def add(old: tuple[Grant, ...]) -> tuple[Grant, ...]:
        return old if any(_same(one, repository, destination, host) for one in old) else (*old, fresh)

    _change(state, add)


def revoke(state: Path, repository: str, destination: str, host: str = "") -> int:
    """Revoke consent for a host, or for all hosts of the destination if none is named; returns how many."""
    before = len(grants(state))

    def drop(old: tuple[Grant, ...]) -> tuple[Grant, ...]:
        return tuple(one for one in old if not _same(one, repository, destination, host or one.host))

    return before - len(_change(state, drop))


def grants(state: Path) -> tuple[Grant, ...]:
    """All consents, oldest first; raises StorageError when the file is damaged or cannot be read."""
    path = state / FILE
    try:
        data = json.loads(path.read_bytes())
        rows = data["grants"]
        found = tuple(Grant(row["repository"], row["destination"], row["host"], row["at"]) for row in rows)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise StorageError(f"the record of consent cannot be read ({error.strerror})", f"check {path}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise StorageError(
            "the record of consent is damaged: nothing is sent", f"remove {path} and grant again"
        ) from None
    if not all(isinstance(value, str) for one in found for value in asdict(one).values()):
        raise StorageError("the record of consent is damaged: nothing is sent", f"remove {path} and grant again")
    return found


def _same(grant: Grant, repository: str, destination: str, host: str) -> bool:
    return (grant.repository, grant.destination, grant.host) == (repository, destination, host.lower())


def _change(state: Path, change: Callable[[tuple[Grant, ...]], tuple[Grant, ...]]) -> tuple[Grant, ...]:
    """Read, change and replace the file while no other process does."""
    try:
        with private_file.alone(state / FILE):
            new = change(grants(state))
            text = json.dumps({"version": 1, "grants": [asdict(one) for one in new]}, indent=1)
            private_file.replace(state / FILE, text + "\n")
    except OSError as error:
        raise StorageError(f"consent cannot be recorded ({error.strerror})", f"check {state}") from None
    return new
