"""The journal of writes: one file an entry with all bytes before and after, whose ending tells its state."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from optimizer.errors import Conflict, StorageError

MAX_BYTES = 200_000_000
MAX_ENTRIES = 500

State = Literal["begun", "done", "undoing", "undone", "damaged"]
STATES: tuple[State, ...] = ("begun", "done", "undoing", "undone", "damaged")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file before and after a write (None: it did not exist); `mode` is the one it had before."""

    path: str
    before: bytes | None
    after: bytes | None
    mode: int | None


@dataclass(frozen=True, slots=True)
class Record:
    """What it takes to finish a write or take it back; `made` are the directories it creates, outermost first."""

    id: str
    label: str
    at: str
    files: tuple[Kept, ...]
    made: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal; `at` is UTC in ISO form, `size` is in bytes."""

    id: str
    state: State
    label: str
    at: str
    root: str
    paths: tuple[str, ...]
    size: int


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
    found = []
    for path in place.glob("*.*"):
        for state in STATES:
            if path.suffix == f".{state}" and path.stem.isdigit():
                found.append((path.stem, state, path.stat().st_size))
    return sorted(found)


def next_id(place: Path) -> str:
    """An id greater than all in use."""
    return f"{max((int(number) for number, _, _ in listing(place)), default=0) + 1:06d}"


def add(place: Path, root: str, record: Record) -> None:
    """Put a record on disk in the state `begun`, whole or not at all."""
    blobs: list[bytes] = []
    files: list[dict[str, Any]] = []
    for kept in record.files:
        sizes = {"before": _size(kept.before), "after": _size(kept.after)}
        files.append({"path": kept.path, "mode": kept.mode, **sizes})
        blobs += [kept.before or b"", kept.after or b""]
    header = {
        "id": record.id,
        "label": record.label,
        "at": record.at,
        "root": root,
        "made": record.made,
        "files": files,
    }
    body = b"".join([json.dumps(header).encode("ascii"), b"\n", *blobs])
    temporary = place / f"{record.id}.new"
    with temporary.open("wb") as stream:
        stream.write(hashlib.sha256(body).hexdigest().encode("ascii") + b"\n" + body)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(place / f"{record.id}.begun")
    _sync(place)


def _size(data: bytes | None) -> int | None:
    return None if data is None else len(data)


def load(place: Path, number: str, state: State) -> Record:
    """Read an entry whole; raises Conflict when its bytes are not those that were written."""
    try:
        checksum, _, body = (place / f"{number}.{state}").read_bytes().partition(b"\n")
    except FileNotFoundError as error:
        raise Conflict(f"the journal entry {number} is missing") from error
    if hashlib.sha256(body).hexdigest().encode("ascii") != checksum:
        raise Conflict(f"the journal entry {number} is damaged: nothing was restored from it")
    line, _, blobs = body.partition(b"\n")
    header = json.loads(line)
    files: list[Kept] = []
    offset = 0
    for file in header["files"]:
        sides: list[bytes | None] = []
        for size in (file["before"], file["after"]):
            sides.append(None if size is None else blobs[offset : offset + size])
            offset += size or 0
        files.append(Kept(file["path"], sides[0], sides[1], file["mode"]))
    return Record(header["id"], header["label"], header["at"], tuple(files), tuple(header["made"]))


def move(place: Path, number: str, old: State, new: State) -> None:
    """Change the state of an entry, and see it on disk."""
    (place / f"{number}.{old}").replace(place / f"{number}.{new}")
    _sync(place)


def reopen(place: Path, number: str, state: State) -> None:
    """Give an entry the state in which recovery looks after it, whatever it has now."""
    for other in STATES:
        if other != state and (place / f"{number}.{other}").exists():
            (place / f"{number}.{other}").replace(place / f"{number}.{state}")


def drop(place: Path, number: str) -> None:
    """Forget an entry in whatever state."""
    for state in (*STATES, "new"):
        (place / f"{number}.{state}").unlink(missing_ok=True)


def prune(place: Path, max_bytes: int = MAX_BYTES, max_entries: int = MAX_ENTRIES) -> None:
    """Forget the oldest entries beyond the bounds, but never the newest and none that is under way."""
    size = 0
    for kept, (number, state, length) in enumerate(reversed(listing(place)), start=1):
        size += length
        if kept > 1 and state not in ("begun", "undoing") and (kept > max_entries or size > max_bytes):
            (place / f"{number}.{state}").unlink(missing_ok=True)


def entries(journal: Path) -> tuple[Entry, ...]:
    """All entries of all repositories, newest first; those that cannot be read count as damaged."""
    found: list[Entry] = []
    for place in sorted(journal.iterdir()) if journal.is_dir() else []:
        for number, state, size in listing(place):
            try:
                with (place / f"{number}.{state}").open("rb") as stream:
                    stream.readline(100)
                    header = json.loads(stream.readline())
                paths = tuple(file["path"] for file in header["files"])
                found.append(Entry(number, state, header["label"], header["at"], header["root"], paths, size))
            except (OSError, ValueError, KeyError, TypeError):
                found.append(Entry(number, "damaged", "", "", "", (), size))
    return tuple(sorted(found, key=lambda entry: (entry.at, entry.id), reverse=True))


def now() -> str:
    """The time for a record."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _sync(place: Path) -> None:
    folder = os.open(place, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
