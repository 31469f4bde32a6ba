"""What writing, going back, going forth again and recovering have in common."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from optimizer.edits import journal as journals
from optimizer.edits.journal import Kept, Record, State
from optimizer.edits.land import Entered, Landing, Step
from optimizer.errors import StorageError


@contextlib.contextmanager
def writing(root: Path, journal: Path) -> Iterator[tuple[str, Path]]:
    """Hold the lock of the repository at `root`; gives its real path and its directory in the journal.

    Raises Conflict when another process is writing, StorageError for what the system refuses.
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


def landing(base: str, record: Record, *, back: bool) -> Landing:
    """The steps of a write, or of its way back; a file keeps its mode unless it has to be made anew.

    A file that a merge left as it was takes no step.
    """
    steps = []
    for kept in record.files:
        old, new = (kept.after, kept.before) if back else (kept.before, kept.after)
        if old != new:
            steps.append(Step(kept.path, old, new, kept.mode))
    return Landing(base, record.id, tuple(steps), () if back else record.made)


def entered(place: Path, number: str, begun: State, done: State, abandoned: State | None) -> Entered:
    """What becomes of an entry that is in the state `begun`; None forgets it when its landing fails."""

    def abandon() -> None:
        if abandoned is None:
            journals.drop(place, number)
        else:
            journals.move(place, number, begun, abandoned)

    return Entered(
        commit=lambda: journals.move(place, number, begun, done),
        reopen=lambda: journals.reopen(place, number, begun),
        abandon=abandon,
    )


def missing(base: str, files: tuple[Kept, ...]) -> tuple[str, ...]:
    """The directories that have to be made for the files that a write leaves, outermost first."""
    found: dict[str, None] = {}
    for kept in files:
        parents = kept.path.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            directory = "/".join(parents[:depth])
            if kept.after is not None and not os.path.lexists(f"{base}/{directory}"):
                found[directory] = None
    return tuple(found)
