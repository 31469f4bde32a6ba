"""The index of one repository: a connection to its SQLite file, and all queries."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from optimizer.db.store import is_damage, open_db, put_aside, replaced
from optimizer.errors import NotFound, StorageError
from optimizer.git.run import FileNames, Refusal
from optimizer.index.files import Root, sees
from optimizer.index.postings import FIELDS, PATHS, STOP, find, tally
from optimizer.index.regular import read_regular
from optimizer.index.schema import SCHEMA, get_meta, get_metas, text, unseal
from optimizer.languages.edges import ImportEdge, RawImport
from optimizer.languages.units import Extent, extents
from optimizer.languages.words import terms
from optimizer.retrieval import Reference, Skipped, Symbol

if TYPE_CHECKING:
    from optimizer.index.history import History
    from optimizer.languages.origin import Origin


_SYMBOLS = "SELECT f.path, c.first, c.stride, c.lines, c.symbols FROM file f JOIN content c ON c.id = f.content WHERE "


P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Damageable")


class Damageable(Protocol):
    """Something that reads a store and can report it as damaged."""

    def damaged(self, why: str) -> None: ...


def sound(read: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Put a store aside that proves damaged while reading, and raise one StorageError."""

    @wraps(read)
    def checked(self: S, /, *arguments: P.args, **named: P.kwargs) -> R:
        try:
            return read(self, *arguments, **named)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if is_damage(error):
                self.damaged(str(error))
            raise StorageError(f"the index cannot be read: {error}", "run the command again") from error

    return checked


def open_index(root: Root, cache: Path, naming: FileNames | None = None) -> Index:
    """Open or create the index of a repository; `cache` is the folder of all caches.

    `naming` is a listing of files that was started early, for the first refresh. Raises StorageError.
    """
    return Index(root, index_file(root, cache), naming)


def index_file(root: Root, cache: Path) -> Path:
    """Where the index of a repository is kept, below the folder of all caches."""
    name = hashlib.blake2b(os.fsencode(root.path), digest_size=16).hexdigest()
    return cache / "index" / f"{name}.db"


class Index:
    """What is known of a repository as of the last refresh: symbols, imports and words, by name or path."""

    def __init__(self, root: Root, file: Path, naming: FileNames | None = None) -> None:
        self.root = root
        self.naming = naming
        self.file = file
        self.notice = ""
        self.refusal: Refusal = ""
        self._open()

    def _open(self) -> None:
        opened = open_db(self.file, SCHEMA)
        self.connection = opened.connection
        self.notice = opened.notice or self.notice
        self._identity = _identity(self.file)
        self._words: Words | None = None
        self._history: History | None = None

    def close(self) -> None:
        self._close_history()
        self.connection.close()

    def _close_history(self) -> None:
        if self._history is not None:
            self._history.close()
            self._history = None

    def damaged(self, why: str) -> None:
        """Put a damaged store aside, unless another process already did, and open a new one."""
        self.close()
        aside = put_aside(self.file) if _identity(self.file) == self._identity else None
        self._open()
        if aside:
            self.notice = replaced(SCHEMA, why, aside)

    def forget(self) -> None:
        """Drop cached data after the store changed."""
        self._words = None
        self._close_history()
        if self.connection.in_transaction:
            self.connection.execute("COMMIT")

    def meta(self, name: str) -> str:
        """A value kept by name, as text. Raises sqlite3.DatabaseError when it is damaged."""
        return get_meta(self.connection, name).decode()

    @sound
    def state(self) -> str:
        """A digest of the indexed tree: the same tree gives the same state."""
        return self.meta("state")

    @sound
    def paths(self) -> tuple[str, ...]:
        """All indexed files, in order."""
        return tuple(self.words().paths)

    @sound
    def skipped(self) -> tuple[Skipped, ...]:
        """The files that were left out, with the reason."""
        rows = ((path, *why.split(" ")) for path, why in json.loads(self.meta("skipped") or "[]"))
        return tuple(Skipped(path, code, *map(float, limit)) for path, code, *limit in rows)

    @sound
    def symbols_named(self, names: Iterable[str]) -> tuple[Symbol, ...]:
        """All definitions whose own name is one of `names`; sections of files that are not code do not count."""
        wanted = set(names)
        words = self.words()
        files = {number for name in wanted for number in self._files("name", name)}
        return tuple(
            symbol
            for number in sorted(files)
            for symbol in self.symbols_in(words.paths[number])
            if symbol.name in wanted and symbol.kind != "section"
        )

    def _files(self, field: str, name: str) -> Iterable[int]:
        """The numbers of the files that may hold a name: all files when no list is kept for it."""
        usable = [term for term in terms(name) if len(term) > 1 and term not in STOP]
        return self.words().files_of(field, max(usable, key=len)) if usable else range(len(self.words().paths))

    @sound
    def symbols_in(self, path: str) -> tuple[Symbol, ...]:
        """The definitions of a file in the order of lines; none for a path that is not indexed."""
        row = self.connection.execute(_SYMBOLS + "f.path=?", (path,)).fetchone()
        return tuple(read_symbols(*row)) if row else ()

    @sound
    def all_names(self) -> tuple[str, ...]:
        """Every name that is defined somewhere in the tree."""
        rows = self.connection.execute(_SYMBOLS + "1").fetchall()
        return tuple(sorted({symbol.name for row in rows for symbol in read_symbols(*row) if symbol.kind != "section"}))

    @sound
    def imports_of(self, path: str) -> tuple[ImportEdge, ...]:
        """The imports of a file, resolved."""
        row = self.connection.execute(
            "SELECT e.body FROM edges e JOIN file f ON f.id = e.source WHERE f.path=?", (path,)
        ).fetchone()
        return (
            tuple(ImportEdge(path, line, module, target) for line, module, target in json.loads(unseal(row[0])))
            if row
            else ()
        )

    @sound
    def packages(self) -> Mapping[str, tuple[RawImport, ...]]:
        """The packages that files declare, of languages whose imports lead to them."""
        from optimizer.index.writer import packages

        return packages(self.connection)

    @sound
    def importers_of(self, path: str) -> tuple[ImportEdge, ...]:
        """The imports anywhere that lead to a file."""
        rows = self.connection.execute(
            "SELECT s.path FROM file f JOIN link l ON l.target = f.id JOIN file s ON s.id = l.source "
            "WHERE f.path=? ORDER BY s.path",
            (path,),
        ).fetchall()
        return tuple(edge for (source,) in rows for edge in self.imports_of(source) if edge.target == path)

    @sound
    def references(self, name: str, limit: int = 1000) -> tuple[Reference, ...]:
        """Where `name` is an identifier in the files as they are now, definitions included, by path and line."""
        found: list[Reference] = []
        for path in self.holding(name):
            try:
                data = self.read(path)
            except NotFound:
                continue
            found += self._references_in(path, data, name)
            if len(found) >= limit:
                break
        return tuple(found[:limit])

    def holding(self, name: str) -> Iterator[str]:
        """The files that may hold a name: those with the words in it."""
        paths = self.words().paths
        return (paths[number] for number in sorted(self._files("body", name)))

    def _references_in(self, path: str, data: bytes, name: str) -> Iterator[Reference]:
        from optimizer.languages.source import Source

        if name.encode() not in data or not (places := Source(path, data).occurrences(name)):
            return
        symbols = self.symbols_in(path)
        lines = data.split(b"\n")
        for place in places:
            inside = [symbol for symbol in symbols if symbol.start <= place.line <= symbol.end]
            owner = min(inside, key=lambda symbol: symbol.end - symbol.start).qualified if inside else ""
            text = lines[place.line - 1].decode("utf-8", "replace").strip()
            yield Reference(path, place.line, text, owner, place.kind)

    def read(self, path: str) -> bytes:
        """The bytes of an indexed file as they are on disk now. Raises NotFound."""
        known = self.connection.execute("SELECT 1 FROM file WHERE path=? AND content IS NOT NULL", (path,)).fetchone()
        data = read_regular(self.root.path, path) if known else None
        if data is None:
            raise NotFound(f"the index holds no file {path}", "name a file relative to the top of the repository")
        return data

    def sees(self, path: str) -> bool:
        """Whether a path may be read: a file that is indexed, or that would be; what is not there yet is."""
        if self.connection.execute("SELECT 1 FROM file WHERE path=?", (path,)).fetchone():
            return True
        return sees(self.root, path)

    @sound
    def words(self) -> Words:
        """The words of the tree, for scoring; valid until the next refresh."""
        if self._words is None:
            if not self.connection.in_transaction:
                self.connection.execute("BEGIN")
            self._words = Words(self.connection, self.damaged)
        return self._words

    def history(self) -> History:
        """The commits that HEAD reaches, valid until the next refresh; new ones are read first.

        It is kept in a separate file next to the index, so that neither waits for the other. Never raises: without git
        or commits it is empty.
        """
        if self._history is None:
            from optimizer.index.history import open_history

            self._history = open_history(self.root, self.file.with_suffix(".history.db"), self.paths())
        return self._history


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


class Unit(NamedTuple):
    """A function, a class without its methods, or the rest of a file; `spans` are its own lines (from 1, inclusive)."""

    path: str
    start: int
    end: int
    symbol: str
    kind: str
    spans: tuple[tuple[int, int], ...]


class Words:
    """Inverted lists over the units of a tree; valid until the next refresh of its index."""

    def __init__(self, connection: sqlite3.Connection, damaged: Callable[[str], None]) -> None:
        self.damaged = damaged
        self._connection = connection
        names = ("paths", "file_of", "length", "twins", "words")
        paths, file_of, length, twins, words = get_metas(connection, names)
        self.paths: Sequence[str] = paths.decode().split("\0") if paths else ()
        self.file_of: array[int] = array("i", file_of)
        self.length: array[int] = array("I", length)
        self.total_units, self.total_words = json.loads(words or b"[0,0]")
        self._twins: array[int] = array("I", twins)
        self._segments = [row[0] for row in connection.execute("SELECT id FROM segment")]

    @property
    def mean_length(self) -> float:
        """Mean number of words in a unit of the tree."""
        return self.total_words / self.total_units if self.total_units else 0.0

    @cached_property
    def origins(self) -> dict[int, Origin]:
        """The `generated` and `minified` files, by number."""
        return self._origins()

    @sound
    def _origins(self) -> dict[int, Origin]:
        stored = json.loads(get_meta(self._connection, "origins") or b"{}")
        return {number: origin for origin, numbers in stored.items() for number in numbers}

    @cached_property
    def _twins_of(self) -> dict[int, list[int]]:
        twins: dict[int, list[int]] = {}
        first = len(self.file_of) - len(self._twins)
        for number, original in enumerate(self._twins, first):
            twins.setdefault(original, []).append(number)
        return twins

    @cached_property
    def _gone(self) -> frozenset[int]:
        """The units that are not in the tree now."""
        return (
            frozenset(unit for unit, file in enumerate(self.file_of) if file < 0) if -1 in self.file_of else frozenset()
        )

    def copies(self) -> Mapping[int, Iterable[int]]:
        """By file number, the other files with the same bytes; the lists hold only the first."""
        return {
            self.file_of[original]: {self.file_of[twin] for twin in twins} for original, twins in self._twins_of.items()
        }

    @sound
    def postings(self, field: str, term: str, most: int = 0) -> tuple[array[int], array[int]]:
        """Unit numbers (file numbers for field 'path') ascending, and how often the term occurs in each.

        `field` is body, name, doc or path. A term that occurs more than `most` times gives nothing, at little cost;
        0 sets no bound.
        """
        segments = self._segments if field in FIELDS else (PATHS,) if field == "path" and self.paths else ()
        entries = find(self._connection, segments, field, term)
        gone = self._gone if field in FIELDS else frozenset()
        large = most > 0 and len(entries) > most * array("I").itemsize
        if large and not gone:
            return array("I"), array("I")
        numbers, counts = tally(entries, gone)
        if large and sum(counts) > most:
            return array("I"), array("I")
        if self._twins and field != "path":
            twins = self._twins_of
            again = {
                twin: count
                for number, count in zip(numbers, counts, strict=True)
                if number in twins
                for twin in twins[number]
            }
            for twin in sorted(again):
                numbers.append(twin)
                counts.append(again[twin])
        return numbers, counts

    def files_of(self, field: str, term: str) -> set[int]:
        """The numbers of the files that have a unit with this term."""
        return {self.file_of[unit] for unit in self.postings(field, term)[0]}

    @sound
    def unit(self, number: int) -> Unit:
        """The unit of a number whose `file_of` is not -1."""
        path = self.paths[self.file_of[number]]
        first_twin = len(self.file_of) - len(self._twins)
        if number >= first_twin:
            number = self._twins[number - first_twin]
        row = self._connection.execute(
            "SELECT c.first, c.stride, c.lines, c.symbols FROM file f JOIN content c ON c.id = f.content "
            "WHERE f.path=?",
            (path,),
        ).fetchone()
        if row is None:
            raise sqlite3.DatabaseError(f"nothing is kept of {path}")
        first, stride, lines, _ = row
        return _unit(path, extents(read_symbols(path, *row), lines)[(number - first) // stride])


def _unit(path: str, extent: Extent) -> Unit:
    start = extent.spans[0][0] if extent.spans else 1
    end = extent.spans[-1][1] if extent.spans else 0
    return Unit(path, start, end, extent.symbol, extent.kind, extent.spans)


def read_symbols(path: str, first: int, stride: int, lines: int, sealed: bytes) -> list[Symbol]:
    """The symbols of a content as they are in the file at `path`. Raises sqlite3.DatabaseError when it is damaged."""
    return [
        Symbol(name, qualified, kind, path, start, end, line, signature, parent, doc)
        for name, qualified, kind, start, end, line, signature, parent, doc in json.loads(
            unseal(sealed, text((first, stride, lines)))
        )
    ]
