"""The log of each conversation in SQLite: entries are only added, so that all that was said can be found again."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from optimizer.db.store import Schema, Store, transaction
from optimizer.errors import Conflict, InputError

T = TypeVar("T")
FILE = "sessions.db"
ID_LENGTH = 8

EntryKind = Literal["asked", "turn", "rewound", "staged", "unstaged", "set", "levels"]
"""What an entry says.

`asked`: the words of a request, before any model is asked; `turn`: its blocks and how it ended; `rewound`: the turn
that the conversation went back to; `staged` and `unstaged`: what is on the table; `set`: a
preference that holds for the conversation; `levels`: how much of which blocks is sent from now on.
"""

SCHEMA = Schema(
    "sessions",
    1,
    """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, repository TEXT NOT NULL, at TEXT NOT NULL, parent TEXT NOT NULL DEFAULT ''
);
CREATE TABLE entries (
    session TEXT NOT NULL REFERENCES sessions (id), number INTEGER NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (session, number)
) WITHOUT ROWID;
CREATE INDEX by_repository ON sessions (repository, at);
""",
)


class Entry(NamedTuple):
    """An entry of a log; `number` counts from 1 within its session, `at` is UTC in ISO 8601."""

    number: int
    at: str
    kind: EntryKind
    body: Mapping[str, Any]


class Log(NamedTuple):
    """A session with its entries; `damaged` is how many entries could not be read, and are left out.

    `last` is the number of its last entry, readable or not (0: there is none).
    """

    id: str
    repository: str
    at: str
    parent: str
    entries: tuple[Entry, ...]
    damaged: int = 0
    last: int = 0


class Listed(NamedTuple):
    """A session in a list: when it began, when its last entry was added, its turns, and the words it began with."""

    id: str
    repository: str
    at: str
    last: str
    turns: int
    title: str


class Sessions:
    """The sessions of a user; the file is created by the first one."""

    def __init__(self, state: Path, notice: Callable[[str], None] = lambda _: None) -> None:
        self.path = state / FILE
        self._store = Store(self.path, SCHEMA, notice)

    def create(self, repository: str) -> str:
        """Begin a session in a repository; returns its id. Raises StorageError, as all methods do."""
        new = uuid.uuid4().hex[:ID_LENGTH]
        row = (new, repository, _now())
        self._use(lambda db: db.execute("INSERT INTO sessions (id, repository, at) VALUES (?, ?, ?)", row))
        return new

    def append(self, session: str, last: int, kind: EntryKind, body: Mapping[str, Any]) -> Entry:
        """Add an entry after the one with number `last`, and wait until the disk has it.

        Raises Conflict when another process has added to the session since.
        """
        entry = Entry(last + 1, _now(), kind, body)
        row = (session, entry.number, entry.at, kind, json.dumps(body, ensure_ascii=True))
        with self._store.connected() as db:
            try:
                db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", row)
            except sqlite3.IntegrityError as error:
                raise Conflict(
                    f"session {session} went on in another window: this entry does not follow its last one",
                    f"go on from here in a session of its own: optimize chat --fork {session}",
                ) from error
        return entry

    def load(self, session: str) -> Log:
        """A session, named by its id or the beginning of it. Raises InputError for none, and where several begin so."""
        head = self._head(session)
        rows = self._use(lambda db: db.execute(_ENTRIES, (head[0],)).fetchall())
        entries = tuple(entry for row in rows if (entry := _entry(row)) is not None)
        return Log(*head, entries, len(rows) - len(entries), rows[-1][0] if rows else 0)

    def fork(self, session: str) -> str:
        """A new session that begins as another one, with all of its entries; returns its id."""
        log = self.load(session)
        new = uuid.uuid4().hex[:ID_LENGTH]

        def copy(db: sqlite3.Connection) -> None:
            with transaction(db):
                db.execute(_COPY_HEAD, (new, _now(), log.id))
                db.execute(_COPY, (new, log.id, log.last))

        self._use(copy)
        return new

    def listing(self, repository: str = "") -> tuple[Listed, ...]:
        """The sessions of a repository ('': of all), the one that was used last first."""
        if not self._store.is_open and not self.path.exists():
            return ()
        rows = self._use(lambda db: db.execute(_LISTING, (repository, repository)).fetchall())
        return tuple(Listed(*row)._replace(title=_title(row[-1])) for row in rows)

    def remove(self, session: str) -> str:
        """Delete a session with all its entries; returns its id."""
        found = self._head(session)[0]

        def delete(db: sqlite3.Connection) -> None:
            with transaction(db):
                db.execute("DELETE FROM entries WHERE session = ?", (found,))
                db.execute("DELETE FROM sessions WHERE id = ?", (found,))

        self._use(delete)
        return found

    def close(self) -> None:
        """Close the connection; a later use opens it again."""
        self._store.close()

    def _head(self, session: str) -> tuple[str, str, str, str]:
        rows = []
        if session.isalnum() and (self._store.is_open or self.path.exists()):
            rows = self._use(lambda db: db.execute(_HEADS, (f"{session}*",)).fetchall())
        if not rows:
            raise InputError(f"there is no session {session!r}", "optimize sessions list shows those there are")
        if len(rows) > 1:
            ids = ", ".join(row[0] for row in rows)
            raise InputError(f"{len(rows)} sessions begin with {session!r}: {ids}", "give more of the id")
        head: tuple[str, str, str, str] = rows[0]
        return head

    def _use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._store.connected() as db:
            return work(db)


_HEADS = "SELECT id, repository, at, parent FROM sessions WHERE id GLOB ?"
_ENTRIES = "SELECT number, at, kind, body FROM entries WHERE session = ? ORDER BY number"
_COPY_HEAD = "INSERT INTO sessions SELECT ?, repository, ?, id FROM sessions WHERE id = ?"
_COPY = "INSERT INTO entries SELECT ?, number, at, kind, body FROM entries WHERE session = ? AND number <= ?"
_LISTING = """
SELECT id, repository, at, coalesce((SELECT max(at) FROM entries WHERE session = id), at) AS last,
    (SELECT count(*) FROM entries WHERE session = id AND kind = 'asked'),
    (SELECT body FROM entries WHERE session = id AND kind = 'asked' ORDER BY number LIMIT 1)
FROM sessions WHERE ? = '' OR repository = ? ORDER BY last DESC, id"""


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _entry(row: tuple[int, str, Any, str]) -> Entry | None:
    """An entry; None for a row that is not one."""
    try:
        body = json.loads(row[3])
    except (ValueError, TypeError):
        return None
    return Entry(row[0], row[1], row[2], body) if isinstance(body, dict) else None


def _title(body: str | None) -> str:
    try:
        text = json.loads(body or "{}").get("text", "")
    except (ValueError, AttributeError):
        return ""
    return " ".join(str(text).split())
