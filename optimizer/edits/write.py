"""Patches written to the repository all or nothing, with a journal to undo them and to recover from a crash.

Policy: a link that stays within the repository is followed to its target; a file with several hard links is refused,
since replacing it would part it from its twins; a read-only file or directory is an error, never made writable.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from optimizer.edits import folder as folders
from optimizer.edits import journal as journals
from optimizer.edits import paths
from optimizer.edits.journal import Entry, Kept, Record
from optimizer.edits.land import Entered, Landing, Step, current, land, remove_empty, restore, sweep
from optimizer.errors import Conflict, SafetyRefused, StorageError
from optimizer.types import FileChange, Patch

__all__ = ["Entry", "Restored", "entries", "recover", "undo", "write"]

entries = journals.entries


@dataclass(frozen=True, slots=True)
class Restored:
    """A file that an undo brought back, `what` telling how."""

    entry: str
    path: str
    what: Literal["restored", "removed", "recreated"]


def write(root: Path, patch: Patch, journal: Path, label: str) -> str:
    """Write all changes of `patch` under `root`, or none; returns the id of the journal entry.

    `journal` is a directory for all repositories' entries, outside of them; `label` says what the write was for.
    Raises Conflict when a file is not as the patch expects or another process is writing, SafetyRefused for paths that
    are never touched, StorageError when disk or permissions are in the way. After any of them, and after an interrupt,
    all files are as they were.
    """
    if not patch.changes:
        raise Conflict("there is nothing to write")
    with _writing(root, journal) as (base, place):
        _recover(base, place)
        files = tuple(_planned(base, change) for change in patch.changes)
        if len({kept.path for kept in files}) != len(files):
            raise SafetyRefused("two of the paths lead to the same file")
        record = Record(journals.next_id(place), label, journals.now(), files, _missing(base, files))
        try:
            journals.add(place, base, record)
        except BaseException:
            journals.drop(place, record.id)
            raise
        entered = Entered(
            commit=lambda: journals.move(place, record.id, "begun", "done"),
            reopen=lambda: journals.reopen(place, record.id, "begun"),
            abandon=lambda: journals.drop(place, record.id),
        )
        land(_landing(base, record, back=False), entered)
        with contextlib.suppress(OSError):
            journals.prune(place)
        return record.id


def undo(root: Path, journal: Path, count: int = 1) -> tuple[Restored, ...]:
    """Take back the last `count` writes that are not undone yet, newest first; () when there are none.

    Restores bytes, files and modes. Raises Conflict, before anything is restored, when a file is not what was written
    or the journal is damaged; SafetyRefused and StorageError as `write` does.
    """
    with _writing(root, journal) as (base, place):
        _recover(base, place)
        done = [number for number, state, _ in reversed(journals.listing(place)) if state == "done"][:count]
        records = [journals.load(place, number, "done") for number in done]
        _check_unchanged(base, records)
        restored: list[Restored] = []
        for record in records:
            _undo(base, place, record)
            restored.extend(_told(record.id, kept) for kept in record.files)
        return tuple(restored)


def recover(root: Path, journal: Path) -> str:
    """Finish or take back what a crash left half done; returns the line to show, '' when there was nothing or
    when another process is writing just now.

    Raises StorageError when disk or permissions are in the way; it may be called again.
    """
    base = os.path.realpath(root)
    place = journals.place_of(journal, base)
    under_way = any(state in ("begun", "undoing") for _, state, _ in journals.listing(place))
    if not under_way and not any(place.glob("*.new")):
        return ""
    try:
        with _writing(root, journal) as (base, place):
            return _recover(base, place)
    except Conflict:
        return ""


@contextlib.contextmanager
def _writing(root: Path, journal: Path) -> Iterator[tuple[str, Path]]:
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
        raise Conflict(f"{change.path} has changed since it was read", "look at it, then ask again")
    if seen and seen.links > 1:
        raise SafetyRefused(f"{change.path} has {seen.links} hard links: it is not edited", "edit it yourself")
    return Kept(relative, change.before, change.after, seen.mode if seen else None)


def _missing(base: str, files: tuple[Kept, ...]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for kept in files:
        parents = kept.path.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            directory = "/".join(parents[:depth])
            if kept.after is not None and not os.path.lexists(f"{base}/{directory}"):
                found[directory] = None
    return tuple(found)


def _landing(base: str, record: Record, *, back: bool) -> Landing:
    """The steps of a write, or of its way back; a file keeps its mode unless it has to be made anew."""
    steps = []
    for kept in record.files:
        old, new = (kept.after, kept.before) if back else (kept.before, kept.after)
        steps.append(Step(kept.path, old, new, kept.mode))
    return Landing(base, record.id, tuple(steps), () if back else record.made)


def _check_unchanged(base: str, records: list[Record]) -> None:
    expected: dict[str, bytes | None] = {}
    for record in records:
        for kept in record.files:
            if kept.path not in expected:
                paths.resolve(Path(base), kept.path)
                expected[kept.path] = current(base, kept.path)
            if expected[kept.path] != kept.after:
                raise Conflict(
                    f"{kept.path} has changed since it was written (entry {record.id}): nothing was restored",
                    "save your version elsewhere, or restore by hand",
                )
            expected[kept.path] = kept.before


def _undo(base: str, place: Path, record: Record) -> None:
    journals.move(place, record.id, "done", "undoing")
    entered = Entered(
        commit=lambda: journals.move(place, record.id, "undoing", "undone"),
        reopen=lambda: journals.reopen(place, record.id, "undoing"),
        abandon=lambda: journals.move(place, record.id, "undoing", "done"),
    )
    land(_landing(base, record, back=True), entered)
    remove_empty(base, reversed(record.made))


def _told(number: str, kept: Kept) -> Restored:
    if kept.before is None:
        return Restored(number, kept.path, "removed")
    return Restored(number, kept.path, "recreated" if kept.after is None else "restored")


def _recover(base: str, place: Path) -> str:
    lines = []
    for number, state, _ in reversed(journals.listing(place)):
        if state not in ("begun", "undoing"):
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


def _recover_one(base: str, place: Path, record: Record, state: Literal["begun", "undoing"]) -> str:
    """A write that reached all its files is finished, any other taken back; an undo likewise."""
    landing = _landing(base, record, back=False)
    write_or_undo = "write" if state == "begun" else "undo"
    name = f"an interrupted {write_or_undo} of {len(record.files)} file(s) ({record.label or record.id})"
    if all(_holds(base, kept) for kept in record.files):
        sweep(landing)
        journals.move(place, record.id, state, "done")
        return f"{name} was {'finished' if state == 'begun' else 'taken back: the files are as written'}"
    foreign = restore(landing)
    journals.move(place, record.id, state, "undone")
    left = f"; left as they are, since they changed: {', '.join(foreign)}" if foreign else ""
    return f"{name} was {'rolled back' if state == 'begun' else 'finished'}{left}"


def _holds(base: str, kept: Kept) -> bool:
    try:
        return current(base, kept.path) == kept.after
    except SafetyRefused:
        return False
