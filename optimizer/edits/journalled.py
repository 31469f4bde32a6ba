"""Writes under the repository's lock and in its journal, finished or rolled back after a crash."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from optimizer.edits import journal as journals
from optimizer.edits.folder import current
from optimizer.edits.journal import Kept, Record, State
from optimizer.edits.land import FileSwap, Landing, Transaction, restore, sweep
from optimizer.errors import Conflict, SafetyRefused, StorageError

_WHAT: dict[State, tuple[str, str, str]] = {
    "begun": ("write", "finished", "rolled back"),
    "undoing": ("undo", "rolled back: the files are as written", "finished"),
    "redoing": ("redo", "finished", "rolled back: the files are as before it"),
}
"""For each state: what was interrupted, and its end when all files are as written, and when they are not."""


@contextlib.contextmanager
def writing(root: Path, journal: Path) -> Iterator[tuple[str, Path]]:
    """Hold the lock of the repository at `root`; gives its real path and its directory in the journal.

    Raises Conflict when another process is writing, StorageError when the system refuses.
    """
    base = os.path.realpath(root)
    place = journals.place_of(journal, base)
    try:
        with journals.locked(place):
            yield base, place
    except OSError as error:
        what = f" {error.filename}" if error.filename else ""
        raise StorageError(
            f"cannot write{what}: {error.strerror or error}", "nothing was changed; check the disk and its permissions"
        ) from error


def landing_of(base: str, record: Record, *, back: bool) -> Landing:
    """The files of a write, or of its way back; a file keeps its mode unless it has to be created.

    A file that a merge left as it was, or that is gone already, is left out.
    """
    swaps = []
    for kept in record.files:
        old, new = (kept.after, kept.before) if back else (kept.before, kept.after)
        if old != new and not kept.gone:
            swaps.append(FileSwap(kept.path, old, new, kept.mode))
    return Landing(base, record.id, tuple(swaps), () if back else record.made)


def transaction(place: Path, number: str, begun: State, done: State, abandoned: State | None) -> Transaction:
    """The states of an entry from `begun` on; None deletes it when its landing fails."""

    def abandon() -> None:
        if abandoned is None:
            journals.drop(place, number)
        else:
            journals.move(place, number, begun, abandoned)

    return Transaction(
        commit=lambda: journals.move(place, number, begun, done),
        reopen=lambda: journals.reopen(place, number, begun),
        abandon=abandon,
    )


def missing(base: str, files: tuple[Kept, ...]) -> tuple[str, ...]:
    """The directories that a write has to create, outermost first."""
    found: dict[str, None] = {}
    for kept in files:
        parents = kept.path.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            directory = "/".join(parents[:depth])
            if kept.after is not None and not os.path.lexists(f"{base}/{directory}"):
                found[directory] = None
    return tuple(found)


# ── after a crash ──────────────────────────────────────────────────────────────────────────────────


def recover(root: Path, journal: Path) -> str:
    """Finish or roll back what a crash left half done; returns the line to show, '' when there was nothing or
    another process is writing.

    Raises StorageError when disk or permissions are in the way; it may be called again.
    """
    base = os.path.realpath(root)
    place = journals.place_of(journal, base)
    under_way = any(state in journals.IN_PROGRESS for _, state, _ in journals.listing(place))
    if not under_way and not any(place.glob("*.new")):
        return ""
    try:
        with writing(root, journal) as (base, place):
            return recover_locked(base, place)
    except Conflict:
        return ""


def recover_locked(base: str, place: Path) -> str:
    """The same for a caller that holds the lock."""
    lines = []
    for number, state, _ in reversed(journals.listing(place)):
        if state not in journals.IN_PROGRESS:
            continue
        try:
            record = journals.load(place, number, state)
        except Conflict as error:
            journals.move(place, number, state, "damaged")
            lines.append(f"{error.message}; it was set aside")
            continue
        lines.append(_recover_one(base, place, record, state))
    for leftover in place.glob("*.new"):
        leftover.unlink(missing_ok=True)
    return "; ".join(lines)


def _recover_one(base: str, place: Path, record: Record, state: State) -> str:
    """Finish a write that reached all its files, roll back any other; an undo the other way round."""
    landing = landing_of(base, record, back=False)
    what, whole, in_part = _WHAT[state]
    count = len(record.files)
    name = f"an interrupted {what} of {count} file{'s' if count != 1 else ''} ({record.label or record.id})"
    if all(_holds(base, kept) for kept in record.files):
        sweep(landing)
        journals.move(place, record.id, state, "done")
        return f"{name} was {whole}"
    foreign = restore(landing)
    journals.move(place, record.id, state, "undone")
    left = f"; left as they are, since they changed: {', '.join(foreign)}" if foreign else ""
    return f"{name} was {in_part}{left}"


def _holds(base: str, kept: Kept) -> bool:
    try:
        return kept.gone or current(base, kept.path) == kept.after
    except SafetyRefused:
        return False
