"""Keep the store small: few segments, and no contents that no branch has used for long."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain, groupby
from operator import itemgetter

from optimizer.index.build import add_segment, next_unit
from optimizer.index.postings import FIELDS, unpack
from optimizer.index.seal import seal, set_meta, text, unseal

MOST_SEGMENTS = 8
SPARE_UNITS = 20_000
LARGE = 4_000_000  # bytes of lists: segments of this size stay as they are


def compact(connection: sqlite3.Connection) -> None:
    """Merge small segments when there are many; drop unused contents when they outweigh those in use twice.

    To be called in a transaction that writes.
    """
    (live,) = connection.execute(
        "SELECT coalesce(sum((length(lengths) - 4) / 4), 0) FROM content "
        "WHERE id IN (SELECT content FROM file WHERE content IS NOT NULL)"
    ).fetchone()
    if next_unit(connection) > 3 * live + SPARE_UNITS:
        _drop_unused(connection)
    else:
        _merge_small(connection)


def _merge_small(connection: sqlite3.Connection) -> None:
    segments = connection.execute("SELECT id, bytes FROM segment WHERE bytes<? ORDER BY bytes", (LARGE,)).fetchall()
    if len(segments) <= MOST_SEGMENTS:
        return
    chosen: list[int] = []
    total = 0
    for segment, size in segments:
        if len(chosen) > MOST_SEGMENTS // 2 and size > 2 * total:
            break
        chosen.append(segment)
        total += size
    _merge(connection, sorted(chosen), None)


def _drop_unused(connection: sqlite3.Connection) -> None:
    """Number the units that are left from 0 again."""
    connection.execute("DELETE FROM content WHERE id NOT IN (SELECT content FROM file WHERE content IS NOT NULL)")
    renumber = array("i", [-1]) * next_unit(connection)
    number = 0
    for content, key, first, stride, lines, sealed, symbols in connection.execute(
        "SELECT id, key, first, stride, lines, lengths, symbols FROM content ORDER BY first"
    ).fetchall():
        place = text((first, stride, lines))
        lengths = unseal(sealed, key, place)
        count = len(lengths) // 4
        renumber[first : first + stride * count : stride] = array("i", range(number, number + count))
        new = text((number, 1, lines))
        connection.execute(
            "UPDATE content SET first=?, stride=1, lengths=?, symbols=? WHERE id=?",
            (number, seal(lengths, key, new), seal(unseal(symbols, place), new), content),
        )
        number += count
    _merge(connection, [row[0] for row in connection.execute("SELECT id FROM segment").fetchall()], renumber)
    set_meta(connection, next_unit=number)


def _merge(connection: sqlite3.Connection, segments: Sequence[int], renumber: array[int] | None) -> None:
    """Make one segment of several, a run of each at a time in memory."""
    add_segment(connection, ((field, _merged(connection, segments, field, renumber)) for field in FIELDS))
    for segment in segments:
        connection.execute("DELETE FROM run WHERE segment=?", (segment,))
        connection.execute("DELETE FROM segment WHERE id=?", (segment,))


def _merged(
    connection: sqlite3.Connection, segments: Iterable[int], field: str, renumber: array[int] | None
) -> Iterator[tuple[str, bytes]]:
    streams = [_lists(connection, segment, field) for segment in segments]
    for term, group in groupby(merge(*streams, key=itemgetter(0)), key=itemgetter(0)):
        blob = b"".join([piece for _, piece in group])
        if renumber is not None:
            blob = array("I", [new for old in array("I", blob) if (new := renumber[old]) >= 0]).tobytes()
        if blob:
            yield term, blob


def _lists(connection: sqlite3.Connection, segment: int, field: str) -> Iterator[tuple[str, bytes]]:
    rows = connection.execute(
        "SELECT terms, ends, data FROM run WHERE field=? AND segment=? ORDER BY first", (field, segment)
    )
    return chain.from_iterable(unpack(*row) for row in rows)
