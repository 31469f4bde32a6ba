"""Finish or take back what a crash left half done."""

from __future__ import annotations

import os
from pathlib import Path

from optimizer.edits import journal as journals
from optimizer.edits import steps
from optimizer.edits.journal import Kept, Record, State
from optimizer.edits.land import current, restore, sweep
from optimizer.errors import Conflict, SafetyRefused

_WHAT: dict[State, tuple[str, str, str]] = {
    "begun": ("write", "finished", "rolled back"),
    "undoing": ("undo", "taken back: the files are as written", "finished"),
    "redoing": ("redo", "finished", "taken back: the files are as before it"),
}
"""For a state: what was interrupted, what it came to when all files are as written, and when they are not."""


def recover(root: Path, journal: Path) -> str:
    """Finish or take back what a crash left half done; returns the line to show, '' when there was nothing or
    when another process is writing just now.

    Raises StorageError when disk or permissions are in the way; it may be called again.
    """
    base = os.path.realpath(root)
    place = journals.place_of(journal, base)
    under_way = any(state in journals.UNDER_WAY for _, state, _ in journals.listing(place))
    if not under_way and not any(place.glob("*.new")):
        return ""
    try:
        with steps.writing(root, journal) as (base, place):
            return recover_locked(base, place)
    except Conflict:
        return ""


def recover_locked(base: str, place: Path) -> str:
    """The same for who holds the lock."""
    lines = []
    for number, state, _ in reversed(journals.listing(place)):
        if state not in journals.UNDER_WAY:
            continue
        try:
            record = journals.load(place, number, state)
        except Conflict as error:
            journals.move(place, number, state, "damaged")
            lines.append(f"{error.message}; it is put aside")
            continue
        lines.append(_recover_one(base, place, record, state))
    for leftover in place.glob("*.new"):
        leftover.unlink(missing_ok=True)
    return "; ".join(lines)


def _recover_one(base: str, place: Path, record: Record, state: State) -> str:
    """What reached all its files is finished, anything else taken back; an undo the other way round."""
    landing = steps.landing(base, record, back=False)
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
        return current(base, kept.path) == kept.after
    except SafetyRefused:
        return False
