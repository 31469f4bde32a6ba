"""Memory of the servers of this machine for models in use, shared by all runs of one user: leases by weight."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from optimizer.db import leases
from optimizer.db.store import Schema, Store

FILE = "seats.sqlite3"
QUEUE_SECONDS = 5.0
MEMORY_SECONDS = 3600.0
SCHEMA = Schema(
    name="record of models in memory",
    version=3,
    cache=True,
    create=f"{leases.TABLE}CREATE TABLE memory (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER, at REAL);\n",
    migrations={1: f"DROP TABLE leases;\n{leases.TABLE}", 2: "ALTER TABLE room RENAME TO memory"},
)


@dataclass(frozen=True, slots=True)
class MemoryClaim:
    """A model that a run wants in the memory of a server, and the bytes it takes there (0: unknown)."""

    server: str
    model: str
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class MemoryGrant:
    """Whether a claim is granted; if not, the models of other runs that hold the memory. `total` bytes there are."""

    granted: bool
    others: tuple[str, ...] = ()
    total: int = 0


class MemoryLeases:
    """The leases of one run, opened at the first use; models may take `given` bytes together, 0: what `look` says.

    `tell` gets a line for people when a damaged store is put aside.
    """

    def __init__(
        self,
        state: Path,
        look: Callable[[], int],
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        given: int = 0,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path = state / FILE
        self.now, self.sleep = now, sleep
        self._look, self._given = look, given
        self._store = Store(self.path, SCHEMA, tell)
        self._lease = 0

    def acquire(self, claim: MemoryClaim, life: float) -> MemoryGrant:
        """Ask for memory for `life` seconds or until `release`; the model that this run held before is released.

        A model in use is shared; other claims wait in order. A model that is alone is always granted. A place in the
        queue expires soon when it is not asked for again. Raises StorageError.
        """
        return self._acquire(claim, life, None)

    def acquire_now(self, claim: MemoryClaim, life: float, loaded: Mapping[str, int]) -> MemoryGrant:
        """Ask for memory at once, or not at all: no place in the queue is kept, and those that wait go first.

        The claim must fit with what runs have in use and with the `loaded` models (bytes by name, 0: unknown); a model
        that is among these is granted. Raises StorageError.
        """
        return self._acquire(claim, life, loaded)

    def _acquire(self, claim: MemoryClaim, life: float, loaded: Mapping[str, int] | None) -> MemoryGrant:
        total = self._total()
        with self._store.writing() as db:
            leases.expire(db, self.now())
            in_use = {model: size or total // 2 for model, size in (loaded or {}).items()}
            for lease in leases.held(db, self.now(), claim.server, self._lease):
                if lease.granted:
                    model, size = str(lease.details["model"]), int(lease.details["bytes"])
                    in_use[model] = max(size, in_use.get(model, 0))
            size = claim.bytes or total // 2
            others = {model: other for model, other in in_use.items() if model != claim.model}
            free = not leases.waits_before(db, self.now(), claim.server, self._lease)
            granted = claim.model in in_use or not others or (size + sum(others.values()) <= total and free)
            if granted or loaded is None:
                lease = leases.Lease(self._lease, claim.server, granted, {"model": claim.model, "bytes": size})
                until = self.now() + (life if granted else QUEUE_SECONDS)
                self._lease = leases.acquire(db, lease, until, leases.process())
            return MemoryGrant(granted, tuple(sorted(others)), total)

    def release(self) -> None:
        """Release the memory; nothing happens when none was acquired. Raises StorageError."""
        if self._lease:
            with self._store.writing() as db:
                leases.release(db, self._lease)
            self._lease = 0

    def in_use(self, server: str) -> frozenset[str]:
        """The models that runs have in use at a server now. Raises StorageError."""
        if not self._store.is_open and not self.path.exists():
            return frozenset()
        with self._store.writing() as db:
            leases.expire(db, self.now())
            held = leases.held(db, self.now(), server)
            return frozenset(str(lease.details["model"]) for lease in held if lease.granted)

    def close(self) -> None:
        """Release the memory and close the connection."""
        if self._store.is_open:
            try:
                self.release()
            finally:
                self._store.close()

    def _total(self) -> int:
        """Bytes that models may take together; looking at the machine takes a while, so that is done once an hour."""
        if self._given:
            return self._given
        with self._store.writing() as db:
            found = db.execute("SELECT bytes FROM memory WHERE at > ?", (self.now() - MEMORY_SECONDS,)).fetchone()
        if found:
            return int(found[0])
        size = self._look()
        with self._store.writing() as db:
            db.execute("INSERT OR REPLACE INTO memory VALUES (1, ?, ?)", (size, self.now()))
        return size
