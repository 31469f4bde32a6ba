"""The words of a tree for scoring, with all that depends on the tree alone and is worth keeping between questions."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from optimizer.index.kept import Kept
from optimizer.index.postings import FIELDS, PATHS, Runs, tally
from optimizer.index.schema import get_meta, get_metas, text, unseal
from optimizer.index.sound import sound
from optimizer.languages.units import Extent, extents
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from optimizer.languages.origin import Origin

MOST_POSTINGS = 500_000  # unit numbers of decoded lists that are kept
MOST_SYMBOLS = 20_000

T = TypeVar("T")


class Unit(NamedTuple):
    """A function, a class without its methods, or the rest of a file; `spans` are its own lines (from 1, inclusive)."""

    path: str
    start: int
    end: int
    symbol: str
    kind: str
    spans: tuple[tuple[int, int], ...]


class Postings(NamedTuple):
    """The units (files for field 'path') that hold a term, ascending, and how often it occurs in each."""

    numbers: array[int]
    counts: array[int]


_NOTHING = Postings(array("I"), array("I"))


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
        self._runs = Runs(connection)
        self._lists: Kept[tuple[str, str], tuple[Postings, int]] = Kept(MOST_POSTINGS)
        self._symbols: Kept[str, tuple[Symbol, ...]] = Kept(MOST_SYMBOLS)
        self._made: dict[Callable[[Words], Any], Any] = {}

    def once(self, make: Callable[[Words], T]) -> T:
        """What `make` makes of these words, made once; `make` is a function or class of a module."""
        if make not in self._made:
            self._made[make] = make(self)
        made: T = self._made[make]
        return made

    @property
    def mean_length(self) -> float:
        """Mean number of words in a unit of the tree."""
        return self.total_words / self.total_units if self.total_units else 0.0

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each file, by path."""
        return {path: number for number, path in enumerate(self.paths)}

    @cached_property
    def file_lengths(self) -> Sequence[int]:
        """The length of each file in words."""
        lengths = [0] * len(self.paths)
        for file, length in zip(self.file_of, self.length, strict=False):
            if file >= 0:
                lengths[file] += length
        return lengths

    @cached_property
    def units_of(self) -> Mapping[int, Sequence[int]]:
        """The units of each file that has any, ascending."""
        found: dict[int, list[int]] = {}
        for unit, file in enumerate(self.file_of):
            if file in found:
                found[file].append(unit)
            elif file >= 0:
                found[file] = [unit]
        return found

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
    def postings(self, field: str, term: str, most: int = 0) -> Postings:
        """Unit numbers (file numbers for field 'path') ascending, and how often the term occurs in each.

        `field` is body, name, doc or path. A term that occurs more than `most` times gives nothing, at little cost;
        0 sets no bound.
        """
        found = self._lists.get((field, term))
        if found is None:
            segments = self._segments if field in FIELDS else (PATHS,) if field == "path" and self.paths else ()
            entries = self._runs.find(segments, field, term)
            gone = self._gone if field in FIELDS else frozenset[int]()
            if most > 0 and len(entries) > most * array("I").itemsize and not gone:
                return _NOTHING
            numbers, counts = tally(entries, gone)
            occurrences = sum(counts)
            if self._twins and field != "path":
                self._add_twins(numbers, counts)
            found = Postings(numbers, counts), occurrences
            self._lists.put((field, term), found, 1 + len(numbers))
        return _NOTHING if 0 < most < found[1] else found[0]

    def _add_twins(self, numbers: array[int], counts: array[int]) -> None:
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

    def files_of(self, field: str, term: str) -> set[int]:
        """The numbers of the files that have a unit with this term."""
        return set(map(self.file_of.__getitem__, self.postings(field, term).numbers))

    @sound
    def symbols_in(self, path: str) -> tuple[Symbol, ...]:
        """The definitions of a file in the order of lines; none for a path that is not indexed."""
        found = self._symbols.get(path)
        if found is None:
            row = self._connection.execute(_PLACE, (path,)).fetchone()
            found = tuple(read_symbols(path, *row)) if row else ()
            self._symbols.put(path, found, 1 + len(found))
        return found

    @sound
    def unit(self, number: int) -> Unit:
        """The unit of a number whose `file_of` is not -1."""
        path = self.paths[self.file_of[number]]
        first_twin = len(self.file_of) - len(self._twins)
        if number >= first_twin:
            number = self._twins[number - first_twin]
        row = self._connection.execute(_PLACE, (path,)).fetchone()
        if row is None:
            raise sqlite3.DatabaseError(f"nothing is kept of {path}")
        first, stride, lines, _ = row
        return _unit(path, extents(read_symbols(path, *row), lines)[(number - first) // stride])


_PLACE = "SELECT c.first, c.stride, c.lines, c.symbols FROM file f JOIN content c ON c.id = f.content WHERE f.path=?"


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
