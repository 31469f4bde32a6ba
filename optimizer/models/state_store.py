"""The states of models on disk: shared by all runs of one user, and kept over restarts."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from optimizer.db import leases
from optimizer.db.store import Schema, failed, open_db, transaction
from optimizer.errors import ProviderError
from optimizer.ledger.caps import CapName
from optimizer.models.state import Health, ModelState, Need, after_failure, after_success, fit
from optimizer.providers.pace import Pace
from optimizer.providers.quotas import DAY, Quota
from optimizer.reasons import Reason, Why

FILE = "standing.sqlite3"
QUEUE_SECONDS = 5.0
PROBE_SECONDS = 120.0
NO_TOOLS_SECONDS = 86_400.0  # after which a server that refused tools is offered them again
WITHOUT_TOOLS = "CREATE TABLE without_tools (model TEXT PRIMARY KEY, until REAL) WITHOUT ROWID;"
PACES = 'CREATE TABLE paces (model TEXT PRIMARY KEY, "read" REAL, "write" REAL) WITHOUT ROWID;'
SCHEMA = Schema(
    name="record of models",
    version=4,
    cache=True,
    migrations={1: f"DROP TABLE tickets;\n{leases.TABLE}", 2: PACES, 3: WITHOUT_TOOLS},
    create=f"""{leases.TABLE}
{PACES}
{WITHOUT_TOOLS}
CREATE TABLE health (model TEXT PRIMARY KEY, failures INTEGER, since REAL, rests REAL, why TEXT, probing REAL,
    seconds REAL, calls INTEGER) WITHOUT ROWID;
CREATE TABLE quotas (model TEXT, what TEXT, period INTEGER, size INTEGER, "left" INTEGER, resets REAL,
    PRIMARY KEY (model, what, period)) WITHOUT ROWID;
CREATE TABLE calls (model TEXT, at REAL, input INTEGER, output INTEGER);
CREATE INDEX calls_at ON calls (model, at);
CREATE TABLE warm (model TEXT, project TEXT, tokens INTEGER, until REAL, PRIMARY KEY (model, project)) WITHOUT ROWID;
CREATE TABLE tariffs (ref TEXT, day TEXT, version TEXT, rows TEXT, PRIMARY KEY (ref, day, version)) WITHOUT ROWID;
""",
)


@dataclass(frozen=True, slots=True)
class Bid:
    """A call to be made: its model, what it takes, the micro-dollars it may cost, the quotas known beforehand.

    `forced` asks a model although it rests, as when the user named it.
    """

    model: str
    need: Need
    money: int = 0
    quotas: tuple[Quota, ...] = ()
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to a bid: a ticket to make the call with an answer of `output` tokens, or a place in the queue for
    `wait` seconds, or neither, and the reason. `broken` names the cap that the call would break."""

    ticket: int = 0
    granted: bool = False
    output: int = 0
    wait: float = 0.0
    reason: Reason | None = None
    broken: CapName | None = None


class StateStore:
    """The connection, opened at the first use; `scope` distinguishes accounts of one provider; times are of `now`.

    `tell` gets a line for people when a damaged store is put aside.
    """

    def __init__(
        self,
        state: Path,
        scope: Callable[[str], str],
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = lambda: time.time_ns() % 1000 / 1000,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path = state / FILE
        self.now, self.sleep = now, sleep
        self._scope, self._jitter, self._tell = scope, jitter, tell
        self._opened: sqlite3.Connection | None = None

    def read(self, known: Mapping[str, tuple[Quota, ...]], project: str) -> Mapping[str, ModelState]:
        """The states of the models named, given the quotas known beforehand of each. Raises StorageError."""
        if self._opened is None and not self.path.exists():
            return {name: ModelState(quotas=own) for name, own in known.items() if own}
        with self._reading() as db:
            health = {row[0]: Health(*row[1:]) for row in db.execute("SELECT * FROM health")}
            warm = db.execute("SELECT model, tokens FROM warm WHERE project = ? AND until > ?", (project, self.now()))
            tokens = dict(warm.fetchall())
            sent = self._sent(db)
            found = {}
            for name, own in known.items():
                row = self._row(name)
                quotas = self._left(db, row, sent.get(row, ()), own, 0)
                found[name] = ModelState(health.get(row, Health()), quotas, tokens.get(row, 0))
            return found

    def admit(self, bid: Bid, ticket: int, life: float, broken: Callable[[int], CapName | None]) -> Admission:
        """Ask to make a call; `ticket` is 0, or what an earlier answer gave, so that the place is kept.

        A ticket expires after `life` seconds, a place in the queue after a few where it is not asked for again: a
        crash blocks no call for long. `broken` is given the micro-dollars that are pending elsewhere and names the cap
        that the call would break. Raises StorageError.
        """
        row, now = self._row(bid.model), self.now()
        with self._writing() as db:
            leases.expire(db, now)
            health = _health(db, row)
            objection = None if bid.forced else health.objection(now)
            cap = broken(_pending(db, now, ticket))
            if objection or cap:
                leases.release(db, ticket)
                return Admission(reason=objection, broken=cap, wait=max(0.0, health.rests - now))
            fitted = fit(self._left(db, row, self._sent(db).get(row, ()), bid.quotas, ticket), bid.need, now)
            ahead = leases.waits_before(db, now, row, ticket)
            if fitted.wait == float("inf"):
                leases.release(db, ticket)
                return Admission(wait=fitted.wait, reason=fitted.short)
            granted = not fitted.wait and not ahead
            details = {"input": bid.need.input, "output": fitted.output, "money": bid.money}
            lease = leases.Lease(ticket, row, granted, details)
            ticket = leases.acquire(db, lease, now + (life if granted else QUEUE_SECONDS))
            if granted and health.failures:
                db.execute("UPDATE health SET probing = ? WHERE model = ?", (now + PROBE_SECONDS, row))
        wait = fitted.wait or (0.2 if ahead else 0.0)
        return Admission(ticket, granted, fitted.output, wait, fitted.short or (Why.OTHERS_FIRST if ahead else None))

    def record_quotas(self, model: str, ticket: int, quotas: Iterable[Quota], at: float | None = None) -> None:
        """Record the quotas in the headers of an answer, which count this call too; `at` is when they were read.

        Raises StorageError.
        """
        row, shift = self._row(model), 0.0 if at is None else self.now() - at
        with self._writing() as db:
            for quota in quotas:
                values = (row, quota.what, quota.period, quota.size, quota.left, quota.resets + shift)
                db.execute("INSERT OR REPLACE INTO quotas VALUES (?, ?, ?, ?, ?, ?)", values)
            db.execute("UPDATE leases SET details = json_set(details, '$.counted', 1) WHERE id = ?", (ticket,))

    def record_success(self, model: str, ticket: int, seconds: float) -> int:
        """Close a call that was answered; returns how often in a row the model had failed before."""
        row = self._row(model)
        with self._writing() as db:
            before = _health(db, row)
            self._close(db, row, ticket)
            _keep(db, row, after_success(before, seconds))
        return before.failures

    def record_failure(self, model: str, ticket: int, error: ProviderError | None) -> None:
        """Close a call that failed; None for one that was cancelled, which says nothing about the model."""
        row = self._row(model)
        with self._writing() as db:
            before = _health(db, row)
            self._close(db, row, ticket)
            if error is not None:
                _keep(db, row, after_failure(before, error, self.now(), self._jitter()))
            elif before.probing:
                db.execute("UPDATE health SET probing = 0 WHERE model = ?", (row,))

    def drop(self, ticket: int) -> None:
        """Release an unused ticket, or a place in the queue."""
        with self._writing() as db:
            leases.release(db, ticket)

    def pending(self) -> int:
        """Micro-dollars that calls under way may cost."""
        if self._opened is None and not self.path.exists():
            return 0
        with self._reading() as db:
            return _pending(db, self.now(), 0)

    def record_cached(self, model: str, project: str, tokens: int, lifetime: float) -> None:
        """Record that the model's prompt cache holds `tokens` of a project for `lifetime` seconds."""
        values = (self._row(model), project, tokens, self.now() + lifetime)
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO warm VALUES (?, ?, ?, ?)", values)

    def pace(self, model: str) -> Pace:
        """How fast the model's server read and wrote so far."""
        if self._opened is None and not self.path.exists():
            return Pace()
        with self._reading() as db:
            return _pace(db, self._row(model))

    def record_pace(self, model: str, read: tuple[int, float], written: tuple[int, float]) -> None:
        """Record how many tokens were read and written by a call, and in how many seconds."""
        row = self._row(model)
        with self._writing() as db:
            pace = _pace(db, row).after(read, written)
            db.execute("INSERT OR REPLACE INTO paces VALUES (?, ?, ?)", (row, *pace))

    def without_tools(self, models: Iterable[str]) -> frozenset[str]:
        """Those of the models whose servers refused tools within a day."""
        if self._opened is None and not self.path.exists():
            return frozenset()
        with self._reading() as db:
            rows = db.execute("SELECT model FROM without_tools WHERE until > ?", (self.now(),)).fetchall()
        refused = {row for (row,) in rows}
        return frozenset(name for name in models if refused and self._row(name) in refused)

    def record_no_tools(self, model: str) -> None:
        """Record that the model's server refused tools."""
        with self._writing() as db:
            values = (self._row(model), self.now() + NO_TOOLS_SECONDS)
            db.execute("INSERT OR REPLACE INTO without_tools VALUES (?, ?)", values)

    def forget(self, model: str) -> None:
        """Forget the failures, quotas and pace of a model, and that it takes no tools."""
        with self._writing() as db:
            for table in ("health", "quotas", "calls", "paces", "without_tools"):
                db.execute(f"DELETE FROM {table} WHERE model = ?", (self._row(model),))

    def rates(self, refs: Iterable[str], day: str, version: str, made: Callable[[str], Any]) -> Mapping[str, Any]:
        """What `made` gives for each name on a day, as JSON, kept for that day and the version of its source."""
        wanted = set(refs)
        with self._reading() as db:
            kept = db.execute("SELECT ref, rows FROM tariffs WHERE day = ? AND version = ?", (day, version))
            found = {ref: json.loads(rows) for ref, rows in kept if ref in wanted}
        missing = {ref: made(ref) for ref in sorted(wanted - set(found))}
        if missing:
            with self._writing() as db:
                db.execute("DELETE FROM tariffs WHERE day < ?", (day,))
                rows = [(ref, day, version, json.dumps(value)) for ref, value in missing.items()]
                db.executemany("INSERT OR REPLACE INTO tariffs VALUES (?, ?, ?, ?)", rows)
        return found | missing

    def close(self) -> None:
        """Close the connection; a later use opens it again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _row(self, model: str) -> str:
        return f"{model} {self._scope(model.partition('/')[0])}"

    def _close(self, db: sqlite3.Connection, row: str, ticket: int) -> None:
        lease = leases.release(db, ticket)
        db.execute("DELETE FROM calls WHERE at < ?", (self.now() - DAY,))
        if lease:
            values = (row, self.now(), lease.details["input"], lease.details["output"])
            db.execute("INSERT INTO calls VALUES (?, ?, ?, ?)", values)

    def _sent(self, db: sqlite3.Connection) -> dict[str, tuple[Quota, ...]]:
        found: dict[str, tuple[Quota, ...]] = {}
        for row in db.execute("SELECT * FROM quotas"):
            found[row[0]] = (*found.get(row[0], ()), Quota(*row[1:]))
        return found

    def _left(
        self, db: sqlite3.Connection, row: str, sent: tuple[Quota, ...], own: tuple[Quota, ...], ticket: int
    ) -> tuple[Quota, ...]:
        """The quotas from headers, and those known beforehand where headers have none, less what is not counted yet."""
        if not sent and not own:
            return ()
        now = self.now()
        under_way = [lease.details for lease in leases.held(db, now, row, ticket) if lease.granted]
        unseen = [_taken(one) for one in under_way if not one.get("counted")]
        left = [_less(quota, unseen, now) for quota in sent]
        spans = {(quota.what, quota.period) for quota in sent}
        for quota in own:
            if (quota.what, quota.period) not in spans:
                made = db.execute(
                    "SELECT input, output, at FROM calls WHERE model = ? AND at > ? ORDER BY at",
                    (row, now - quota.period),
                ).fetchall()
                resets = (made[0][2] if made else now) + quota.period
                whole = Quota(quota.what, quota.period, quota.size, quota.size, resets)
                left.append(_less(whole, [*(call[:2] for call in made), *map(_taken, under_way)], now))
        return tuple(left)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection()
        except sqlite3.Error as error:
            raise failed(SCHEMA, self.path, error, self.close) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as db, transaction(db):
            yield db

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            opened = open_db(self.path, SCHEMA)
            self._opened = opened.connection
            if opened.notice:
                self._tell(opened.notice)
        return self._opened


def _less(quota: Quota, taken: Iterable[tuple[int, int]], now: float) -> Quota:
    left = quota.left_at(now)
    if left < 0:
        return quota
    spent = sum(Need(entry, output, 0).of(quota.what, output) for entry, output in taken)
    resets = quota.resets if quota.resets > now else now + quota.period
    return Quota(quota.what, quota.period, quota.size, max(0, left - spent), resets)


def _health(db: sqlite3.Connection, row: str) -> Health:
    found = db.execute("SELECT * FROM health WHERE model = ?", (row,)).fetchone()
    return Health(*found[1:]) if found else Health()


def _pace(db: sqlite3.Connection, row: str) -> Pace:
    found = db.execute('SELECT "read", "write" FROM paces WHERE model = ?', (row,)).fetchone()
    return Pace(*found) if found else Pace()


def _keep(db: sqlite3.Connection, row: str, health: Health) -> None:
    db.execute("INSERT OR REPLACE INTO health VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (row, *asdict(health).values()))


def _pending(db: sqlite3.Connection, now: float, ticket: int) -> int:
    return sum(int(lease.details["money"]) for lease in leases.held(db, now, but=ticket) if lease.granted)


def _taken(details: Mapping[str, int | str]) -> tuple[int, int]:
    """Tokens that a call under way takes of quotas, in and out."""
    return int(details["input"]), int(details["output"])
