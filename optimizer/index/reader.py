"""The index of one repository: a connection to its SQLite file, and all queries."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.db.store import open_db, put_aside, replaced
from optimizer.errors import NotFound
from optimizer.git.run import FileNames, Refusal
from optimizer.index.files import Root, sees
from optimizer.index.kept import Kept
from optimizer.index.postings import STOP
from optimizer.index.regular import read_regular
from optimizer.index.schema import SCHEMA, get_meta, unseal
from optimizer.index.sound import sound
from optimizer.index.words import Words, read_symbols
from optimizer.languages.edges import ImportEdge, RawImport
from optimizer.languages.words import terms
from optimizer.retrieval import Reference, Skipped, Symbol

if TYPE_CHECKING:
    from optimizer.index.history import History


MOST_EDGES = 50_000
_EDGES = "SELECT e.body FROM edges e JOIN file f ON f.id = e.source WHERE f.path=?"
_IMPORTERS = (
    "SELECT s.path FROM file f JOIN link l ON l.target = f.id JOIN file s ON s.id = l.source "
    "WHERE f.path=? ORDER BY s.path"
)
_ALL_SYMBOLS = "SELECT f.path, c.first, c.stride, c.lines, c.symbols FROM file f JOIN content c ON c.id = f.content"


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
        self._version: tuple[int, int] | None = None
        self._edges: Kept[tuple[str, bool], tuple[ImportEdge, ...]] = Kept(MOST_EDGES)
        self._history: History | None = None
        self._history_of: Sequence[str] | None = None

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
        """Let go of the state of the store that was read: what is asked next is of the newest one."""
        self._history_of = None
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
        return self.words().symbols_in(path)

    @sound
    def all_names(self) -> tuple[str, ...]:
        """Every name that is defined somewhere in the tree."""
        rows = self.connection.execute(_ALL_SYMBOLS).fetchall()
        return tuple(sorted({symbol.name for row in rows for symbol in read_symbols(*row) if symbol.kind != "section"}))

    @sound
    def imports_of(self, path: str) -> tuple[ImportEdge, ...]:
        """The imports of a file, resolved."""
        self.words()
        found = self._edges.get((path, True))
        if found is None:
            row = self.connection.execute(_EDGES, (path,)).fetchone()
            edges = json.loads(unseal(row[0])) if row else ()
            found = tuple(ImportEdge(path, line, module, target) for line, module, target in edges)
            self._edges.put((path, True), found, 1 + len(found))
        return found

    @sound
    def packages(self) -> Mapping[str, tuple[RawImport, ...]]:
        """The packages that files declare, of languages whose imports lead to them."""
        from optimizer.index.writer import packages

        return packages(self.connection)

    @sound
    def importers_of(self, path: str) -> tuple[ImportEdge, ...]:
        """The imports anywhere that lead to a file."""
        self.words()
        found = self._edges.get((path, False))
        if found is None:
            sources = self.connection.execute(_IMPORTERS, (path,)).fetchall()
            found = tuple(edge for (source,) in sources for edge in self.imports_of(source) if edge.target == path)
            self._edges.put((path, False), found, 1 + len(found))
        return found

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
        """The words of the tree, for scoring; valid until the next refresh, and after it if the store is the same."""
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN")
            version = *self.connection.execute("PRAGMA data_version").fetchone(), self.connection.total_changes
            if version != self._version:
                self._words, self._version = None, version
        if self._words is None:
            self._words = Words(self.connection, self.damaged)
            self._edges = Kept(MOST_EDGES)
        return self._words

    def history(self) -> History:
        """The commits that HEAD reaches, valid until the next refresh; new ones are read first.

        It is kept in a separate file next to the index, so that neither waits for the other. Never raises: without git
        or commits it is empty.
        """
        paths = self.words().paths
        if self._history is None or self._history_of is not paths:
            from optimizer.index.history import newest_history

            if self._history is not None and self._history.paths is not paths:
                self._close_history()
            known = self._history
            self._history = newest_history(self.root, self.file.with_suffix(".history.db"), paths, known)
            self._history_of = paths
        return self._history


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
