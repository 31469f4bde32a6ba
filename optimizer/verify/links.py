"""Check what files take from each other: imports lead somewhere, and no definition is removed that others use."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from itertools import islice

from optimizer.languages import imports
from optimizer.languages.declared import declaring
from optimizer.languages.source import Source
from optimizer.report.checks import BrokenName
from optimizer.types import FileChange
from optimizer.verify import python
from optimizer.verify.patched import Finding, Patched, Side, broken

# Forms of imports that can only mean a file of the repository, in languages that write paths.
_LOCAL_KINDS = frozenset({"include-local", "require_relative"})
MOST_IMPORTERS = 200


def check_imports(patched: Patched) -> Iterator[Finding]:
    """Report imports that newly lead nowhere, of changed files and of those that import a removed one."""
    found = [one for path in _touched(patched) for one in _new_unresolved(path, patched)]
    yield broken(found, patched.has_code, "no file with imports")


def _touched(patched: Patched) -> Iterator[str]:
    """The files whose imports the patch may break: those it writes, and those that import what it removes."""
    written = {change.path for change in patched.changes if change.after is not None}
    removed = {change.path for change in patched.changes if change.after is None}
    importers = {path for gone in removed for path in patched.importers(gone)}
    yield from sorted(written | (importers - removed))


def _new_unresolved(path: str, patched: Patched) -> Iterator[BrokenName]:
    before = {what for what, _ in _unresolved(path, patched.before)}
    for what, line in _unresolved(path, patched.after):
        if what not in before:
            yield BrokenName("import", path, line, what)


def _unresolved(path: str, side: Side) -> Iterator[tuple[str, int]]:
    """Imports of a file that point into the repository and lead nowhere, with their lines."""
    if python.is_module(path):
        yield from python.unresolved(path, side)
        return
    raw = side.source(path).imports
    kinds = {(one.module, one.line): one.kind for one in raw}
    for edge in imports.resolve(path, raw, side.tree):
        local = edge.module.startswith(("./", "../")) or kinds.get((edge.module, edge.line)) in _LOCAL_KINDS
        if edge.target is None and local and not _is_there(path, edge.module, side.tree):
            yield edge.module, edge.line


def _is_there(path: str, module: str, tree: imports.Tree) -> bool:
    """Whether any file has that place and name, whatever its ending: styles and pictures are imported too."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), module.partition("?")[0]))
    return any(other == place or other.startswith((f"{place}.", f"{place}/")) for other in tree.paths)


def check_uses(patched: Patched) -> Iterator[Finding]:
    """Report uses of removed definitions, in files that import them."""
    found = [one for change in patched.changes for one in _orphans(change, patched)]
    yield broken(found, patched.has_code, "no file with definitions")


def _orphans(change: FileChange, patched: Patched) -> Iterator[BrokenName]:
    if change.before is None or change.after is None:
        return  # a removed file shows in the imports of others
    importers = list(islice(patched.importers(change.path), MOST_IMPORTERS))
    if python.is_module(change.path):
        yield from python.orphans(change, patched, importers)
        return
    removed = _tops(patched.before.source(change.path)) - _tops(patched.after.source(change.path))
    for name in sorted(removed):
        if any(symbol.path != change.path for symbol in patched.index.symbols_named((name,))):
            continue  # another definition may be meant
        for path in importers:
            source = patched.after.source(path)
            places = source.occurrences(name)
            if any(place.kind == "definition" for place in places):
                continue
            kinds = ("import",) if declaring(source.language).by_name else ("import", "call")
            lines = [place.line for place in places if place.kind in kinds]
            yield from (BrokenName("removed", path, line, name, change.path) for line in lines[:1])


def _tops(source: Source) -> set[str]:
    return {symbol.name for symbol in source.symbols if not symbol.parent and symbol.kind != "section"}
