"""Write patches to the repository, all or nothing; undo and redo them.

A journal holds what it takes to undo them and to recover from a crash. A link that stays within the repository is
followed to its target; a file with several hard links is refused, since replacing it would separate it from them; a
read-only file or directory is an error, never made writable.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from optimizer.edits import journal as journals
from optimizer.edits import paths
from optimizer.edits.folder import current, opened, read, remove_empty, writable
from optimizer.edits.journal import JournalBounds, Kept, Record
from optimizer.edits.journalled import landing_of, missing, recover_locked, transaction, writing
from optimizer.edits.land import land
from optimizer.errors import Conflict, SafetyRefused, StorageError
from optimizer.types import FileChange, Patch

DEFAULT_BOUNDS = JournalBounds()
Merge = Callable[[bytes, bytes, bytes], bytes | None]
"""From the bytes that were left, those there now and those wanted to all changes together; None where they collide."""

DELETED = "deleted since"
What = Literal["restored", "rewritten", "removed", "recreated", "merged", "unchanged"]


def write(
    root: Path,
    patch: Patch,
    journal: Path,
    label: str,
    *,
    request: str = "",
    bounds: JournalBounds = DEFAULT_BOUNDS,
) -> str:
    """Write all changes of `patch` under `root`, or none; returns the id of the journal entry.

    `journal` is a directory for all repositories' entries, outside of them; `label` describes the write, and `request`
    is its id in the ledger. Older entries beyond the `bounds` are deleted afterwards.
    Raises Conflict when a file is not as the patch expects or another process is writing, SafetyRefused for paths that
    are never touched, StorageError when disk or permissions are in the way. After any of them, and after an interrupt,
    all files are as they were.
    """
    if not patch.changes:
        raise Conflict("there is nothing to write")
    with writing(root, journal) as (base, place):
        recover_locked(base, place)
        files = tuple(_planned(base, change) for change in patch.changes)
        if len({kept.path for kept in files}) != len(files):
            raise SafetyRefused("two of the paths lead to the same file")
        record = Record(
            id=journals.next_id(place),
            label=label,
            at=journals.now(),
            files=files,
            made=missing(base, files),
            over=tuple(number for number, state, _ in journals.listing(place) if state == "undone"),
            request=request,
        )
        try:
            journals.add(place, base, record)
        except BaseException:
            journals.drop(place, record.id)
            raise
        land(
            landing_of(base, record, back=False),
            transaction(place, record.id, "begun", "done", None),
        )
        with contextlib.suppress(OSError):
            journals.prune(journal, place, bounds)
        return record.id


def _planned(base: str, change: FileChange) -> Kept:
    real = paths.resolve(Path(base), change.path)
    relative = real.relative_to(base).as_posix()
    parent, _, name = relative.rpartition("/")
    seen = None
    with contextlib.suppress(FileNotFoundError), opened(base, parent) as folder:
        seen = read(folder, name)
        if seen and not writable(folder, name):
            raise StorageError(f"{change.path} is read-only", "nothing was changed; make it writable if you mean it")
    if (None if seen is None else seen.data) != change.before:
        raise Conflict(f"{change.path} has changed since it was read: nothing was written", "ask again")
    if seen and seen.links > 1:
        raise SafetyRefused(
            f"{change.path} has {seen.links} names (hard links): replacing it would separate it from the others",
            "edit it yourself, in place",
        )
    return Kept(relative, change.before, change.after, seen.mode if seen else None)


# ── back and forth ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Restored:
    """A file that an undo or redo changed, and how; `request` is the id of the write in the ledger."""

    entry: str
    path: str
    what: What
    request: str = ""


@dataclass(frozen=True, slots=True)
class _Way:
    """The direction: an undo goes `back`, a redo does not."""

    back: bool

    def sides(self, kept: Kept) -> tuple[bytes | None, bytes | None]:
        """What the file should hold now, and what it should hold afterwards."""
        return (kept.after, kept.before) if self.back else (kept.before, kept.after)

    def kept(self, kept: Kept, now: bytes | None, then: bytes | None) -> Kept:
        """The same file for an entry that leads from `now` to `then`."""
        if now is None and then is None:
            return replace(kept, gone=True)
        before, after = (then, now) if self.back else (now, then)
        return replace(kept, before=before, after=after, gone=False)


def undo(root: Path, journal: Path, count: int = 1, merge: Merge | None = None) -> tuple[Restored, ...]:
    """Undo the last `count` writes that are not undone yet, newest first; () when there are none.

    Restores bytes, files and modes. Where a file was changed since, `merge` gives the bytes that
    keep those changes, and without it nothing is restored. Raises Conflict, before anything is restored, when a file
    is not what was written and cannot be merged, or the journal is damaged; SafetyRefused and StorageError as `write`
    does. Each entry is undone whole or not at all.
    """
    return _go(root, journal, count, _Way(back=True), merge)


def redo(root: Path, journal: Path, count: int = 1, merge: Merge | None = None) -> tuple[Restored, ...]:
    """Redo the last `count` undone writes, the last one first; () when there are none.

    A write ends what could be redone before it. Otherwise all is as in `undo`.
    """
    return _go(root, journal, count, _Way(back=False), merge)


def redoable(entries: tuple[journals.Entry, ...]) -> tuple[str, ...]:
    """The ids of one repository's entries that a redo would write again, the next one first."""
    gone = {number for entry in entries for number in entry.over}
    return tuple(sorted(entry.id for entry in entries if entry.state == "undone" and entry.id not in gone))


def _go(root: Path, journal: Path, count: int, way: _Way, merge: Merge | None) -> tuple[Restored, ...]:
    with writing(root, journal) as (base, place):
        recover_locked(base, place)
        if way.back:
            chosen = [number for number, state, _ in reversed(journals.listing(place)) if state == "done"][:count]
        else:
            chosen = list(redoable(journals.entries(journal, root))[:count])
        records = [journals.load(place, number, "done" if way.back else "undone") for number in chosen]
        planned = _plan(base, records, way, merge)
        restored: list[Restored] = []
        for old, new in zip(records, planned, strict=True):
            _take(base, place, old, new, way)
            restored.extend(
                Restored(new.id, kept.path, _what(one, kept, way), new.request)
                for one, kept in zip(old.files, new.files, strict=True)
            )
        return tuple(restored)


def _plan(base: str, records: list[Record], way: _Way, merge: Merge | None) -> list[Record]:
    """The records adapted to the files now, each starting from what the one before leaves. Raises Conflict."""
    held: dict[str, bytes | None] = {}
    planned: list[Record] = []
    for record in records:
        files: list[Kept] = []
        misfits: dict[str, list[str]] = {}
        for kept in record.files:
            if kept.path not in held:
                paths.resolve(Path(base), kept.path)
                held[kept.path] = current(base, kept.path)
            now = held[kept.path]
            then = _then(*way.sides(kept), now, merge)
            if isinstance(then, str):
                misfits.setdefault(then, []).append(kept.path)
            else:
                held[kept.path] = then
                files.append(way.kept(kept, now, then))
        if misfits:
            raise _refusal(record, misfits, way, merged=merge is not None)
        planned.append(replace(record, files=tuple(files)))
    return planned


def _then(expected: bytes | None, wanted: bytes | None, now: bytes | None, merge: Merge | None) -> bytes | str | None:
    """The bytes that a file with `now` should get, or, as text, why there are none."""
    if now == expected or (now == wanted and (merge or wanted is None)):  # what is gone already need not go
        return wanted
    if now == wanted:
        return "already so"
    if now is None:
        return DELETED
    if expected is None:
        return "appeared since"
    if merge is None:
        return "changed since"
    if wanted is None:
        return "changed since, and would have to go"
    if b"\0" in expected + now + wanted:
        return "changed since, and not text"
    merged = merge(expected, now, wanted)
    return f"changed since in the same lines{_at(expected, wanted, now)}" if merged is None else merged


def _at(expected: bytes, wanted: bytes, now: bytes) -> str:
    """Where in `now` the first line is that was changed since and would change again; for messages."""
    import difflib

    before, target, there = (text.split(b"\n") for text in (expected, wanted, now))
    own = [one for one in difflib.SequenceMatcher(None, before, target).get_opcodes() if one[0] != "equal"]
    for tag, begin, end, line, _ in difflib.SequenceMatcher(None, before, there).get_opcodes():
        if tag != "equal" and any(begin <= last and first <= end for _, first, last, _, _ in own):
            return f", line {line + 1:,}"
    return ""


def _refusal(record: Record, misfits: dict[str, list[str]], way: _Way, *, merged: bool) -> Conflict:
    short = record.id.lstrip("0")
    verb, noun = ("undone", "undo") if way.back else ("redone", "redo")
    reasons = "; ".join(f"{', '.join(names)} ({how})" for how, names in misfits.items())
    also = " together with later changes" if merged else ""
    message = f"change {short} cannot be {verb}{also}: {reasons}. Nothing was changed"
    if DELETED in misfits:
        return Conflict(message, f"restore what was deleted, then {noun}; optimize show {short} shows what it wrote")
    if merged:
        hint = f"optimize show {short} shows what it wrote; {noun} that by hand, or move your own lines elsewhere"
        return Conflict(message, hint)
    return Conflict(message, f"to keep later changes too, where both fit together: optimize {noun} --merge")


def _take(base: str, place: Path, old: Record, new: Record, way: _Way) -> None:
    """Bring one entry's files to the state of `new`, which is in the journal before the first file is touched."""
    if any(
        (one.before, one.after) != (kept.before, kept.after) for one, kept in zip(old.files, new.files, strict=True)
    ):
        new = replace(new, merged=journals.now())
    if way.back:
        new = replace(new, files=tuple(_with_mode(base, kept) for kept in new.files))
    else:
        new = replace(new, made=missing(base, new.files))
    if new != old:
        journals.rewrite(place, base, new, "done" if way.back else "undone")
    if way.back:
        journals.move(place, new.id, "done", "undoing")
        land(
            landing_of(base, new, back=True),
            transaction(place, new.id, "undoing", "undone", "done"),
        )
        remove_empty(base, reversed(new.made))
    else:
        journals.move(place, new.id, "undone", "redoing")
        land(
            landing_of(base, new, back=False),
            transaction(place, new.id, "redoing", "done", "undone"),
        )


def _with_mode(base: str, kept: Kept) -> Kept:
    """A file that will be removed, with the mode that a redo should restore."""
    if kept.before is not None or kept.after is None or kept.gone:
        return kept
    parent, _, name = kept.path.rpartition("/")
    with opened(base, parent) as folder:
        seen = read(folder, name)
    return replace(kept, mode=seen.mode) if seen else kept


def _what(old: Kept, new: Kept, way: _Way) -> What:
    now, then = way.sides(new)
    if now == then or new.gone:
        return "unchanged"
    if (new.before, new.after) != (old.before, old.after):
        return "merged"
    if then is None:
        return "removed"
    if now is None:
        return "recreated"
    return "restored" if way.back else "rewritten"
