"""Consent to send a repository's code to a destination: explicit and remembered, in one private file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from optimizer.errors import StorageError
from optimizer.privacy import private_file
from optimizer.privacy.identity import UNKNOWN, Identity, Look, is_same, packed, unpacked

FILE = "consent.json"
_NAMES = ("repository", "destination", "host", "at")


@dataclass(frozen=True, slots=True)
class Grant:
    """Consent for one repository (its path), one destination (a provider's name) and one host; `at` is UTC.

    `identity` is what was known of the repository then.
    """

    repository: str
    destination: str
    host: str
    at: str
    identity: Identity | None = UNKNOWN

    @property
    def names(self) -> tuple[str, str, str, str]:
        """What it is for and when it was given, as recorded."""
        return self.repository, self.destination, self.host, self.at


def granted(state: Path, repository: str, destination: str, host: str, look: Look = Identity) -> bool:
    """Whether there is consent for exactly this, and for the repository that is there now.

    A grant from before the first commit learns of it. Raises StorageError when the file is damaged.
    """
    found = [one for one in grants(state) if _same(one, repository, destination, host)]
    holds = [one for one in found if is_same(one.identity, look())]
    if holds and look().roots and any(one.identity == Identity(mark=look().mark) for one in holds):
        grant(state, repository, destination, host, look)
    return bool(holds)


def grant(state: Path, repository: str, destination: str, host: str, look: Look = Identity) -> None:
    """Remember consent, in place of any that was for another repository at this path."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    fresh = Grant(repository, destination, host.lower(), at, look())

    def add(old: tuple[Grant, ...]) -> tuple[Grant, ...]:
        return (*(one for one in old if not _same(one, repository, destination, host)), fresh)

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
        found = tuple(_read(row) for row in rows)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise StorageError(f"the record of consent cannot be read ({error.strerror})", f"check {path}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise StorageError(
            "the record of consent is damaged: nothing is sent", f"remove {path} and grant again"
        ) from None
    if not all(isinstance(value, str) for one in found for value in one.names):
        raise StorageError("the record of consent is damaged: nothing is sent", f"remove {path} and grant again")
    return found


def _read(row: Mapping[str, Any]) -> Grant:
    return Grant(row["repository"], row["destination"], row["host"], row["at"], unpacked(row))


def _same(grant: Grant, repository: str, destination: str, host: str) -> bool:
    return (grant.repository, grant.destination, grant.host) == (repository, destination, host.lower())


def _change(state: Path, change: Callable[[tuple[Grant, ...]], tuple[Grant, ...]]) -> tuple[Grant, ...]:
    """Read, change and replace the file while no other process does."""
    try:
        with private_file.alone(state / FILE):
            new = change(grants(state))
            rows = [dict(zip(_NAMES, one.names, strict=True)) | packed(one.identity) for one in new]
            text = json.dumps({"version": 2, "grants": rows}, indent=1)
            private_file.replace(state / FILE, text + "\n")
    except OSError as error:
        raise StorageError(f"consent cannot be recorded ({error.strerror})", f"check {state}") from None
    return new
