"""The words of the tree at one moment, cheap to open, for scoring."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from optimizer.index.postings import FIELDS, PATHS, find, tally
from optimizer.index.seal import get_meta, sound, text, unseal
from optimizer.languages.units import Extent, extents
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from optimizer.languages.origin import Origin


class Unit(NamedTuple):
    """A function, a class outside its methods, or the rest of a file; `spans` are its own lines, from 1, included."""

    path: str
    start: int
    end: int
    symbol: str
    kind: str
    spans: tuple[tuple[int, int], ...]


class Words:
    """Inverted lists over the units of a tree; good until the next refresh of the index it came from."""

    def __init__(self, connection: sqlite3.Connection, damaged: Callable[[str], None]) -> None:
        self.damaged = damaged
        self._connection = connection
        names = ("paths", "file_of", "length", "twins", "words")
        paths, file_of, length, twins, words = (get_meta(connection, name) for name in names)
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
        """The files that nobody wrote by hand, by number: `generated` or `minified`, as their bytes tell."""
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
        """By file number, the other files with the very same bytes, where the lists tell of the first alone."""
        return {
            self.file_of[original]: {self.file_of[twin] for twin in twins} for original, twins in self._twins_of.items()
        }

    @sound
    def postings(self, field: str, term: str, most: int = 0) -> tuple[array[int], array[int]]:
        """Unit numbers (file numbers for field 'path') ascending, and how often the term stands in each.

        `field` is body, name, doc or path. A term that stands more than `most` times gives nothing, at little cost;
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
