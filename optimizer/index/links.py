"""Resolve imports to files and keep the graph of them."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator
from zlib import crc32

from optimizer.index.seal import seal, unseal
from optimizer.languages.edges import RawImport
from optimizer.languages.imports import is_manifest, resolve, tree

_IMPORTS = "SELECT f.path, c.imports FROM file f JOIN content c ON c.id = f.content"
_ONE_IMPORTS = "SELECT c.imports FROM file f JOIN content c ON c.id = f.content"


def store_links(
    connection: sqlite3.Connection, changed: Iterable[str], new_paths: bool, read: Callable[[str], bytes | None]
) -> None:
    """Resolve the imports of the changed files; of all files when the set of files or a manifest changed.

    To be called in a transaction that writes; `read` gives the bytes of a file.
    """
    ids = dict(connection.execute("SELECT path, id FROM file WHERE content IS NOT NULL"))
    changed = [path for path in changed if path in ids]
    if new_paths or any(map(is_manifest, changed)):
        connection.execute("DELETE FROM edges")
        connection.execute("DELETE FROM link")
        stored: Iterable[tuple[str, bytes]] = connection.execute(_IMPORTS)
    else:
        stored = [row for path in changed if (row := _other_imports(connection, path, ids[path]))]
        connection.executemany("DELETE FROM link WHERE source=?", ((ids[path],) for path, _ in stored))
    if not stored:
        return
    manifests = {path: data for path in ids if is_manifest(path) and (data := read(path)) is not None}
    table = tree(ids, manifests)
    targets: dict[int, array[int]] = {}

    def bodies() -> Iterator[tuple[int, int, bytes]]:
        for path, imports in stored:
            written = json.loads(unseal(imports))
            raw = tuple([RawImport(module, tuple(names), line, kind) for module, names, line, kind in written])
            edges = resolve(path, raw, table)
            body = json.dumps([(edge.line, edge.module, edge.target) for edge in edges])
            targets[ids[path]] = array("q", {ids[edge.target] for edge in edges if edge.target in ids})
            yield ids[path], crc32(imports), seal(body.encode())

    connection.executemany("INSERT OR REPLACE INTO edges VALUES (?,?,?)", bodies())
    links = sorted(target << 32 | source for source, found in targets.items() for target in found)
    connection.executemany("INSERT INTO link VALUES (?,?)", ((link >> 32, link & 0xFFFFFFFF) for link in links))


def _other_imports(connection: sqlite3.Connection, path: str, source: int) -> tuple[str, bytes] | None:
    """The imports of a file, unless they are those that its edges were made from."""
    found = connection.execute(f"{_ONE_IMPORTS} WHERE f.path=?", (path,)).fetchone()
    if found is None:
        raise sqlite3.DatabaseError("a file is missing from its own index")
    (imports,) = found
    row = connection.execute("SELECT origin FROM edges WHERE source=?", (source,)).fetchone()
    return None if row and row[0] == crc32(imports) else (path, imports)
