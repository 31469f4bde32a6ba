"""Write what was parsed to the store: contents and their words, then the tree that uses them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from array import array
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from zlib import crc32

from optimizer.index.postings import FIELDS, PATHS, expand, runs_of, shift, words_of
from optimizer.index.seal import EMPTY, get_meta, seal, set_meta, text, unseal
from optimizer.index.workers import Content, Parsed
from optimizer.retrieval import Skipped

FILES = "SELECT path, size, mtime, ctime, content, why, sum FROM file"


class Row(NamedTuple):
    """What the store keeps of a file; `content` is None where it was left out, for the reason `why`."""

    path: str
    size: int
    mtime: int
    ctime: int
    content: int | None
    why: str


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, and alone: waits for another process that writes."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def next_unit(connection: sqlite3.Connection) -> int:
    """The first unit number that no content has."""
    return int(get_meta(connection, "next_unit") or 0)


def content_ids(connection: sqlite3.Connection, keys: Iterable[bytes]) -> dict[bytes, int]:
    """The ids of those contents that the store holds."""
    found = {}
    for key in keys:
        row = connection.execute("SELECT id FROM content WHERE key=?", (key,)).fetchone()
        if row:
            found[key] = row[0]
    return found


def add_contents(connection: sqlite3.Connection, batches: Sequence[Parsed], first: int) -> None:
    """Keep parsed batches whose units were numbered from `first`; contents written by another process stay.

    The words are taken out of the batches.
    """
    with writing(connection):
        by = next_unit(connection) - first
        contents = [
            _content_row(key, content, by)
            for batch in batches
            for key, content in zip(batch.keys, batch.contents, strict=True)
        ]
        connection.executemany(
            "INSERT OR IGNORE INTO content (key, first, stride, lines, lengths, symbols, imports, origin) "
            "VALUES (?,?,?,?,?,?,?,?)",
            contents,
        )
        end = (
            max(
                content.first + content.stride * (len(content.lengths) // 4)
                for batch in batches
                for content in batch.contents
            )
            + by
        )
        add_segment(connection, _lists(batches, by))
        set_meta(connection, next_unit=end)


def _content_row(key: bytes, content: Content, by: int) -> tuple[bytes, int, int, int, bytes, bytes, bytes, bytes]:
    place = (content.first + by, content.stride, content.lines)
    return (
        key,
        *place,
        seal(content.lengths, key, text(place)),
        seal(content.symbols.encode(), text(place)),
        seal(content.imports.encode()),
        seal(content.origin.encode(), key),
    )


def _lists(batches: Sequence[Parsed], by: int) -> Iterator[tuple[str, Iterator[tuple[str, bytes]]]]:
    """The lists of each field in order of terms, a field at a time in memory, with units moved up."""
    memo: dict[bytes, list[str]] = {}
    for field in FIELDS:
        lists = expand(_joined([getattr(batch, field) for batch in batches]), memo)
        yield field, shift(lists, by) if by else lists


def _joined(parts: Iterable[dict[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """All parts as one; each is emptied, so that they are not in memory twice."""
    raw: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for part in parts:
        for word, blob in part.items():
            raw[word].append(blob)
        part.clear()
    return raw


def add_segment(connection: sqlite3.Connection, fields: Iterable[tuple[str, Iterable[tuple[str, bytes]]]]) -> None:
    """Store the lists of each field, in order of terms, as one segment."""
    segment = int(connection.execute("INSERT INTO segment (bytes) VALUES (0)").lastrowid or 0)
    for field, lists in fields:
        _add_runs(connection, segment, field, lists)
    connection.execute(
        "UPDATE segment SET bytes=(SELECT coalesce(sum(length(data)), 0) FROM run WHERE segment=?1) WHERE id=?1",
        (segment,),
    )


def _add_runs(connection: sqlite3.Connection, segment: int, field: str, lists: Iterable[tuple[str, bytes]]) -> None:
    connection.executemany("INSERT INTO run VALUES (?,?,?,?,?,?)", ((segment, field, *run) for run in runs_of(lists)))


def _sum(path: str, content: int | None, why: str) -> int:
    return crc32(text((path, content, why)))


def files(connection: sqlite3.Connection) -> dict[str, Row]:
    """What is kept of all files, by path. Raises sqlite3.DatabaseError when it is damaged."""
    found = {}
    for path, size, mtime, ctime, content, why, stored in connection.execute(FILES):
        if _sum(path, content, why) != stored:
            raise sqlite3.DatabaseError(f"the row of {path!r} does not match its checksum")
        found[path] = Row(path, size, mtime, ctime, content, why)
    return found


def store_files(connection: sqlite3.Connection, rows: Iterable[Row], present: Container[str]) -> None:
    """Write the rows of files and drop those of files that are not present."""
    gone = [(path,) for (path,) in connection.execute("SELECT path FROM file") if path not in present]
    connection.executemany("DELETE FROM file WHERE path=?", gone)
    connection.executemany(
        "INSERT INTO file (path, size, mtime, ctime, content, why, sum) VALUES (?,?,?,?,?,?,?) "
        "ON CONFLICT (path) DO UPDATE SET size=excluded.size, mtime=excluded.mtime, ctime=excluded.ctime, "
        "content=excluded.content, why=excluded.why, sum=excluded.sum",
        ((*row, _sum(row.path, row.content, row.why)) for row in rows),
    )


def store_snapshot(connection: sqlite3.Connection, skipped: Sequence[Skipped]) -> bool:
    """Compute what opens fast: which file each unit is in, how long it is, and the state of the tree.

    Tells whether other paths are indexed than before.
    """
    rows = connection.execute(
        "SELECT f.path, f.content, c.key, c.first, c.stride, c.lines, c.lengths, c.origin FROM file f "
        "JOIN content c ON c.id = f.content "
        "ORDER BY f.path"
    ).fetchall()
    paths = [row[0] for row in rows]
    new_paths = "\0".join(paths).encode() != get_meta(connection, "paths")
    if new_paths:
        _store_path_words(connection, paths)
    total = next_unit(connection)
    file_of, length = array("i", [-1]) * total, array("I", [0]) * total
    twins, twin_files = array("I"), array("i")
    seen = set()
    units = 0
    origins: dict[str, list[int]] = {"generated": [], "minified": []}
    for number, (_, content, key, first, stride, lines, sealed, origin) in enumerate(rows):
        if len(origin) > EMPTY:
            origins[unseal(origin, key).decode()].append(number)
        lengths = array("I", unseal(sealed, key, text((first, stride, lines))))
        count = len(lengths)
        units += count
        end = first + stride * count
        if content in seen:
            twins.extend(range(first, end, stride))
            twin_files.extend([number] * count)
            length.extend(lengths)
            continue
        seen.add(content)
        file_of[first:end:stride] = array("i", (number,)) * count
        length[first:end:stride] = lengths
    unread = connection.execute("SELECT path, why FROM file WHERE content IS NULL").fetchall()
    set_meta(
        connection,
        state=hashlib.blake2b(b"".join([row[0].encode() + b"\0" + row[2] for row in rows]), digest_size=16).hexdigest(),
        paths="\0".join(paths),
        file_of=(file_of + twin_files).tobytes(),
        length=length.tobytes(),
        twins=twins.tobytes(),
        words=json.dumps([units, sum(length)]),
        origins=json.dumps(origins),
        skipped=json.dumps(sorted([(item.path, item.why) for item in skipped] + unread)),
    )
    return new_paths


def _store_path_words(connection: sqlite3.Connection, paths: Iterable[str]) -> None:
    raw: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for number, path in enumerate(paths):
        for word in words_of(path.encode()):
            raw[word].append(number.to_bytes(4, sys.byteorder))
    connection.execute("DELETE FROM run WHERE segment=?", (PATHS,))
    _add_runs(connection, PATHS, "path", expand(raw, {}))
