"""The ledger on disk: one row an attempt, only ever added to, kept through power loss."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any, TypeVar

from optimizer.db.store import Schema, is_broken, open_db, put_aside, replaced
from optimizer.errors import StorageError
from optimizer.types import Usage, UsageRecord

T = TypeVar("T")
OUTCOMES: tuple[str, ...] = (
    "answered",
    "proven",
    "accepted",
    "declined",
    "checks-failed",
    "unusable",
    "provider-error",
    "cancelled",
)
FILE = "ledger.sqlite3"

_HEAD = ("request", "at", "tier", "label", "provider", "model_asked", "model_served")
_COUNTS = Usage._fields
_TAIL = ("seconds", "outcome", "cost", "task", "repository", "arm")
_COLUMNS = (*_HEAD, *_COUNTS, *_TAIL)
_KNOWN = ", ".join(f"'{outcome}'" for outcome in OUTCOMES)
_CREATE = f"""
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    request TEXT NOT NULL CHECK (request <> ''),
    at TEXT NOT NULL CHECK (length(at) = 27),
    tier TEXT NOT NULL,
    label TEXT NOT NULL,
    provider TEXT NOT NULL,
    model_asked TEXT NOT NULL,
    model_served TEXT NOT NULL,
    input INTEGER NOT NULL CHECK (typeof(input) = 'integer' AND input >= 0),
    cache_read INTEGER NOT NULL CHECK (typeof(cache_read) = 'integer' AND cache_read >= 0),
    cache_write_5m INTEGER NOT NULL CHECK (typeof(cache_write_5m) = 'integer' AND cache_write_5m >= 0),
    cache_write_1h INTEGER NOT NULL CHECK (typeof(cache_write_1h) = 'integer' AND cache_write_1h >= 0),
    output INTEGER NOT NULL CHECK (typeof(output) = 'integer' AND output >= 0),
    estimated INTEGER NOT NULL CHECK (estimated IN (0, 1)),
    seconds REAL NOT NULL CHECK (seconds >= 0),
    outcome TEXT NOT NULL CHECK (outcome IN ({_KNOWN})),
    cost INTEGER CHECK (cost IS NULL OR (typeof(cost) = 'integer' AND cost >= 0)),
    task TEXT NOT NULL,
    repository TEXT NOT NULL,
    arm TEXT NOT NULL DEFAULT ''
);
CREATE INDEX attempts_at ON attempts (at);
CREATE INDEX attempts_request ON attempts (request);
CREATE TABLE settlements (
    id INTEGER PRIMARY KEY,
    attempt INTEGER NOT NULL REFERENCES attempts (id),
    at TEXT NOT NULL CHECK (length(at) = 27),
    outcome TEXT NOT NULL CHECK (outcome IN ({_KNOWN}))
);
CREATE INDEX settlements_attempt ON settlements (attempt);
CREATE TRIGGER attempts_stay BEFORE DELETE ON attempts BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER attempts_stand BEFORE UPDATE ON attempts BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER settlements_stay BEFORE DELETE ON settlements BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER settlements_stand BEFORE UPDATE ON settlements BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
"""
_MIGRATIONS = {1: "ALTER TABLE attempts ADD COLUMN arm TEXT NOT NULL DEFAULT ''"}
SCHEMA = Schema(name="ledger", version=2, create=_CREATE, migrations=_MIGRATIONS)
_INSERT = f"INSERT INTO attempts ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_LATEST = "SELECT outcome FROM settlements WHERE attempt = attempts.id ORDER BY id DESC LIMIT 1"
_READ = ", ".join(f"coalesce(({_LATEST}), outcome)" if name == "outcome" else name for name in _COLUMNS)
_SELECT = f"SELECT {_READ} FROM attempts WHERE at >= ? AND at < ? ORDER BY id"
_LAST = f"SELECT {_READ} FROM attempts ORDER BY id DESC LIMIT ?"
_PROMPT = "input + cache_read + cache_write_5m + cache_write_1h + output"
_TOTAL = f"""
SELECT coalesce(sum(cost), 0), count(*) - count(cost), coalesce(sum(CASE WHEN cost IS NULL THEN {_PROMPT} END), 0)
FROM attempts WHERE at >= ? AND at < ?"""
_SETTLE = "INSERT INTO settlements (attempt, at, outcome) SELECT max(id), ?, ? FROM attempts WHERE request = ?"
_SETTLE_WAS = f"{_SETTLE} AND coalesce(({_LATEST}), outcome) = ?"

_RECONSIDER = """
INSERT INTO settlements (attempt, at, outcome) SELECT attempts.id, ?, ? FROM attempts
WHERE request = ? AND EXISTS (SELECT 1 FROM settlements WHERE attempt = attempts.id AND outcome = 'proven')
ORDER BY attempts.id DESC LIMIT 1"""


def stamp(at: datetime) -> str:
    """An aware time as records carry it: UTC, ISO 8601, microseconds, always 27 characters."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def open_ledger(state: Path, tell: Callable[[str], None] = lambda _: None) -> Ledger:
    """The ledger in the state directory; nothing on disk is touched before the first use.

    `tell` gets a line for people when a damaged ledger is put aside.
    """
    return Ledger(state / FILE, tell)


class Ledger:
    """The connection; `notice` holds one line for people when a damaged ledger was put aside, which `tell` gets."""

    def __init__(self, path: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        self.path = path
        self.notice = ""
        self._tell = tell
        self._opened: sqlite3.Connection | None = None

    def add(self, record: UsageRecord) -> None:
        """Write one attempt and wait until the disk has it.

        Raises ValueError for a record that no ledger may hold (a naive time, a negative or fractional count, an
        outcome outside OUTCOMES), StorageError when it cannot be written.
        """
        at = datetime.fromisoformat(record.at)
        if at.tzinfo is None:
            raise ValueError(f"the time {record.at!r} has no zone")
        row = _row(record, stamp(at))
        try:
            self._use("write to", lambda db: db.execute(_INSERT, row))
        except (sqlite3.IntegrityError, OverflowError) as error:
            raise ValueError(f"not a record: {error}") from error

    def settle(self, request: str, outcome: str, was: str = "") -> None:
        """Record what became of the last attempt of `request`, once its checks have run or the user has decided.

        With `was` it is the last one whose latest outcome is that. The attempt itself was recorded when it ended;
        reading gives the latest outcome. Raises as `add` does.
        """
        query, values = (_SETTLE_WAS, (was,)) if was else (_SETTLE, ())
        try:
            self._use("write to", lambda db: db.execute(query, (stamp(datetime.now(UTC)), outcome, request, *values)))
        except sqlite3.IntegrityError as error:
            if self.notice:  # the attempt was in the ledger that was put aside
                return
            raise ValueError(f"nothing to settle for {request!r} as {outcome!r}: {error}") from error

    def reconsider(self, request: str, outcome: str) -> None:
        """Record again what became of the change of `request` that was written; nothing where none is known.

        Raises as `add` does.
        """
        if not self.path.exists():
            return
        values = (stamp(datetime.now(UTC)), outcome, request)
        try:
            self._use("write to", lambda db: db.execute(_RECONSIDER, values))
        except sqlite3.IntegrityError as error:
            raise ValueError(f"{outcome!r} is no outcome: {error}") from error

    def records(self, start: str, end: str) -> tuple[UsageRecord, ...]:
        """Attempts from `start` up to but without `end` (as `stamp` writes times), in the order they were added.

        Raises StorageError when the ledger cannot be read.
        """
        if self._opened is None and not self.path.exists():
            return ()
        return self._use("read", lambda db: tuple(map(_record, db.execute(_SELECT, (start, end)))))

    def last(self, count: int) -> tuple[UsageRecord, ...]:
        """The last `count` attempts, the newest first. Raises StorageError when the ledger cannot be read."""
        if self._opened is None and not self.path.exists():
            return ()
        return self._use("read", lambda db: tuple(map(_record, db.execute(_LAST, (count,)))))

    def total(self, start: str, end: str, request: str = "") -> tuple[int, int, int]:
        """Sums from `start` up to but without `end`, of one request where it is named.

        Micro-dollars charged, attempts without a known price, and their tokens. Raises StorageError.
        """
        if self._opened is None and not self.path.exists():
            return 0, 0, 0
        query, values = (_TOTAL + " AND request = ?", (start, end, request)) if request else (_TOTAL, (start, end))
        cost, unknown, tokens = self._use("read", lambda db: db.execute(query, values).fetchone())
        return int(cost), int(unknown), int(tokens)

    def close(self) -> None:
        """Close the connection; a later use opens it again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            opened = open_db(self.path, SCHEMA)
            self._opened = opened.connection
            if opened.notice:
                self._say(opened.notice)
        return self._opened

    def _use(self, verb: str, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` gives; a ledger that turns out to be damaged is put aside, and a new one begun."""
        try:
            try:
                return work(self._connection())
            except sqlite3.DatabaseError as error:
                if not is_broken(error):
                    raise
                self.close()
                self._say(replaced(SCHEMA, error, put_aside(self.path)))
                return work(self._connection())
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as error:
            raise self._failed(verb, error) from error

    def _say(self, line: str) -> None:
        self.notice = f"{line}; caps count what is spent from now on"
        self._tell(self.notice)

    def _failed(self, verb: str, error: sqlite3.Error | OSError) -> StorageError:
        return StorageError(f"cannot {verb} the ledger at {self.path}: {error}", "check the disk and its permissions")


def _row(record: UsageRecord, at: str) -> tuple[Any, ...]:
    head = (at if name == "at" else getattr(record, name) for name in _HEAD)
    values = (*head, *record.usage, *(getattr(record, name) for name in _TAIL))
    return tuple(_storable(value) if isinstance(value, str) else value for value in values)


def _storable(text: str) -> str:
    """A path may hold bytes that are no UTF-8; the row must not be lost for that."""
    return text.encode("utf-8", "backslashreplace").decode()


def _record(row: tuple[Any, ...]) -> UsageRecord:
    named = dict(zip(_COLUMNS, row, strict=True))
    usage = {name: named.pop(name) for name in _COUNTS}
    return UsageRecord(usage=Usage(**usage | {"estimated": bool(usage["estimated"])}), **named)


def day_bounds(day: date, zone: tzinfo | None = None) -> tuple[str, str]:
    """The stamps at which a local day begins and the next one begins; no zone is the machine's own."""
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def _midnight(day: date, zone: tzinfo | None) -> str:
    return stamp(datetime.combine(day, time.min, zone))
