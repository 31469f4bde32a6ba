"""Patches written to the repository all or nothing, with a journal to undo them and to recover from a crash.

Policy: a link that stays within the repository is followed to its target; a file with several hard links is refused,
since replacing it would part it from its twins; a read-only file or directory is an error, never made writable.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from optimizer.edits import bounds as journal_bounds
from optimizer.edits import folder as folders
from optimizer.edits import journal as journals
from optimizer.edits import paths, steps
from optimizer.edits.bounds import Bounds
from optimizer.edits.journal import Entry, Kept, Record, entries
from optimizer.edits.land import land
from optimizer.edits.recover import recover, recover_locked
from optimizer.edits.undo import Merge, Restored, redo, undo
from optimizer.errors import Conflict, SafetyRefused, StorageError
from optimizer.types import FileChange, Patch

__all__ = ["Bounds", "Entry", "Merge", "Restored", "entries", "recover", "redo", "undo", "write"]

DEFAULT_BOUNDS = Bounds()


def write(
    root: Path,
    patch: Patch,
    journal: Path,
    label: str,
    *,
    request: str = "",
    bounds: Bounds = DEFAULT_BOUNDS,
) -> str:
    """Write all changes of `patch` under `root`, or none; returns the id of the journal entry.

    `journal` is a directory for all repositories' entries, outside of them; `label` says what the write was for, and
    `request` is its id in the ledger. Older entries beyond the `bounds` are forgotten afterwards.
    Raises Conflict when a file is not as the patch expects or another process is writing, SafetyRefused for paths that
    are never touched, StorageError when disk or permissions are in the way. After any of them, and after an interrupt,
    all files are as they were.
    """
    if not patch.changes:
        raise Conflict("there is nothing to write")
    with steps.writing(root, journal) as (base, place):
        recover_locked(base, place)
        files = tuple(_planned(base, change) for change in patch.changes)
        if len({kept.path for kept in files}) != len(files):
            raise SafetyRefused("two of the paths lead to the same file")
        record = Record(
            id=journals.next_id(place),
            label=label,
            at=journals.now(),
            files=files,
            made=steps.missing(base, files),
            over=tuple(number for number, state, _ in journals.listing(place) if state == "undone"),
            request=request,
        )
        try:
            journals.add(place, base, record)
        except BaseException:
            journals.drop(place, record.id)
            raise
        land(steps.landing(base, record, back=False), steps.entered(place, record.id, "begun", "done", None))
        with contextlib.suppress(OSError):
            journal_bounds.prune(journal, place, bounds)
        return record.id


def _planned(base: str, change: FileChange) -> Kept:
    real = paths.resolve(Path(base), change.path)
    relative = real.relative_to(base).as_posix()
    parent, _, name = relative.rpartition("/")
    seen = None
    with contextlib.suppress(FileNotFoundError), folders.opened(base, parent) as folder:
        seen = folders.read(folder, name)
        if seen and not folders.writable(folder, name):
            raise StorageError(f"{change.path} is read-only", "nothing was changed; make it writable if you mean it")
    if (None if seen is None else seen.data) != change.before:
        raise Conflict(f"{change.path} has changed since it was read: nothing was written", "ask again")
    if seen and seen.links > 1:
        raise SafetyRefused(
            f"{change.path} has {seen.links} names (hard links): replacing it would part it from the others",
            "edit it yourself, in place",
        )
    return Kept(relative, change.before, change.after, seen.mode if seen else None)
