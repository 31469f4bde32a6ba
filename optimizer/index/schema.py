"""The tables of an index, their version, and checksums so that damage never shows as a wrong answer."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from zlib import crc32

from optimizer.db.store import Schema

SCHEMA = Schema(
    name="index",
    version=6,
    cache=True,
    create="""
CREATE TABLE content (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, first INTEGER NOT NULL, stride INTEGER NOT NULL,
    lines INTEGER NOT NULL, lengths BLOB NOT NULL, symbols BLOB NOT NULL, imports BLOB NOT NULL,
    origin BLOB NOT NULL);
CREATE TABLE file (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, mtime INTEGER NOT NULL,
    ctime INTEGER NOT NULL, content INTEGER, why TEXT NOT NULL,
    sum INTEGER NOT NULL);
CREATE INDEX file_content ON file (content);
CREATE TABLE edges (source INTEGER PRIMARY KEY, origin INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE link (target INTEGER, source INTEGER, PRIMARY KEY (target, source)) WITHOUT ROWID;
CREATE INDEX link_source ON link (source);
CREATE TABLE segment (id INTEGER PRIMARY KEY AUTOINCREMENT, bytes INTEGER NOT NULL);
CREATE TABLE run (
    segment INTEGER NOT NULL, field TEXT NOT NULL, first TEXT NOT NULL, terms TEXT NOT NULL, ends BLOB NOT NULL,
    data BLOB NOT NULL);
CREATE INDEX run_first ON run (field, segment, first);
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
""",
)
_NOT_READ = ("__pycache__", "naming")
EMPTY = 4  # the length of sealed empty data


@cache
def reader_version() -> bytes:
    """A digest of the code and queries that decide what is read from a file; a change reads every file again.

    What names mean is asked later, so that the folder of it does not count.
    """
    digest = hashlib.blake2b(digest_size=8)
    index = os.path.dirname(__file__)  # noqa: PTH120 - every start passes here
    languages = os.path.join(os.path.dirname(index), "languages")  # noqa: PTH118, PTH120
    for path in sorted((*_sources(index), *_sources(languages))):
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            digest.update(os.path.basename(path).encode() + b"\0" + file.read())  # noqa: PTH119
    return digest.digest()


def _sources(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((".py", ".scm")):
                yield entry.path
            elif entry.is_dir() and entry.name not in _NOT_READ:
                yield from _sources(entry.path)


def seal(data: bytes, *columns: bytes) -> bytes:
    """The data with a checksum of it and of the columns next to it."""
    return _sum(data, columns).to_bytes(4, "little") + data


def unseal(sealed: bytes, *columns: bytes) -> bytes:
    """The data of `seal`. Raises sqlite3.DatabaseError when it or a column next to it changed."""
    data = sealed[EMPTY:]
    if not isinstance(sealed, bytes) or sealed[:EMPTY] != _sum(data, columns).to_bytes(4, "little"):
        raise sqlite3.DatabaseError("a checksum does not match")
    return data


def _sum(data: bytes, columns: tuple[bytes, ...]) -> int:
    total = crc32(data)
    for more in columns:
        total = crc32(more, total)
    return total


def text(data: Any) -> bytes:
    """The columns next to sealed data, as bytes."""
    return repr(data).encode()


def get_meta(connection: sqlite3.Connection, name: str) -> bytes:
    """A value stored by name; empty when there is none. Raises sqlite3.DatabaseError when it is damaged."""
    row = connection.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
    return unseal(row[0], name.encode()) if row else b""


def get_metas(connection: sqlite3.Connection, names: Sequence[str]) -> list[bytes]:
    """The values of `get_meta` for several names, in their order."""
    marks = ",".join("?" * len(names))
    there = dict(connection.execute(f"SELECT name, value FROM meta WHERE name IN ({marks})", names))
    return [unseal(there[name], name.encode()) if name in there else b"" for name in names]


def check_meta(connection: sqlite3.Connection, known: frozenset[str]) -> None:
    """Raise sqlite3.DatabaseError when the name of a stored value is damaged: out of order, or not in `known`."""
    names = [row[0] for row in connection.execute("SELECT name FROM meta")]
    if not known.issuperset(names) or names != sorted(set(names)):
        raise sqlite3.DatabaseError("the names of kept values are damaged")


def set_meta(connection: sqlite3.Connection, **values: str | bytes | int) -> None:
    """Store values by name; a number or text is read back as bytes."""
    rows = [(name, value if isinstance(value, bytes) else str(value).encode()) for name, value in values.items()]
    connection.executemany(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)", [(name, seal(value, name.encode())) for name, value in rows]
    )
