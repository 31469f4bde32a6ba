"""How much the journal keeps: the oldest finished entries go first, the newest of every repository stays."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from optimizer.edits import journal as journals
from optimizer.errors import Conflict

DAY = 86_400
MAX_ENTRIES = 2_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """What all repositories' entries together may take, and how old one may become."""

    max_bytes: int = 200_000_000
    max_days: int = 90
    max_entries: int = MAX_ENTRIES


@dataclass(frozen=True, slots=True)
class _Finished:
    """A finished entry of one repository that may go; `at` is in seconds since 1970."""

    at: float
    place: Path
    number: str
    size: int


def prune(journal: Path, held: Path, bounds: Bounds) -> None:
    """Forget the oldest finished entries beyond the bounds.

    The newest entry of every repository stays, and whatever is under way. `held` is the repository whose lock the
    caller holds; others that are being written just now are passed over.
    """
    total = count = 0
    found: list[_Finished] = []
    for place in journal.iterdir():
        listed = journals.listing(place) if place.is_dir() else []
        count += len(listed)
        newest = max((number for number, _, _ in listed), default="")
        for number, state, size in listed:
            taken = size + _size_of_first(place, number)
            total += taken
            if number != newest and state not in journals.UNDER_WAY:
                with contextlib.suppress(FileNotFoundError):
                    at = (place / f"{number}.{state}").stat().st_mtime
                    found.append(_Finished(at, place, number, taken))
    oldest = time.time() - bounds.max_days * DAY
    for one in sorted(found, key=lambda one: (one.at, one.number)):
        if total <= bounds.max_bytes and count <= bounds.max_entries and one.at >= oldest:
            break
        with contextlib.suppress(Conflict), _locked(one.place, held):
            _forget(one)
            total -= one.size
            count -= 1


def _size_of_first(place: Path, number: str) -> int:
    try:
        return (place / f"{number}.{journals.FIRST}").stat().st_size
    except FileNotFoundError:
        return 0


@contextlib.contextmanager
def _locked(place: Path, held: Path) -> Iterator[None]:
    if place == held:
        yield
    else:
        with journals.locked(place):
            yield


def _forget(one: _Finished) -> None:
    """Remove an entry unless it is under way by now."""
    for number, state, _ in journals.listing(one.place):
        if number == one.number and state not in journals.UNDER_WAY:
            journals.drop(one.place, number)
