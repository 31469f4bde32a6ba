"""The checks of names that files of JavaScript and TypeScript take from each other."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence

from optimizer.languages import exports
from optimizer.languages.edges import RawImport
from optimizer.languages.exports import Taken
from optimizer.report.checks import BrokenName
from optimizer.verify.patched import Patched, Side

MOST_REACHED = 200


def orphans(patched: Patched, importers: Callable[[str], Sequence[str]]) -> Iterator[BrokenName]:
    """Names that files take from modules which do not offer them in the patched tree, and did or were not asked."""
    for path in _concerned(patched, importers):
        old = {(one.module, one.name) for one in exports.taken(patched.before.source(path))}
        for one in exports.taken(patched.after.source(path)):
            target = _target(patched.after, path, one)
            if target is None or _offers(patched.after, target, one.name, set()) is not False:
                continue
            earlier = _target(patched.before, path, one)
            was_there = earlier is not None and _offers(patched.before, earlier, one.name, set())
            is_new = (one.module, one.name) not in old and one.module.startswith(".")
            if was_there or is_new:
                yield BrokenName("removed" if was_there else "attribute", path, one.line, one.name, target)


def _concerned(patched: Patched, importers: Callable[[str], Sequence[str]]) -> list[str]:
    """The files that the patch writes, and those that import what it changes, also through `export * from`."""
    changed = [change for change in patched.changes if exports.is_script(patched.after.source(change.path))]
    found = dict.fromkeys(change.path for change in changed if change.after is not None)
    pending = [change.path for change in changed if change.before is not None]
    seen = set(pending)
    while pending and len(seen) < MOST_REACHED:
        path = pending.pop()
        for importer in importers(path):
            found.setdefault(importer)
            passes_on = exports.offered(patched.after.source(importer))
            if passes_on and passes_on.all_of and importer not in seen:
                seen.add(importer)
                pending.append(importer)
    return sorted(found)


def _target(side: Side, path: str, taken: Taken) -> str | None:
    return next(iter(side.leads(path, RawImport(taken.module, (taken.name,), taken.line, "import"))), None)


def _offers(side: Side, path: str, name: str, seen: set[str]) -> bool | None:
    """Whether a module offers a name, itself or by `export * from`; None where that is not known."""
    if path in seen:
        return False
    seen.add(path)
    offered = None if _has_types_apart(path, side) else exports.offered(side.source(path))
    if offered is None or name in offered.names:
        return None if offered is None else True
    found: list[bool | None] = [False]
    for module in offered.all_of:
        target = _target(side, path, Taken(module, name, 1))
        found.append(None if target is None else _offers(side, target, name, seen))
    return True if True in found else None if None in found else False


def _has_types_apart(path: str, side: Side) -> bool:
    """Whether declarations, which no statement has to export, say what the module offers."""
    return path.endswith(".d.ts") or f"{posixpath.splitext(path)[0]}.d.ts" in side.paths
