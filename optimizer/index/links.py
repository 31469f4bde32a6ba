"""Resolve imports to files and keep the graph of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable

from optimizer.index.imports import is_manifest, resolve, tree
from optimizer.index.parse import RawImport

_IMPORTS = "SELECT f.path, c.imports FROM file f JOIN content c ON c.id = f.content"


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
        stored = [connection.execute(f"{_IMPORTS} WHERE f.path=?", (path,)).fetchone() for path in changed]
        connection.executemany("DELETE FROM link WHERE source=?", ((ids[path],) for path in changed))
    manifests = {path: data for path in ids if is_manifest(path) and (data := read(path)) is not None}
    table = tree(ids, manifests)
    bodies: list[tuple[int, str]] = []
    links: set[tuple[int, int]] = set()
    for path, imports in stored:
        raw = tuple([RawImport(module, tuple(names), line, kind) for module, names, line, kind in json.loads(imports)])
        edges = resolve(path, raw, table)
        bodies.append((ids[path], json.dumps([(edge.line, edge.module, edge.target) for edge in edges])))
        links.update((ids[edge.target], ids[path]) for edge in edges if edge.target in ids)
    connection.executemany("INSERT OR REPLACE INTO edges VALUES (?,?)", bodies)
    connection.executemany("INSERT INTO link VALUES (?,?)", sorted(links))
