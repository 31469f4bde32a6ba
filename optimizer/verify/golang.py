"""The checks of names that files of Go take from their own package and from others."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from optimizer.languages.scopes import free_names, selections
from optimizer.report.checks import BrokenName
from optimizer.verify.patched import Patched, Side, tops

_PACKAGE = re.compile(rb"^package\s+(\w+)", re.M)


def orphans(path: str, removed: set[str], patched: Patched, importers: Iterable[str]) -> Iterator[BrokenName]:
    """Uses of what a package no longer has, in its own files and in those that import it."""
    own = package(path, patched.after)
    gone = removed - {name for file in own for name in tops(patched.after.source(file))}
    if not gone:
        return
    for file in own:
        source = patched.after.source(file)
        if any(raw.names == (".",) for raw in source.imports) or not any(n.encode() in source.data for n in gone):
            continue
        for name, line in (free_names(source) or {}).items():
            if name in gone and name not in _names_of_imports(file, patched.after):
                yield BrokenName("removed", file, line, name, path)
    for file in importers:
        yield from _selected(file, path, gone, patched.after)


def package(path: str, side: Side) -> list[str]:
    """The files of the same folder, which share their names."""
    folder = posixpath.dirname(path)
    return [one for one in sorted(side.paths) if one.endswith(".go") and posixpath.dirname(one) == folder]


def _names_of_imports(file: str, side: Side) -> set[str]:
    return {raw.names[0] if raw.names else raw.module.rpartition("/")[2] for raw in side.source(file).imports}


def _selected(file: str, path: str, gone: set[str], side: Side) -> Iterator[BrokenName]:
    source = side.source(file)
    declared = _PACKAGE.search(side.source(path).data)
    operands = {
        raw.names[0] if raw.names else declared[1].decode() if declared else raw.module.rpartition("/")[2]
        for raw in source.imports
        if any(posixpath.dirname(target) == posixpath.dirname(path) for target in side.leads(file, raw))
    }
    free = free_names(source) or {}
    for operand, field, line in selections(source):
        if operand in operands and operand in free and field in gone:
            yield BrokenName("removed", file, line, field, path)
