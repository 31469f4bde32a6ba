"""Resolve imports to files and keep the graph of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from zlib import crc32

from optimizer.index.imports import is_manifest, resolve, tree
from optimizer.index.parse import RawImport
from optimizer.index.seal import seal, unseal

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
        stored = connection.execute(_IMPORTS).fetchall()
    else:
        stored = [row for path in changed if (row := _other_imports(connection, path, ids[path]))]
        connection.executemany("DELETE FROM link WHERE source=?", ((ids[path],) for path, _ in stored))
    if not stored:
        return
    manifests = {path: data for path in ids if is_manifest(path) and (data := read(path)) is not None}
    table = tree(ids, manifests)
    bodies: list[tuple[int, int, bytes]] = []
    links: set[tuple[int, int]] = set()
    for path, imports in stored:
        raw = tuple(
            [RawImport(module, tuple(names), line, kind) for module, names, line, kind in json.loads(unseal(imports))]
        )
        edges = resolve(path, raw, table)
        body = json.dumps([(edge.line, edge.module, edge.target) for edge in edges])
        bodies.append((ids[path], crc32(imports), seal(body.encode())))
        links.update((ids[edge.target], ids[path]) for edge in edges if edge.target in ids)
    connection.executemany("INSERT OR REPLACE INTO edges VALUES (?,?,?)", bodies)
    connection.executemany("INSERT INTO link VALUES (?,?)", sorted(links))


def _other_imports(connection: sqlite3.Connection, path: str, source: int) -> tuple[str, bytes] | None:
    """The imports of a file, unless they are those that its edges were made from."""
    found = connection.execute(f"{_ONE_IMPORTS} WHERE f.path=?", (path,)).fetchone()
    if found is None:
        raise sqlite3.DatabaseError("a file is missing from its own index")
    (imports,) = found
    row = connection.execute("SELECT origin FROM edges WHERE source=?", (source,)).fetchone()
    return None if row and row[0] == crc32(imports) else (path, imports)
