"""Leases of resources that processes share, and the queue of those that wait: one table, used inside a transaction.

A lease is granted or waits. It ends when it is released, when it expires, or when the process it belongs to ends.
The caller decides what is granted; `waits_before` keeps the order.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = """
CREATE TABLE leases (id INTEGER PRIMARY KEY AUTOINCREMENT, resource TEXT NOT NULL, granted INTEGER NOT NULL,
    expires REAL NOT NULL, machine TEXT NOT NULL, pid INTEGER NOT NULL, started INTEGER NOT NULL,
    details TEXT NOT NULL);
"""
_COLUMNS = "id, resource, granted, details"


class Process(NamedTuple):
    """A process that leases end with; `started` distinguishes it from a later one of the same id (0: unknown)."""

    machine: str = ""
    pid: int = 0
    started: int = 0


UNBOUND = Process()
"""For leases that only expire."""


class Lease(NamedTuple):
    """A lease as it is kept; `details` are the caller's, as JSON holds them."""

    id: int
    resource: str
    granted: bool
    details: Mapping[str, int | str]


def process(pid: int = 0) -> Process:
    """A process of this machine, by its id; this one for 0."""
    pid = pid or os.getpid()
    return Process(socket.gethostname(), pid, started(pid))


def started(pid: int) -> int:
    """When a process of this machine started, in ticks since the machine did; 0 where that cannot be read."""
    fields = _status(pid)
    return int(fields[19]) if len(fields) > 19 else 0


def _status(pid: int) -> list[str]:
    """What the machine says of a process, from its state on; [] where it does not say."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def held(db: sqlite3.Connection, now: float, resource: str = "", but: int = 0) -> tuple[Lease, ...]:
    """The leases that have not expired, in the order in which they were asked for, without that of the id `but`."""
    query = f"SELECT {_COLUMNS} FROM leases WHERE expires > ? AND id <> ? AND (resource = ? OR ? = '') ORDER BY id"
    rows = db.execute(query, (now, but, resource, resource)).fetchall()
    return tuple(Lease(row[0], row[1], bool(row[2]), json.loads(row[3])) for row in rows)


def acquire(db: sqlite3.Connection, lease: Lease, expires: float, owner: Process = UNBOUND) -> int:
    """Keep a lease, granted or waiting, until a time; one with an id keeps its place. Returns its id."""
    values = (lease.resource, lease.granted, expires, json.dumps(dict(lease.details)))
    query = "UPDATE leases SET resource = ?, granted = ?, expires = ?, details = ? WHERE id = ?"
    if lease.id and db.execute(query, (*values, lease.id)).rowcount:
        return lease.id
    query = (
        "INSERT INTO leases (resource, granted, expires, details, machine, pid, started) VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    return int(db.execute(query, (*values, *owner)).lastrowid or 0)


def release(db: sqlite3.Connection, lease: int) -> Lease | None:
    """End a lease; what it was, None when it is no more."""
    row = db.execute(f"DELETE FROM leases WHERE id = ? RETURNING {_COLUMNS}", (lease,)).fetchone()
    return Lease(row[0], row[1], bool(row[2]), json.loads(row[3])) if row else None


def expire(db: sqlite3.Connection, now: float) -> None:
    """Drop the leases that have expired, and those of processes of this machine that have ended."""
    db.execute("DELETE FROM leases WHERE expires <= ?", (now,))
    owners = db.execute("SELECT DISTINCT machine, pid, started FROM leases WHERE machine = ?", (socket.gethostname(),))
    for owner in owners.fetchall():
        if not runs(Process(*owner)):
            db.execute("DELETE FROM leases WHERE machine = ? AND pid = ? AND started = ?", owner)


def waits_before(db: sqlite3.Connection, now: float, resource: str, lease: int) -> bool:
    """Whether another one has waited for a resource for longer than the lease of this id (0: one to be made)."""
    return any(not one.granted and (not lease or one.id < lease) for one in held(db, now, resource, lease))


@cache
def _own() -> Process:
    return process()


def runs(owner: Process) -> bool:
    """Whether a process of this machine runs; where that cannot be asked, it is assumed to.

    One that has ended stays listed as a zombie until its parent asks how; some never do.
    """
    if owner.pid == os.getpid():
        return owner.started in (0, _own().started)
    if sys.platform == "win32":
        return True
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    if _status(owner.pid)[:1] == ["Z"]:
        return False
    now = started(owner.pid)
    return not (owner.started and now) or now == owner.started
