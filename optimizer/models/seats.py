"""Room in memory for local models, shared by the runs of a user: a weighted semaphore whose leases end with a run."""

from __future__ import annotations

import os
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from optimizer.db import Schema, open_db
from optimizer.errors import StorageError

FILE = "seats.sqlite3"
QUEUE_SECONDS = 5.0
ROOM_SECONDS = 3600.0
SCHEMA = Schema(
    name="record of models in memory",
    version=1,
    cache=True,
    create="""
CREATE TABLE leases (id INTEGER PRIMARY KEY AUTOINCREMENT, server TEXT, model TEXT, bytes INTEGER, granted INTEGER,
    machine TEXT, pid INTEGER, expires REAL);
CREATE TABLE room (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER, at REAL);
""",
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A model that a run wants in the memory of a server, and the bytes it takes there (0: unknown)."""

    server: str
    model: str
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Seat:
    """Whether there is room; if not, the models of other runs that take it, and the bytes there are in all."""

    granted: bool
    others: tuple[str, ...] = ()
    room: int = 0


class Seats:
    """The leases of one run, opened at the first use; models may take `given` bytes together, 0: what `look` tells."""

    def __init__(
        self,
        state: Path,
        look: Callable[[], int],
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        pid: int = 0,
        given: int = 0,
    ) -> None:
        self.path = state / FILE
        self.now, self.sleep = now, sleep
        self._look, self._given, self._pid = look, given, pid or os.getpid()
        self._opened: sqlite3.Connection | None = None
        self._lease = 0

    def take(self, wish: Wish, life: float) -> Seat:
        """Ask for room for a model, for `life` seconds or until `leave`; the model that this run held before is left.

        Those who want a model that is in use already share it; others wait in order. A model that is alone always has
        room. A place in the queue lapses soon when it is not asked for again. Raises StorageError.
        """
        return self._take(wish, life, None)

    def take_now(self, wish: Wish, life: float, beside: Mapping[str, int]) -> Seat:
        """Ask for room at once, or not at all: no place in the queue is kept, and those who wait go first.

        There must be room beside what runs have in use and the models of `beside` (bytes by name, 0: unknown); one that
        is among these is loaded, and has room. Raises StorageError.
        """
        return self._take(wish, life, beside)

    def _take(self, wish: Wish, life: float, beside: Mapping[str, int] | None) -> Seat:
        room = self._room()
        with self._writing() as db:
            self._sweep(db)
            rows = db.execute(
                "SELECT id, model, bytes, granted FROM leases WHERE server = ? AND id <> ?", (wish.server, self._lease)
            ).fetchall()
            held = {model: size or room // 2 for model, size in (beside or {}).items()}
            for _, model, size, granted in rows:
                if granted:
                    held[model] = max(size, held.get(model, 0))
            weight = wish.bytes or room // 2
            others = {model: size for model, size in held.items() if model != wish.model}
            ahead = any(not granted and (row < self._lease or not self._lease) for row, _, _, granted in rows)
            granted = wish.model in held or not others or (weight + sum(others.values()) <= room and not ahead)
            if granted or beside is None:
                self._note(db, wish, weight, granted, self.now() + (life if granted else QUEUE_SECONDS))
            return Seat(granted, tuple(sorted(others)), room)

    def leave(self) -> None:
        """Give the room back; nothing happens when none was taken. Raises StorageError."""
        if self._lease:
            with self._writing() as db:
                db.execute("DELETE FROM leases WHERE id = ?", (self._lease,))
            self._lease = 0

    def busy(self, server: str) -> frozenset[str]:
        """The models that runs have in use at a server now. Raises StorageError."""
        if self._opened is None and not self.path.exists():
            return frozenset()
        with self._writing() as db:
            self._sweep(db)
            return frozenset(
                model for (model,) in db.execute("SELECT model FROM leases WHERE server = ? AND granted", (server,))
            )

    def close(self) -> None:
        """Give the room back and close the connection."""
        if self._opened is not None:
            try:
                self.leave()
            finally:
                self._opened.close()
                self._opened = None

    def _note(self, db: sqlite3.Connection, wish: Wish, weight: int, granted: bool, expires: float) -> None:
        values = (wish.server, wish.model, weight, granted, expires)
        query = "UPDATE leases SET server = ?, model = ?, bytes = ?, granted = ?, expires = ? WHERE id = ?"
        if self._lease and db.execute(query, (*values, self._lease)).rowcount:
            return
        query = "INSERT INTO leases (server, model, bytes, granted, expires, machine, pid) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._lease = int(db.execute(query, (*values, socket.gethostname(), self._pid)).lastrowid or 0)

    def _sweep(self, db: sqlite3.Connection) -> None:
        """Drop what has lapsed, and what runs of this machine left behind that are no more."""
        db.execute("DELETE FROM leases WHERE expires <= ?", (self.now(),))
        mine = (socket.gethostname(),)
        pids = {pid for (pid,) in db.execute("SELECT pid FROM leases WHERE machine = ?", mine)}
        for pid in pids:
            if not _alive(pid):
                db.execute("DELETE FROM leases WHERE machine = ? AND pid = ?", (*mine, pid))

    def _room(self) -> int:
        """Bytes that models may take together; looking at the machine takes a while, so that is done once an hour."""
        if self._given:
            return self._given
        with self._writing() as db:
            found = db.execute("SELECT bytes FROM room WHERE at > ?", (self.now() - ROOM_SECONDS,)).fetchone()
        if found:
            return int(found[0])
        size = self._look()
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO room VALUES (1, ?, ?)", (size, self.now()))
        return size

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._opened is None:
                self._opened = open_db(self.path, SCHEMA).connection
            self._opened.execute("BEGIN IMMEDIATE")
            try:
                yield self._opened
            except BaseException:
                self._opened.execute("ROLLBACK")
                raise
            self._opened.execute("COMMIT")
        except sqlite3.Error as error:
            raise StorageError(
                f"cannot use the record of models in memory at {self.path}: {error}", "check the disk, or remove it"
            ) from error


def weight(model_id: str, sizes: Mapping[str, int], billions: float, window: int) -> int:
    """Bytes that a model is taken to need: from its file where its size is known, else from its name; 0 unknown."""
    from optimizer.models.memory import BUFFERS, CACHE_BYTES, estimate

    guess = estimate(model_id, window, billions)
    on_disk = sizes.get(model_id, 0)
    if not on_disk:
        return guess.bytes
    cache = int(window * CACHE_BYTES * max(guess.billions, 1.0) ** 0.5)
    return int(on_disk * 1.05) + cache + BUFFERS


def _alive(pid: int) -> bool:
    """Whether a process of this machine lives; where that cannot be asked, it is taken to."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
