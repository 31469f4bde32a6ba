"""Check that imports still lead to files of the repository."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from optimizer.languages import imports
from optimizer.report.checks import BrokenName
from optimizer.verify import python
from optimizer.verify.patched import Patched, Side
from optimizer.verify.verdict import Finding, broken

# Forms of imports that can only mean a file of the repository, in languages that write paths.
_LOCAL_KINDS = frozenset({"include-local", "require_relative"})


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
