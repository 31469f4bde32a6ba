"""Check the names that files take from each other, in languages whose modules export by name."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence

from optimizer.languages.edges import RawImport
from optimizer.languages.naming.table import naming
from optimizer.languages.source import Source
from optimizer.report.checks import BrokenName
from optimizer.verify.patched import Patched, Side

MOST_REACHED = 200


def orphans(patched: Patched, importers: Callable[[str], Sequence[str]]) -> Iterator[BrokenName]:
    """Names that files take from modules which do not offer them in the patched tree, and did or were not asked."""
    for path in _concerned(patched, importers):
        old = {(one.module, one.name) for one in patched.before.linkage(path).taken if one.top}
        for one in patched.after.linkage(path).taken:
            target = _target(patched.after, path, one.module, one.name) if one.top else None
            if target is None or _offers(patched.after, target, one.name, set()) is not False:
                continue
            earlier = _target(patched.before, path, one.module, one.name)
            was_there = earlier is not None and _offers(patched.before, earlier, one.name, set())
            is_new = (one.module, one.name) not in old and one.module.startswith(".")
            if was_there or is_new:
                yield BrokenName("removed" if was_there else "attribute", path, one.line, one.name, target)


def is_exporting(source: Source) -> bool:
    """Whether a file is of a language whose modules export by name."""
    return naming(source.language).reach == "exports"


def _concerned(patched: Patched, importers: Callable[[str], Sequence[str]]) -> list[str]:
    """The files that the patch writes, and those that import what it changes, also through `export * from`."""
    changed = [change for change in patched.changes if is_exporting(patched.after.source(change.path))]
    found = dict.fromkeys(change.path for change in changed if change.after is not None)
    pending = [change.path for change in changed if change.before is not None]
    seen = set(pending)
    while pending and len(seen) < MOST_REACHED:
        path = pending.pop()
        for importer in importers(path):
            found.setdefault(importer)
            offered = patched.after.linkage(importer)
            if offered.sure and offered.all_of and importer not in seen:
                seen.add(importer)
                pending.append(importer)
    return sorted(found)


def _target(side: Side, path: str, module: str, name: str) -> str | None:
    return next(iter(side.leads(path, RawImport(module, (name,), 1, "import"))), None)


def _offers(side: Side, path: str, name: str, seen: set[str]) -> bool | None:
    """Whether a module offers a name, itself or by `export * from`; None where that is not known."""
    if path in seen:
        return False
    seen.add(path)
    offered = side.linkage(path)
    if not offered.sure or _is_declared_apart(path, side):
        return None
    if name in offered.names:
        return True
    found: list[bool | None] = [False]
    for module in offered.all_of:
        target = _target(side, path, module, name)
        found.append(None if target is None else _offers(side, target, name, seen))
    return True if True in found else None if None in found else False


def _is_declared_apart(path: str, side: Side) -> bool:
    """Whether a file of declarations, which no statement has to export, says what the module offers."""
    ending = naming(side.source(path).language).declarations
    return bool(ending) and (path.endswith(ending) or posixpath.splitext(path)[0] + ending in side.paths)
