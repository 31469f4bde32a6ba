"""The queue on disk: each change is one transaction, kept through a crash once its caller has heard of it.

A worker holds tasks by a lease that it renews. They go back when the lease expires or its process ends, and whatever
that worker reports afterwards is not accepted: each task has one result.
"""

from __future__ import annotations

import json
import random
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optimizer.db import leases
from optimizer.db.store import Schema, Store, transaction
from optimizer.queue.task import (
    MOST_ATTEMPTS,
    MOST_DEATHS,
    Claim,
    Done,
    Failed,
    NewTask,
    State,
    Task,
    pause,
)

FILE = "queue.sqlite3"
LEASE_SECONDS = 8.0
KEPT_SECONDS = 30 * 86_400.0
_DONE = "state IN ('done', 'flagged', 'failed', 'cancelled')"
SCHEMA = Schema(
    name="queue of tasks",
    version=1,
    create="""
CREATE TABLE tasks (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, payload TEXT NOT NULL,
    repository TEXT NOT NULL, priority INTEGER NOT NULL, deadline REAL NOT NULL, state TEXT NOT NULL,
    made REAL NOT NULL, begun REAL NOT NULL DEFAULT 0, ended REAL NOT NULL DEFAULT 0, after REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, deaths INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '', result TEXT, pid INTEGER NOT NULL DEFAULT 0,
    machine TEXT NOT NULL DEFAULT '', started INTEGER NOT NULL DEFAULT 0, token INTEGER NOT NULL DEFAULT 0,
    expires REAL NOT NULL DEFAULT 0, unwanted INTEGER NOT NULL DEFAULT 0, name TEXT NOT NULL DEFAULT '',
    content TEXT NOT NULL, cached INTEGER NOT NULL);
CREATE UNIQUE INDEX tasks_name ON tasks (name) WHERE name <> '';
CREATE INDEX tasks_content ON tasks (content, state);
CREATE INDEX tasks_waiting ON tasks (priority DESC, deadline, id) WHERE state = 'waiting';
CREATE INDEX tasks_deadline ON tasks (deadline) WHERE state = 'waiting';
CREATE INDEX tasks_running ON tasks (token) WHERE state = 'running';
CREATE INDEX tasks_ended ON tasks (state, ended);
""",
)
_FIELDS = tuple(Task.__dataclass_fields__)
_SELECT = f"SELECT {', '.join(_FIELDS)} FROM tasks"
_ORDER = "ORDER BY priority DESC, deadline, id"
_FREE = "token = 0, pid = 0, machine = '', started = 0, expires = 0, note = ''"
_END = f"{_FREE}, ended = :now, unwanted = 0"


class Queue:
    """The connection of one thread, opened at the first use; times are of `now`.

    `tell` gets a line for people when a damaged store is put aside. All methods raise StorageError.
    """

    def __init__(
        self,
        state: Path,
        now: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path = state / FILE
        self._now, self._chance = now, chance
        self._store = Store(self.path, SCHEMA, tell)

    # ── to ask for tasks ─────────────────────────────────────────────────────────────────────────

    def add(self, tasks: Iterable[NewTask]) -> tuple[int, ...]:
        """Add tasks, all or none, and return their ids; one that is there already, or was done before, keeps its id."""
        with self._store.writing() as db:
            return tuple(self._add(db, task) for task in tasks)

    def _add(self, db: sqlite3.Connection, task: NewTask) -> int:
        content = task.content
        if task.key:
            same = "SELECT id FROM tasks WHERE name = ?"
            known = db.execute(same, (task.key,)).fetchone()
        else:
            states = "('waiting', 'running', 'done')" if task.cached else "('waiting')"
            same = f"SELECT id FROM tasks WHERE content = ? AND state IN {states} AND NOT unwanted LIMIT 1"
            known = db.execute(same, (content,)).fetchone()
            if known:
                sooner = "UPDATE tasks SET priority = max(priority, ?), deadline = max(deadline, ?) WHERE id = ?"
                db.execute(sooner, (task.priority, task.deadline, known[0]))
        if known:
            return int(known[0])
        query = (
            "INSERT INTO tasks (kind, payload, repository, priority, deadline, state, made, name, content, cached) "
            "VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?)"
        )
        values = (task.kind, task.body, task.repository, task.priority, task.deadline, self._now(), task.key, content)
        return int(db.execute(query, (*values, task.cached)).lastrowid or 0)

    def cancel(self, id: int) -> State | None:
        """Cancel a task, and return its state: one that runs does so until its worker hears of it; None: no such."""
        with self._store.writing() as db:
            end = f"UPDATE tasks SET state = 'cancelled', why = 'asked', {_END} WHERE id = :id AND state = 'waiting'"
            db.execute(end, {"id": id, "now": self._now()})
            db.execute("UPDATE tasks SET unwanted = 1 WHERE id = ? AND state = 'running'", (id,))
            row = db.execute("SELECT state FROM tasks WHERE id = ?", (id,)).fetchone()
        return row[0] if row else None

    # ── to do them ───────────────────────────────────────────────────────────────────────────────

    def claim(self, sizes: Mapping[str, int], owner: leases.Process | None = None) -> Claim | None:
        """Take the first tasks of one kind, as many as `sizes` says for it; None when none waits that could be done.

        A task whose result is known by now is done with that and not taken.
        """
        owner, token, now = owner or leases.process(), secrets.randbits(62) + 1, self._now()
        with self._store.writing() as db:
            self._give_back_lost(db)
            late = (
                f"UPDATE tasks SET state = 'failed', why = 'late', {_END} WHERE state = 'waiting' AND deadline <= :now"
            )
            db.execute(late, {"now": now})
            ready = "FROM tasks WHERE state = 'waiting' AND after <= ? AND kind"
            kinds = f"IN ({', '.join('?' * len(sizes))})"
            first = db.execute(f"SELECT kind {ready} {kinds} {_ORDER} LIMIT 1", (now, *sizes)).fetchone()
            if first is None:
                return None
            one = f"SELECT id, content, cached {ready} = ? {_ORDER} LIMIT ?"
            rows = db.execute(one, (now, first[0], sizes[first[0]])).fetchall()
            ids = [id for id, content, cached in rows if not (cached and self._reused(db, id, content))]
            take = (
                "UPDATE tasks SET state = 'running', begun = ?, expires = ?, token = ?, machine = ?, pid = ?, "
                "started = ? WHERE id = ?"
            )
            db.executemany(take, [(now, now + LEASE_SECONDS, token, *owner, id) for id in ids])
            tasks = db.execute(f"{_SELECT} WHERE token = ? AND state = 'running' {_ORDER}", (token,)).fetchall()
        return Claim(token, tuple(map(_task, tasks)))

    def refuse(self, known: Iterable[str]) -> None:
        """End the waiting tasks that are of none of the `known` kinds: nobody would do them."""
        kinds = json.dumps(list(known))
        with self._store.writing() as db:
            others = "state = 'waiting' AND kind NOT IN (SELECT value FROM json_each(:kinds))"
            end = f"UPDATE tasks SET state = 'failed', why = 'unknown', {_END} WHERE {others}"
            db.execute(end, {"kinds": kinds, "now": self._now()})

    def _reused(self, db: sqlite3.Connection, id: int, content: str) -> bool:
        """End a task with the result of one that was the same, if there is one."""
        query = (
            f"UPDATE tasks SET state = 'done', {_END}, result = same.result FROM (SELECT result FROM tasks "
            "WHERE content = :content AND state = 'done' LIMIT 1) AS same WHERE id = :id"
        )
        return bool(db.execute(query, {"content": content, "id": id, "now": self._now()}).rowcount)

    def beat(self, claim: Claim, notes: Mapping[int, str] | None = None) -> frozenset[int]:
        """Renew the lease of a claim and note how far its tasks are; returns those that are no longer to be done."""
        with self._store.writing() as db:
            held = "token = ? AND state = 'running'"
            db.execute(f"UPDATE tasks SET expires = ? WHERE {held}", (self._now() + LEASE_SECONDS, claim.token))
            for id, note in (notes or {}).items():
                db.execute(f"UPDATE tasks SET note = ? WHERE id = ? AND {held}", (note, id, claim.token))
            wanted = db.execute(f"SELECT id FROM tasks WHERE {held} AND NOT unwanted", (claim.token,)).fetchall()
        return frozenset(task.id for task in claim.tasks) - {id for (id,) in wanted}

    def finish(self, claim: Claim, results: Mapping[int, Done | Failed]) -> frozenset[int]:
        """End tasks of a claim, all in one; returns those that were accepted, since the claim still held them."""
        with self._store.writing() as db:
            return frozenset(id for id, result in results.items() if self._finish(db, claim.token, id, result))

    def _finish(self, db: sqlite3.Connection, token: int, id: int, result: Done | Failed) -> bool:
        held = "id = :id AND token = :token AND state = 'running'"
        row = db.execute(f"SELECT attempts, unwanted FROM tasks WHERE {held}", {"id": id, "token": token}).fetchone()
        if row is None:
            return False
        values: dict[str, Any] = {"id": id, "token": token, "now": self._now()}
        if row[1]:
            db.execute(f"UPDATE tasks SET state = 'cancelled', why = 'asked', {_END} WHERE {held}", values)
            return False
        if isinstance(result, Done):
            values |= {"state": "flagged" if result.flagged else "done", "result": _packed(result.result)}
            end = f"UPDATE tasks SET state = :state, result = :result, why = '', detail = '', {_END} WHERE {held}"
        else:
            attempts = row[0] + 1
            values |= {"why": result.why, "detail": result.detail, "attempts": attempts}
            values["after"] = self._now() + max(result.wait, pause(attempts, self._chance()))
            to = f"state = 'waiting', {_FREE}, after = :after" if result.again else f"state = 'failed', {_END}"
            to = to if attempts < MOST_ATTEMPTS else f"state = 'failed', {_END}"
            end = f"UPDATE tasks SET {to}, why = :why, detail = :detail, attempts = :attempts WHERE {held}"
        return bool(db.execute(end, values).rowcount)

    def give_back(self, claim: Claim) -> None:
        """Put the tasks of a claim back that have not ended, as when a worker is to stop: that is no failure."""
        with self._store.writing() as db:
            ended = "UPDATE tasks SET state = 'cancelled', why = 'asked', {} WHERE token = :token AND unwanted"
            db.execute(ended.format(_END), {"token": claim.token, "now": self._now()})
            back = f"UPDATE tasks SET state = 'waiting', {_FREE} WHERE token = ? AND state = 'running'"
            db.execute(back, (claim.token,))

    def _give_back_lost(self, db: sqlite3.Connection) -> None:
        """Put back what workers hold that have ended or were not heard of for too long; give up what ends them."""
        now = self._now()
        for token in _lost(db, now):
            rows = db.execute("SELECT id, deaths, unwanted FROM tasks WHERE token = ? AND state = 'running'", (token,))
            for id, deaths, unwanted in rows.fetchall():
                values: dict[str, Any] = {
                    "id": id,
                    "now": now,
                    "deaths": deaths + 1,
                    "after": now + pause(deaths + 1, self._chance()),
                }
                to, why = f"state = 'waiting', {_FREE}, after = :after", "died"
                if unwanted:
                    to, why = f"state = 'cancelled', {_END}", "asked"
                elif deaths + 1 >= MOST_DEATHS:
                    to = f"state = 'failed', {_END}"
                db.execute(f"UPDATE tasks SET {to}, why = :why, deaths = :deaths WHERE id = :id", values | {"why": why})

    # ── to look at them ──────────────────────────────────────────────────────────────────────────

    def get(self, id: int) -> Task | None:
        """A task as it is now."""
        rows = self._looked("WHERE id = ?", (id,))
        return rows[0] if rows else None

    def listed(self, state: State, most: int) -> tuple[Task, ...]:
        """Tasks in a state: those that ended last first, others in the order in which they are done."""
        ended = state not in ("waiting", "running")
        return self._looked(
            f"WHERE state = ? {'ORDER BY ended DESC, id DESC' if ended else _ORDER} LIMIT ?", (state, most)
        )

    def counts(self) -> Mapping[State, int]:
        """How many tasks there are in each state."""
        with self._reading() as db:
            return dict(db.execute("SELECT state, count(*) FROM tasks GROUP BY state").fetchall())

    def next_at(self) -> float | None:
        """When the first waiting task may be tried, a time; None when none waits."""
        with self._reading() as db:
            first = db.execute("SELECT min(after) FROM tasks WHERE state = 'waiting'").fetchone()[0]
        return None if first is None else float(first)

    def _looked(self, where: str, values: tuple[object, ...]) -> tuple[Task, ...]:
        with self._reading() as db:
            return tuple(map(_task, db.execute(f"{_SELECT} {where}", values).fetchall()))

    # ── to judge flagged results ─────────────────────────────────────────────────────────────────

    def judge(self, id: int, verdict: State) -> bool:
        """Make a flagged task done (its result is kept), waiting (it is done again) or cancelled (it is dropped).

        A task that is done again keeps its former result until then: what does it can see what was not good enough.
        """
        with self._store.writing() as db:
            to = {
                "done": f"state = 'done', {_END}",
                "waiting": f"state = 'waiting', {_FREE}, ended = 0, after = 0, attempts = 0, deaths = 0",
                "cancelled": f"state = 'cancelled', why = 'dropped', {_END}",
            }[verdict]
            query = f"UPDATE tasks SET {to} WHERE id = :id AND state = 'flagged'"
            return bool(db.execute(query, {"id": id, "now": self._now()}).rowcount)

    def prune(self) -> int:
        """Delete what ended long ago; returns how many tasks that were."""
        with self._store.writing() as db:
            ended = f"DELETE FROM tasks WHERE {_DONE} AND ended < ?"
            return db.execute(ended, (self._now() - KEPT_SECONDS,)).rowcount

    # ── the connection ───────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """Close the connection; tasks that are claimed stay so until their lease ends."""
        self._store.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """What no worker holds any longer is put back first: it is never seen as running."""
        with self._store.connected() as db:
            if _lost(db, self._now()):
                with transaction(db):
                    self._give_back_lost(db)
            yield db


def _lost(db: sqlite3.Connection, now: float) -> list[int]:
    """The claims whose lease has expired, or whose process has ended."""
    query = "SELECT token, max(expires), machine, pid, started FROM tasks WHERE state = 'running' GROUP BY token"
    here = leases.process().machine
    return [
        token
        for token, expires, machine, pid, started in db.execute(query).fetchall()
        if expires <= now or (machine == here and not leases.runs(leases.Process(machine, pid, started)))
    ]


def _packed(result: Mapping[str, object]) -> str:
    return json.dumps(result, ensure_ascii=False)


def _task(row: tuple[Any, ...]) -> Task:
    values = dict(zip(_FIELDS, row, strict=True))
    result = values["result"]
    values |= {"payload": json.loads(values["payload"]), "result": json.loads(result) if result else None}
    return Task(**values)
