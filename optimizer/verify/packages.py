"""Check the names that files take from their own package and from others, where the files of a folder are a package."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator

from optimizer.languages.naming import packages
from optimizer.languages.naming.scopes import free_names, selections
from optimizer.languages.naming.table import group_of, naming_of, package_of
from optimizer.report.checks import BrokenName
from optimizer.verify.patched import Patched, Side, tops


def orphans(path: str, removed: set[str], patched: Patched, importers: Iterable[str]) -> Iterator[BrokenName]:
    """Uses of what a package no longer has, in its own files and in those that import it."""
    own = package(path, patched.after)
    gone = removed - {name for file in own for name in tops(patched.after.source(file))}
    if not gone:
        return
    for file in own:
        source = patched.after.source(file)
        if any(map(packages.takes_all, source.imports)) or not any(n.encode() in source.data for n in gone):
            continue
        imported = {packages.local_name(raw) for raw in source.imports}
        for name, line in (free_names(source) or {}).items():
            if name in gone and name not in imported:
                yield BrokenName("removed", file, line, name, path)
    for file in importers:
        yield from _selected(file, path, gone, patched.after)


def package(path: str, side: Side) -> list[str]:
    """The files of the same folder, which share their names."""
    folder, group = posixpath.dirname(path), group_of(path)
    return [one for one in sorted(side.paths) if posixpath.dirname(one) == folder and group_of(one) == group]


def _selected(file: str, path: str, gone: set[str], side: Side) -> Iterator[BrokenName]:
    source = side.source(file)
    name = package_of(side.source(path).data, naming_of(path))
    operands = {
        packages.local_name(raw, name)
        for raw in source.imports
        if any(posixpath.dirname(target) == posixpath.dirname(path) for target in side.leads(file, raw))
    }
    free = free_names(source) or {}
    for operand, field, line in selections(source):
        if operand in operands and operand in free and field in gone:
            yield BrokenName("removed", file, line, field, path)


def missing(path: str, patched: Patched) -> Iterator[BrokenName]:
    """Members of packages of the repository that a changed file newly uses and they do not have."""
    source, side = patched.after.source(path), patched.after
    old = {(operand, field) for operand, field, _ in selections(patched.before.source(path))}
    used = {(o, f): line for o, f, line in selections(source) if (o, f) not in old and f[:1].isupper()}
    if not used:
        return
    free = free_names(source) or {}
    defined: dict[str, Callable[[], set[str]]] = {}
    for raw in source.imports:
        files = side.leads(path, raw)
        if files and "vendor/" not in files[0]:
            defined[packages.local_name(raw)] = _names_of(files, patched)
    for (operand, field), line in used.items():
        names = defined.get(operand)
        if names is not None and operand in free and field not in (there := names()) and there:
            yield BrokenName("member", path, line, f"{operand}.{field}")


def _names_of(files: tuple[str, ...], patched: Patched) -> Callable[[], set[str]]:
    def names() -> set[str]:
        return {one.name for path in files for one in patched.after.symbols_in(path) if not one.parent}

    return names
