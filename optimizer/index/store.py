"""The index of one repository: a connection to its SQLite file, and all that can be asked of it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.db import open_db, put_aside
from optimizer.errors import NotFound
from optimizer.git.files import FileNames
from optimizer.index.postings import STOP
from optimizer.index.regular import read_regular
from optimizer.index.schema import SCHEMA
from optimizer.index.seal import get_meta, sound, unseal
from optimizer.index.snapshot import Words, read_symbols
from optimizer.index.walk import Root
from optimizer.languages.edges import ImportEdge
from optimizer.languages.words import terms
from optimizer.retrieval import Reference, Skipped, Symbol

if TYPE_CHECKING:
    from optimizer.index.history import History

_SYMBOLS = "SELECT f.path, c.first, c.stride, c.lines, c.symbols FROM file f JOIN content c ON c.id = f.content WHERE "


def open_index(root: Root, cache: Path, naming: FileNames | None = None) -> Index:
    """Open or begin the index of a repository; `cache` is the folder of all caches.

    `naming`, where it has begun, serves the first refresh. Raises StorageError.
    """
    name = hashlib.blake2b(os.fsencode(root.path), digest_size=16).hexdigest()
    return Index(root, cache / "index" / f"{name}.db", naming)


class Index:
    """What is known of a repository since the last refresh; symbols, imports and words by name or path."""

    def __init__(self, root: Root, file: Path, naming: FileNames | None = None) -> None:
        self.root = root
        self.naming = naming
        self.file = file
        self.notice = ""
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
        """Put a store that proved damaged aside, unless another process did so already, and open a new one."""
        self.close()
        aside = put_aside(self.file) if _identity(self.file) == self._identity else None
        self._open()
        if aside:
            self.notice = f"{SCHEMA.name} was damaged ({why}); moved to {aside.name}, rebuilt"

    def forget(self) -> None:
        """Drop what was read, after the store changed."""
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
        return tuple(Skipped(path, why) for path, why in json.loads(self.meta("skipped") or "[]"))

    @sound
    def symbols_named(self, names: Iterable[str]) -> tuple[Symbol, ...]:
        """All definitions whose own name is one of `names`; sections of files that are not code are none."""
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
        """The numbers of the files that may hold a name: all of them where no list is kept for it."""
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
        """Where `name` stands as an identifier in the files as they are now, definitions included, by path and line."""
        found: list[Reference] = []
        for path in self._candidates(name):
            try:
                data = self.read(path)
            except NotFound:
                continue
            found += self._references_in(path, data, name)
            if len(found) >= limit:
                break
        return tuple(found[:limit])

    def _candidates(self, name: str) -> Iterator[str]:
        paths = self.words().paths
        return (paths[number] for number in sorted(self._files("body", name)))

    def _references_in(self, path: str, data: bytes, name: str) -> Iterator[Reference]:
        from optimizer.languages.parse import occurrences

        if name.encode() not in data or not (places := occurrences(path, data, name)):
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

    @sound
    def words(self) -> Words:
        """The words of the tree, for scoring; good until the next refresh."""
        if self._words is None:
            if not self.connection.in_transaction:
                self.connection.execute("BEGIN")
            self._words = Words(self.connection, self.damaged)
        return self._words

    def history(self) -> History:
        """The commits that HEAD reaches, good until the next refresh; those not seen before are read first.

        It lies in a file of its own beside the index, so that neither waits for the other. Never raises: without git
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
