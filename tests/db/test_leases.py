"""Leases: who holds and who waits, in order; what ends them; stores that an earlier version wrote."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.db import leases
from optimizer.db.leases import Lease, Process
from optimizer.db.store import open_db
from optimizer.models import memory_leases, state_store
from optimizer.models.memory_leases import MemoryLeases

NOW = 1_000.0


@pytest.fixture
def db() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(leases.TABLE)
    return connection


def ask(
    db: sqlite3.Connection, granted: bool, life: float = 10.0, owner: Process = leases.UNBOUND, lease: int = 0
) -> int:
    return leases.acquire(db, Lease(lease, "printer", granted, {"pages": 3}), NOW + life, owner)


def test_a_place_is_kept_and_those_before_it_go_first(db: sqlite3.Connection) -> None:
    first, second = ask(db, False), ask(db, False)
    assert ask(db, False, lease=first) == first, "asking again keeps the place"
    assert not leases.waits_before(db, NOW, "printer", first)
    assert leases.waits_before(db, NOW, "printer", second)
    assert leases.waits_before(db, NOW, "printer", 0), "one to come is behind all"
    assert not leases.waits_before(db, NOW, "scanner", 0)
    ask(db, True, lease=first)
    assert not leases.waits_before(db, NOW, "printer", second), "one that is granted waits no more"


def test_a_lease_ends_when_it_is_released_or_expires(db: sqlite3.Connection) -> None:
    kept, gone = ask(db, True), ask(db, True, life=1.0)
    assert [one.id for one in leases.held(db, NOW + 1, "printer")] == [kept]
    leases.expire(db, NOW + 1)
    assert leases.release(db, gone) is None
    ended = leases.release(db, kept)
    assert ended == Lease(kept, "printer", True, {"pages": 3})
    assert leases.held(db, NOW) == ()
    assert ask(db, True, lease=kept) > gone, "an ended lease comes back as a new one, behind the others"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the start of a process cannot be read here")
def test_a_lease_ends_with_its_process_and_not_with_a_later_one_of_its_id(db: sqlite3.Connection) -> None:
    mine = leases.process()
    other = leases.process(os.getppid())
    ended = [mine._replace(started=mine.started + 1), other._replace(started=other.started - 1)]
    running = [mine, other, other._replace(started=0), Process("another machine", 1, 1), leases.UNBOUND]
    gone = [ask(db, True, owner=owner) for owner in ended]
    kept = [ask(db, True, owner=owner) for owner in running]
    leases.expire(db, NOW)
    assert [one.id for one in leases.held(db, NOW)] == kept
    assert gone


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the state of a process cannot be read here")
def test_a_lease_ends_with_its_process_also_where_its_parent_does_not_notice(db: sqlite3.Connection) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    ask(db, True, owner=leases.process(child.pid))
    leases.expire(db, NOW)
    assert len(leases.held(db, NOW)) == 1
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    leases.expire(db, NOW)
    assert not leases.held(db, NOW)
    child.communicate()


def test_a_record_of_memory_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / memory_leases.FILE
    old = sqlite3.connect(path)
    old.executescript(
        "CREATE TABLE leases (id INTEGER PRIMARY KEY AUTOINCREMENT, server TEXT, model TEXT, bytes INTEGER, "
        "granted INTEGER, machine TEXT, pid INTEGER, expires REAL);"
        "CREATE TABLE room (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER, at REAL);"
        "INSERT INTO room VALUES (1, 77, 5000.0); PRAGMA user_version=1;"
    )
    old.close()
    store = MemoryLeases(tmp_path, look=lambda: 1, now=lambda: 5001.0)
    assert store.acquire(memory_leases.MemoryClaim("here", "qwen", 5), 10.0).total == 77
    store.close()
    assert [one.name for one in tmp_path.glob("*damaged*")] == []


def test_what_is_known_of_models_outlives_the_first_version(tmp_path: Path) -> None:
    path = tmp_path / state_store.FILE
    open_db(path, state_store.SCHEMA).connection.close()
    old = sqlite3.connect(path)
    old.executescript(
        "DROP TABLE leases; DROP TABLE paces; DROP TABLE without_tools;"
        "CREATE TABLE tickets (id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT, input INTEGER, output INTEGER, "
        "money INTEGER, granted INTEGER, told INTEGER, expires REAL);"
        "INSERT INTO health VALUES ('groq/x@a', 3, 1.0, 2.0, 'it said no', 0.0, 1.5, 9); PRAGMA user_version=1;"
    )
    old.close()
    found = open_db(path, state_store.SCHEMA)
    assert found.notice == ""
    assert found.connection.execute("SELECT failures FROM health").fetchone() == (3,)
    assert leases.held(found.connection, NOW) == ()
