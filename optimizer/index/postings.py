"""Inverted lists: term → the units that hold it, one entry per occurrence, packed in runs of sorted terms."""

from __future__ import annotations

import sqlite3
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, islice
from typing import NamedTuple

from optimizer.index.schema import seal, unseal
from optimizer.languages.words import split_all, terms

RUN = 64
MOST_READ = 12_000_000  # bytes of runs that are kept once read
RUN_BYTES = 8_000  # what a run takes next to its lists
FIELDS = ("body", "doc", "name")
PATHS = 0  # the segment of the words in paths

# Words too common in code or prose to be useful; no list is kept for them.
STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "class",
        "def",
        "else",
        "for",
        "from",
        "function",
        "if",
        "import",
        "in",
        "is",
        "it",
        "let",
        "new",
        "not",
        "null",
        "none",
        "of",
        "on",
        "or",
        "public",
        "return",
        "self",
        "static",
        "string",
        "test",
        "that",
        "the",
        "this",
        "to",
        "true",
        "false",
        "var",
        "void",
        "was",
        "with",
        "const",
        "int",
    ]
)


# The same as bytes, and all single characters.
LISTLESS = frozenset([word.encode() for word in STOP]) | frozenset([bytes((code,)) for code in range(128)])

# Every byte that is not part of a word becomes a blank, except line breaks.
BLANKS = bytes(code if chr(code).isalnum() or code in b"_\n" or code > 127 else ord(" ") for code in range(256))


def words_of(text: bytes) -> list[bytes]:
    """The words of a text as written, including numbers."""
    return text.translate(BLANKS).split()


def expand(raw: Mapping[bytes, list[bytes]], memo: dict[bytes, list[str]]) -> Iterator[tuple[str, bytes]]:
    """Lists of words as written → lists of terms in order: each word in lower case and its parts.

    `memo` is filled. Lists are joined one at a time, so that they are never all in memory.
    """
    lists: defaultdict[str, list[bytes]] = defaultdict(list)
    _learn([word for word in raw if word not in memo], memo)
    for word, pieces in raw.items():
        for term in memo[word]:
            lists[term] += pieces
    return ((term, b"".join(lists.pop(term))) for term in sorted(lists) if term not in STOP and len(term) > 1)


def _learn(words: list[bytes], memo: dict[bytes, list[str]]) -> None:
    for word in words:
        if not word.isascii() or word[:1].isdigit():
            memo[word] = terms(word.decode("utf-8", "replace"))
    if not (plain := [word for word in words if word not in memo]):
        return
    text = b"\n".join(plain).decode()
    for word, whole, parts in zip(plain, text.lower().split("\n"), split_all(text.split("\n")), strict=True):
        memo[word] = parts if parts == [whole] else [whole, *parts]


def runs(lists: Mapping[str, bytes]) -> Iterator[tuple[str, str, bytes, bytes]]:
    """Pack lists for storage: where a run begins, its terms between its bounds, where each list ends, all lists.

    Terms hold no line break. The first run begins at "", each other at its first term, and a run ends where the next
    begins ("" for the last): for any term exactly one run says whether it exists, even when there are no lists.
    """
    return runs_of(sorted(lists.items()))


def runs_of(lists: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, str, bytes, bytes]]:
    """The same of lists that come in the order of their terms, a run at a time in memory."""
    ordered = iter(lists)
    run, begin = list(islice(ordered, RUN)), ""
    while True:
        following = list(islice(ordered, RUN))
        end = following[0][0] if following else ""
        text = "\n".join((begin, *(name for name, _ in run), end))
        ends = array("I", accumulate(len(blob) for _, blob in run)).tobytes()
        yield begin, text, ends, seal(b"".join(blob for _, blob in run), text.encode(), ends)
        if not following:
            return
        run, begin = following, end


def unpack(names: str, ends: bytes, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The lists of one run. Raises sqlite3.DatabaseError when it is damaged."""
    data = unseal(data, names.encode(), ends)
    start = 0
    for name, end in zip(names.split("\n")[1:-1], array("I", ends), strict=True):
        yield name, data[start:end]
        start = end


def shift(lists: Iterable[tuple[str, bytes]], by: int) -> Iterator[tuple[str, bytes]]:
    """The same lists with every unit number moved up."""
    return ((term, array("I", map(by.__add__, array("I", blob))).tobytes()) for term, blob in lists)


class Runs:
    """The stored runs of terms; those read last are kept, up to a size."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._begins: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        self._read: defaultdict[tuple[int, str], list[_Run]] = defaultdict(list)
        self.size = 0

    def find(self, segments: Iterable[int], field: str, term: str) -> bytes:
        """All entries of one term over the segments, in no order. Raises sqlite3.DatabaseError for damaged ones."""
        found = []
        for segment in segments:
            run = self._run(segment, field, term)
            place = run.places.get(term)
            if place is not None:
                found.append(run.lists[run.ends[place - 1] if place else 0 : run.ends[place]])
        return b"".join(found)

    def _run(self, segment: int, field: str, term: str) -> _Run:
        """The run of a segment that says whether a term exists."""
        begins = self._begins[segment, field]
        at = bisect_right(begins, term)
        if at:
            run = self._read[segment, field][at - 1]
            if term < run.end or not run.end:
                return run
        run = _read_run(self._connection, segment, field, term)
        if self.size > MOST_READ:
            self._begins.clear()
            self._read.clear()
            self.size, at = 0, 0
        self._begins[segment, field].insert(at, run.begin)
        self._read[segment, field].insert(at, run)
        self.size += len(run.lists) + RUN_BYTES
        return run


class _Run(NamedTuple):
    """Where the terms of a run are in its lists, and its bounds."""

    begin: str
    end: str
    places: Mapping[str, int]
    ends: array[int]
    lists: bytes


def _read_run(connection: sqlite3.Connection, segment: int, field: str, term: str) -> _Run:
    row = connection.execute(
        "SELECT terms, ends, data FROM run WHERE field=? AND segment=? AND first<=? ORDER BY first DESC LIMIT 1",
        (field, segment, term),
    ).fetchone()
    if row is None:
        raise sqlite3.DatabaseError("a run of terms is missing")
    lists = unseal(row[2], row[0].encode(), row[1])
    begin, *names, end = row[0].split("\n")
    if not (begin <= term and (term < end or not end)):
        raise sqlite3.DatabaseError("a run of terms is not where it belongs")
    return _Run(begin, end, {name: place for place, name in enumerate(names)}, array("I", row[1]), lists)


def tally(blob: bytes, gone: frozenset[int] = frozenset()) -> tuple[array[int], array[int]]:
    """Entries → unit numbers ascending, and how often each occurs; those of the units in `gone` are left out."""
    counts = Counter(array("I", blob))
    for number in gone.intersection(counts) if gone else ():
        counts.pop(number)
    numbers = sorted(counts)
    return array("I", numbers), array("I", map(counts.__getitem__, numbers))
