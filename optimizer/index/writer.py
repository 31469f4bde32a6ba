"""Write to an index what was parsed: contents and words, the tree that uses them, and the graph of its imports."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from array import array
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain, groupby
from operator import itemgetter
from typing import NamedTuple
from zlib import crc32

from optimizer.db.store import transaction
from optimizer.index.postings import FIELDS, PATHS, expand, runs_of, shift, unpack, words_of
from optimizer.index.schema import EMPTY, get_meta, seal, set_meta, text, unseal
from optimizer.index.workers import Content, Parsed
from optimizer.languages.edges import PACKAGE, RawImport
from optimizer.languages.imports import family_of, has_package, is_manifest, resolve, tree
from optimizer.retrieval import SkipCode, Skipped

FILES = "SELECT path, size, mtime, ctime, content, why, sum FROM file"


class StoredFile(NamedTuple):
    """The stored row of a file; `content` is None for one that was left out, `why` as `written`."""

    path: str
    size: int
    mtime: int
    ctime: int
    content: int | None
    why: str


def written(code: SkipCode, limit: float = 0) -> str:
    """Why a file was left out, as it is stored."""
    return f"{code} {limit!r}" if limit else code


def next_unit(connection: sqlite3.Connection) -> int:
    """The first unit number that no content has."""
    return int(get_meta(connection, "next_unit") or 0)


def content_ids(connection: sqlite3.Connection, keys: Iterable[bytes]) -> dict[bytes, int]:
    """The ids of the contents that the store holds."""
    found = {}
    for key in keys:
        row = connection.execute("SELECT id FROM content WHERE key=?", (key,)).fetchone()
        if row:
            found[key] = row[0]
    return found


def add_contents(connection: sqlite3.Connection, batches: Sequence[Parsed], first: int) -> None:
    """Store parsed batches whose units were numbered from `first`; contents that another process wrote stay.

    The words are removed from the batches.
    """
    with transaction(connection):
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
    """All parts merged; each is emptied, so that they are not in memory twice."""
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


def stored_files(connection: sqlite3.Connection) -> dict[str, StoredFile]:
    """All stored files, by path. Raises sqlite3.DatabaseError when a row is damaged."""
    found = {}
    for path, size, mtime, ctime, content, why, stored in connection.execute(FILES):
        if _sum(path, content, why) != stored:
            raise sqlite3.DatabaseError(f"the row of {path!r} does not match its checksum")
        found[path] = StoredFile(path, size, mtime, ctime, content, why)
    return found


def store_files(connection: sqlite3.Connection, rows: Iterable[StoredFile], present: Container[str]) -> None:
    """Write the rows of files and delete those of files that are not present."""
    gone = [(path,) for (path,) in connection.execute("SELECT path FROM file") if path not in present]
    connection.executemany("DELETE FROM file WHERE path=?", gone)
    connection.executemany(
        "INSERT INTO file (path, size, mtime, ctime, content, why, sum) VALUES (?,?,?,?,?,?,?) "
        "ON CONFLICT (path) DO UPDATE SET size=excluded.size, mtime=excluded.mtime, ctime=excluded.ctime, "
        "content=excluded.content, why=excluded.why, sum=excluded.sum",
        ((*row, _sum(row.path, row.content, row.why)) for row in rows),
    )


def store_snapshot(connection: sqlite3.Connection, skipped: Sequence[Skipped]) -> bool:
    """Compute what is read on opening: which file each unit is in, how long it is, and the state of the tree.

    Returns whether the set of indexed paths changed.
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
        skipped=json.dumps(sorted([(item.path, written(item.code, item.limit)) for item in skipped] + unread)),
    )
    return new_paths


def _store_path_words(connection: sqlite3.Connection, paths: Iterable[str]) -> None:
    raw: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for number, path in enumerate(paths):
        for word in words_of(path.encode()):
            raw[word].append(number.to_bytes(4, sys.byteorder))
    connection.execute("DELETE FROM run WHERE segment=?", (PATHS,))
    _add_runs(connection, PATHS, "path", expand(raw, {}))


MOST_SEGMENTS = 8
SPARE_UNITS = 20_000
LARGE = 4_000_000  # bytes of lists: segments of this size stay as they are


def compact(connection: sqlite3.Connection) -> None:
    """Merge small segments when there are many; drop unused contents when they are twice those in use.

    Call it inside a write transaction.
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
    """Delete unused contents and renumber the remaining units from 0."""
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
    """Merge segments into one, with a run of each in memory at a time."""
    add_segment(connection, ((field, _merged(connection, segments, field, renumber)) for field in FIELDS))
    for segment in segments:
        connection.execute("DELETE FROM run WHERE segment=?", (segment,))
        connection.execute("DELETE FROM segment WHERE id=?", (segment,))


def _merged(
    connection: sqlite3.Connection, segments: Iterable[int], field: str, renumber: array[int] | None
) -> Iterator[tuple[str, bytes]]:
    streams = [_stored_lists(connection, segment, field) for segment in segments]
    for term, group in groupby(merge(*streams, key=itemgetter(0)), key=itemgetter(0)):
        blob = b"".join([piece for _, piece in group])
        if renumber is not None:
            blob = array("I", [new for old in array("I", blob) if (new := renumber[old]) >= 0]).tobytes()
        if blob:
            yield term, blob


def _stored_lists(connection: sqlite3.Connection, segment: int, field: str) -> Iterator[tuple[str, bytes]]:
    rows = connection.execute(
        "SELECT terms, ends, data FROM run WHERE field=? AND segment=? ORDER BY first", (field, segment)
    )
    return chain.from_iterable(unpack(*row) for row in rows)


_IMPORTS = "SELECT f.path, c.imports FROM file f JOIN content c ON c.id = f.content"
_ONE_IMPORTS = "SELECT c.imports FROM file f JOIN content c ON c.id = f.content"


def store_links(
    connection: sqlite3.Connection, changed: Iterable[str], new_paths: bool, read: Callable[[str], bytes | None]
) -> None:
    """Resolve the imports of the changed files; of all files when the set of files or a manifest changed.

    Call it inside a write transaction; `read` returns the bytes of a file.
    """
    ids = dict(connection.execute("SELECT path, id FROM file WHERE content IS NOT NULL"))
    changed = [path for path in changed if path in ids]
    stored: Iterable[tuple[str, bytes]]
    if new_paths or any(map(is_manifest, changed)):
        connection.execute("DELETE FROM edges")
        connection.execute("DELETE FROM link")
        stored = connection.execute(_IMPORTS)
    else:
        stored = [row for path in changed if (row := _other_imports(connection, path, ids[path]))]
        if families := {family_of(path) for path, _ in stored if has_package(path)}:
            stored = [row for row in connection.execute(_IMPORTS) if family_of(row[0]) in families] + [
                row for row in stored if family_of(row[0]) not in families
            ]
        connection.executemany("DELETE FROM link WHERE source=?", ((ids[path],) for path, _ in stored))
    if not stored:
        return
    manifests = {path: data for path in ids if is_manifest(path) and (data := read(path)) is not None}
    table = tree(ids, manifests, packages(connection))
    targets: dict[int, array[int]] = {}

    def bodies() -> Iterator[tuple[int, int, bytes]]:
        for path, imports in stored:
            edges = resolve(path, tuple([raw for raw in _written(imports) if raw.kind != PACKAGE]), table)
            body = json.dumps([(edge.line, edge.module, edge.target) for edge in edges])
            targets[ids[path]] = array("q", {ids[edge.target] for edge in edges if edge.target in ids})
            yield ids[path], crc32(imports), seal(body.encode())

    connection.executemany("INSERT OR REPLACE INTO edges VALUES (?,?,?)", bodies())
    links = sorted(target << 32 | source for source, found in targets.items() for target in found)
    connection.executemany("INSERT INTO link VALUES (?,?)", ((link >> 32, link & 0xFFFFFFFF) for link in links))


def packages(connection: sqlite3.Connection) -> dict[str, tuple[RawImport, ...]]:
    """The packages that files declare, of languages whose imports lead to them."""
    rows = ((path, imports) for path, imports in connection.execute(_IMPORTS) if has_package(path))
    return {path: tuple([raw for raw in _written(imports) if raw.kind == PACKAGE]) for path, imports in rows}


def _written(imports: bytes) -> Iterator[RawImport]:
    return (RawImport(module, tuple(names), *rest) for module, names, *rest in json.loads(unseal(imports)))


def _other_imports(connection: sqlite3.Connection, path: str, source: int) -> tuple[str, bytes] | None:
    """The imports of a file, unless they are those that its edges were made from."""
    found = connection.execute(f"{_ONE_IMPORTS} WHERE f.path=?", (path,)).fetchone()
    if found is None:
        raise sqlite3.DatabaseError("a file is missing from its own index")
    (imports,) = found
    row = connection.execute("SELECT origin FROM edges WHERE source=?", (source,)).fetchone()
    return None if row and row[0] == crc32(imports) else (path, imports)
