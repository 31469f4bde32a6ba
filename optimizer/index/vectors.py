"""The vectors of a repository's functions, keyed by what was embedded, so that branches and moves cost nothing."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.db.store import Schema, is_damage, open_db, put_aside
from optimizer.errors import StorageError
from optimizer.retrieval import Progress

if TYPE_CHECKING:
    from optimizer.index.embed import Embedder

SCHEMA = Schema(
    name="store of vectors",
    version=1,
    cache=True,
    create="""
CREATE TABLE model (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE vector (model INTEGER NOT NULL, key BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (model, key))
    WITHOUT ROWID;
""",
)
MOST_CHARACTERS = 800
AT_ONCE = 64
MOST_ASKED = 500


@dataclass(frozen=True, slots=True)
class Piece:
    """The text to embed for a unit, and the key of its vector."""

    key: bytes
    text: str


def piece(symbol: str, lines: Sequence[str], spans: Iterable[tuple[int, int]]) -> Piece:
    """The text of a unit for the model: its name and first lines, with blanks joined; indenting changes nothing."""
    words = [symbol.replace(".", " ")]
    left = MOST_CHARACTERS
    for start, end in spans:
        for line in lines[start - 1 : end]:
            if left > 0 and (stripped := " ".join(line.split())):
                words.append(stripped)
                left -= len(stripped) + 1
    text = " ".join(words)[:MOST_CHARACTERS]
    return Piece(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest(), text)


def open_vectors(index_file: Path, model: str) -> Vectors:
    """The vectors of one model, in a store next to the index. Raises StorageError."""
    return Vectors(index_file.with_suffix(".vectors.db"), model)


class Vectors:
    """A connection to the store; two processes may fill it at once. `notice` says when an old store was put aside."""

    def __init__(self, file: Path, model: str) -> None:
        self.file = file
        opened = open_db(file, SCHEMA)
        self.notice = opened.notice
        self._connection = opened.connection
        try:
            self._connection.execute("INSERT OR IGNORE INTO model (name) VALUES (?)", (model,))
            self._model = self._connection.execute("SELECT id FROM model WHERE name=?", (model,)).fetchone()[0]
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def close(self) -> None:
        self._connection.close()

    def count(self) -> int:
        """How many vectors there are of this model. Raises StorageError."""
        try:
            row = self._connection.execute("SELECT count(*) FROM vector WHERE model=?", (self._model,)).fetchone()
        except sqlite3.Error as error:
            raise self._failure(error) from error
        return int(row[0])

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The vectors there are for these keys. Raises StorageError."""
        found: dict[bytes, bytes] = {}
        try:
            for first in range(0, len(keys), MOST_ASKED):
                some = keys[first : first + MOST_ASKED]
                query = f"SELECT key, body FROM vector WHERE model=? AND key IN ({','.join('?' * len(some))})"
                found.update(self._connection.execute(query, (self._model, *some)))
        except sqlite3.Error as error:
            raise self._failure(error) from error
        return found

    def put(self, vectors: Mapping[bytes, bytes]) -> None:
        """Keep vectors, all of them or none. Raises StorageError."""
        rows = [(self._model, key, body) for key, body in vectors.items()]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR IGNORE INTO vector VALUES (?,?,?)", rows)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: sqlite3.Error) -> StorageError:
        self._connection.close()
        if not is_damage(error):
            return StorageError(f"cannot use {self.file}: {error}", "check the disk and its permissions")
        aside = put_aside(self.file)
        return StorageError(f"the {SCHEMA.name} was damaged ({error}); moved to {aside.name}", "optimize index --embed")


def missing(pieces: Iterable[Piece], vectors: Vectors) -> list[Piece]:
    """The pieces without a vector, each once, in order. Raises StorageError."""
    wanted = {piece.key: piece for piece in pieces}
    known = vectors.get(list(wanted))
    return [piece for key, piece in wanted.items() if key not in known]


def fill(pieces: Sequence[Piece], embedder: Embedder, vectors: Vectors, progress: Callable[[Progress], None]) -> None:
    """Embed pieces and store their vectors; an interruption loses only the current few. Raises StorageError."""
    for first in range(0, len(pieces), AT_ONCE):
        progress(Progress("embedding", first, len(pieces)))
        some = sorted(pieces[first : first + AT_ONCE], key=lambda piece: len(piece.text))
        done: dict[bytes, bytes] = {}
        try:
            for piece, body in zip(some, embedder.embed([piece.text for piece in some]), strict=True):
                done[piece.key] = body
        finally:
            vectors.put(done)
    progress(Progress("embedding", len(pieces), len(pieces)))
