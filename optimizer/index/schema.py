"""The tables of an index, and the version of what is kept in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache

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


@cache
def reader_version() -> bytes:
    """A digest of the code and queries that decide what is read from a file; a change reads every file again."""
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
            elif entry.is_dir() and not entry.name.startswith("_"):
                yield from _sources(entry.path)
