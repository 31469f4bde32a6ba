"""Keep the store small: few segments, and no contents that no branch has used for long."""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable

from optimizer.index.build import add_segment, next_unit
from optimizer.index.postings import unpack
from optimizer.index.seal import seal, set_meta, text, unseal

MOST_SEGMENTS = 8
SPARE_UNITS = 20_000


def compact(connection: sqlite3.Connection) -> None:
    """Merge segments when there are many; drop unused contents when they outweigh those in use twice.

    To be called in a transaction that writes.
    """
    live = sum(
        (size - 4) // 4
        for (size,) in connection.execute(
            "SELECT length(lengths) FROM content WHERE id IN (SELECT content FROM file WHERE content IS NOT NULL)"
        )
    )
    if next_unit(connection) > 3 * live + SPARE_UNITS:
        _drop_unused(connection)
    else:
        _merge_small(connection)


def _merge_small(connection: sqlite3.Connection) -> None:
    segments = connection.execute("SELECT id, bytes FROM segment ORDER BY bytes").fetchall()
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


def _merge(connection: sqlite3.Connection, segments: Iterable[int], renumber: array[int] | None) -> None:
    fields: defaultdict[str, defaultdict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for segment in segments:
        for field, *run in connection.execute("SELECT field, terms, ends, data FROM run WHERE segment=?", (segment,)):
            for term, blob in unpack(*run):
                if renumber is not None:
                    blob = array("I", [new for old in array("I", blob) if (new := renumber[old]) >= 0]).tobytes()
                if blob:
                    fields[field][term].append(blob)
        connection.execute("DELETE FROM run WHERE segment=?", (segment,))
        connection.execute("DELETE FROM segment WHERE id=?", (segment,))
    add_segment(connection, {field: {term: b"".join(b) for term, b in of.items()} for field, of in fields.items()})
