"""The journal of writes: one file for each entry, with all bytes before and after; its extension is its state.

It is bounded: the oldest finished entries go first, the newest of every repository stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from optimizer.errors import Conflict, StorageError

State = Literal["begun", "done", "undoing", "undone", "redoing", "damaged"]
STATES: tuple[State, ...] = ("begun", "done", "undoing", "undone", "redoing", "damaged")
IN_PROGRESS: tuple[State, ...] = ("begun", "undoing", "redoing")
DAY = 86_400
MAX_ENTRIES = 2_000
FIRST = "first"
"""The ending of an entry as it was written, kept when its files were merged later."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file before and after a write (None: it did not exist).

    `mode` is the one before the write; for a file that the write created, the one it had when that was undone.
    `gone` is set where the last undo or redo had to remove the file and somebody had removed it already.
    """

    path: str
    before: bytes | None
    after: bytes | None
    mode: int | None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What it takes to finish or undo a write; `made` are the directories it creates, outermost first.

    `over` are the entries that were undone when this one was written: they can no longer be redone. `merged` is when
    its files were last merged with later changes, `request` the id under which the ledger knows it.
    """

    id: str
    label: str
    at: str
    files: tuple[Kept, ...]
    made: tuple[str, ...]
    over: tuple[str, ...] = ()
    merged: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal; `at` and `merged` are UTC in ISO form, `size` is in bytes."""

    id: str
    state: State
    label: str
    at: str
    root: str
    paths: tuple[str, ...]
    size: int
    over: tuple[str, ...] = ()
    merged: str = ""
    request: str = ""


def place_of(journal: Path, root: str) -> Path:
    """The directory within the journal that belongs to the repository whose real path is `root`."""
    return journal / f"{Path(root).name[:40] or 'root'}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}"


@contextlib.contextmanager
def locked(place: Path) -> Iterator[None]:
    """Hold the repository's lock; raises Conflict when another process holds it. The lock dies with its holder."""
    try:
        import fcntl
    except ImportError as error:
        raise StorageError("files cannot be written safely on this system: it has no file locks") from error
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
            raise Conflict(
                f"another optimizer (process {holder or 'unknown'}) is writing in this repository",
                "try again when it is done",
            ) from error
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)


def listing(place: Path) -> list[tuple[str, State, int]]:
    """Id, state and size of every entry of one repository, oldest first."""
    found: list[tuple[str, State, int]] = []
    try:
        inside = list(os.scandir(place))
    except FileNotFoundError:
        return found
    for entry in inside:
        number, _, ending = entry.name.partition(".")
        for state in STATES:
            if ending == state and number.isdigit():
                with contextlib.suppress(FileNotFoundError):
                    found.append((number, state, entry.stat().st_size))
    return sorted(found)


def next_id(place: Path) -> str:
    """An id greater than all in use."""
    return f"{max((int(number) for number, _, _ in listing(place)), default=0) + 1:06d}"


def add(place: Path, root: str, record: Record) -> None:
    """Put a record on disk in the state `begun`, whole or not at all."""
    _put(place, root, record, "begun")


def rewrite(place: Path, root: str, record: Record, state: State) -> None:
    """Replace the record with the same id and state; what was written first is kept in a file of its own."""
    if record.merged and not (place / f"{record.id}.{FIRST}").exists():
        _write_whole(place, f"{record.id}.{FIRST}", (place / f"{record.id}.{state}").read_bytes())
    _put(place, root, record, state)


def _put(place: Path, root: str, record: Record, state: State) -> None:
    blobs: list[bytes] = []
    files: list[dict[str, Any]] = []
    for kept in record.files:
        sizes = {"before": _size(kept.before), "after": _size(kept.after)}
        files.append({"path": kept.path, "mode": kept.mode, "gone": kept.gone, **sizes})
        blobs += [kept.before or b"", kept.after or b""]
    header = {
        "id": record.id,
        "label": record.label,
        "at": record.at,
        "root": root,
        "made": record.made,
        "over": record.over,
        "merged": record.merged,
        "request": record.request,
        "files": files,
    }
    body = b"".join([json.dumps(header).encode("ascii"), b"\n", *blobs])
    _write_whole(place, f"{record.id}.{state}", hashlib.sha256(body).hexdigest().encode("ascii") + b"\n" + body)


def _write_whole(place: Path, name: str, data: bytes) -> None:
    temporary = place / f"{name.partition('.')[0]}.new"
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(place / name)
    _sync(place)


def _size(data: bytes | None) -> int | None:
    return None if data is None else len(data)


def load(place: Path, number: str, state: State | Literal["first"]) -> Record:
    """Read an entry whole; raises Conflict when it is missing or its bytes are not those that were written."""
    try:
        checksum, _, body = (place / f"{number}.{state}").read_bytes().partition(b"\n")
    except FileNotFoundError as error:
        raise Conflict(f"the journal has no entry {number}", "optimize log lists those it has") from error
    if hashlib.sha256(body).hexdigest().encode("ascii") != checksum:
        raise Conflict(
            f"the journal entry {number} is damaged: nothing was restored from it",
            "undo that change by hand; optimize log lists the other changes",
        )
    line, _, blobs = body.partition(b"\n")
    header = json.loads(line)
    files: list[Kept] = []
    offset = 0
    for file in header["files"]:
        sides: list[bytes | None] = []
        for size in (file["before"], file["after"]):
            sides.append(None if size is None else blobs[offset : offset + size])
            offset += size or 0
        files.append(Kept(file["path"], sides[0], sides[1], file["mode"], file.get("gone", False)))
    return Record(
        id=header["id"],
        label=header["label"],
        at=header["at"],
        files=tuple(files),
        made=tuple(header["made"]),
        over=tuple(header.get("over", ())),
        merged=header.get("merged", ""),
        request=header.get("request", ""),
    )


def move(place: Path, number: str, old: State, new: State) -> None:
    """Change the state of an entry, and sync it to disk."""
    (place / f"{number}.{old}").replace(place / f"{number}.{new}")
    _sync(place)


def reopen(place: Path, number: str, state: State) -> None:
    """Give an entry, whatever its state, the one that recovery handles."""
    for other in STATES:
        if other != state and (place / f"{number}.{other}").exists():
            (place / f"{number}.{other}").replace(place / f"{number}.{state}")


def drop(place: Path, number: str) -> None:
    """Delete an entry, whatever its state."""
    for state in (*STATES, FIRST, "new"):
        (place / f"{number}.{state}").unlink(missing_ok=True)


def entries(journal: Path, root: Path | None = None) -> tuple[Entry, ...]:
    """The entries of all repositories, or of that at `root`, newest first; those that cannot be read are damaged."""
    if root is not None:
        places = [place_of(journal, os.path.realpath(root))]
    else:
        places = sorted(journal.iterdir()) if journal.is_dir() else []
    found = [_entry(place, *listed) for place in places for listed in listing(place)]
    return tuple(sorted(found, key=lambda entry: (entry.at, entry.id), reverse=True))


def _entry(place: Path, number: str, state: State, size: int) -> Entry:
    """The first lines of an entry, without the bytes of its files."""
    try:
        with (place / f"{number}.{state}").open("rb") as stream:
            stream.readline(100)
            header = json.loads(stream.readline())
        return Entry(
            id=number,
            state=state,
            label=header["label"],
            at=header["at"],
            root=header["root"],
            paths=tuple(file["path"] for file in header["files"]),
            size=size,
            over=tuple(header.get("over", ())),
            merged=header.get("merged", ""),
            request=header.get("request", ""),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Entry(number, "damaged", "", "", "", (), size)


def now() -> str:
    """The time for a record."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _sync(place: Path) -> None:
    folder = os.open(place, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# ── how much is kept ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class JournalBounds:
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


def prune(journal: Path, held: Path, bounds: JournalBounds) -> None:
    """Delete the oldest finished entries beyond the bounds.

    The newest entry of every repository stays, and so does whatever is in progress. `held` is the repository whose
    lock the caller holds; others that are locked are skipped.
    """
    total = count = 0
    found: list[_Finished] = []
    for place in journal.iterdir():
        listed = listing(place) if place.is_dir() else []
        count += len(listed)
        newest = max((number for number, _, _ in listed), default="")
        for number, state, size in listed:
            taken = size + _size_of_first(place, number)
            total += taken
            if number != newest and state not in IN_PROGRESS:
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
        return (place / f"{number}.{FIRST}").stat().st_size
    except FileNotFoundError:
        return 0


@contextlib.contextmanager
def _locked(place: Path, held: Path) -> Iterator[None]:
    if place == held:
        yield
    else:
        with locked(place):
            yield


def _forget(one: _Finished) -> None:
    """Remove an entry unless it is in progress by now."""
    for number, state, _ in listing(one.place):
        if number == one.number and state not in IN_PROGRESS:
            drop(one.place, number)
