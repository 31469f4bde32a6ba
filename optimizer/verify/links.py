"""Check what files take from each other: imports lead somewhere, and no definition is removed that others use."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice

from optimizer.languages import imports
from optimizer.languages.naming.libraries import is_standard_header
from optimizer.languages.naming.python import is_module
from optimizer.languages.naming.table import naming_of
from optimizer.report.checks import BrokenName
from optimizer.types import FileChange
from optimizer.verify import exported, interpreted, packages, paths
from optimizer.verify.patched import Finding, Patched, Side, broken, tops

MOST_IMPORTERS = 200
MOST_BUILD_FILES = 60
_INSTALLED = re.compile(r"(?:.*?/)?(?:vendor|node_modules|bower_components|dist|build)/")
_BUILD = re.compile(
    r"(?:GNU)?[Mm]akefile(?:\.\w+)?|.*\.mk|CMakeLists\.txt|.*\.cmake|configure\.ac|meson\.build|\.gitignore"
)


def check_imports(patched: Patched) -> Iterator[Finding]:
    """Report imports that newly lead nowhere, of changed files and of those that import a removed one."""
    found = [one for path in _touched(patched) for one in _new_unresolved(path, patched)]
    yield broken(found, _why_not(patched, "imports"))


def _why_not(patched: Patched, what: str) -> str:
    if path := interpreted.unread(patched):
        return f"{path}: this Python cannot read it"
    return "" if patched.has_code else f"no file with {what}"


def _touched(patched: Patched) -> Iterator[str]:
    """The files whose imports the patch may break: those it writes, and those that import what it removes."""
    written = {change.path for change in patched.changes if change.after is not None}
    removed = {change.path for change in patched.changes if change.after is None}
    importers = {path for gone in removed for path in patched.importers(gone)}
    yield from sorted(written | (importers - removed))


def _new_unresolved(path: str, patched: Patched) -> Iterator[BrokenName]:
    if naming_of(path).one_class_each:
        yield from (BrokenName("import", path, line, what) for what, line in _lost_class(path, patched))
    before = {what for what, _ in _unresolved(path, patched.before)}
    outside = {_first_folder(what) for what in before} - {""}
    for what, line in _unresolved(path, patched.after):
        if what not in before and _first_folder(what) not in outside:
            yield BrokenName("import", path, line, what)


def _first_folder(module: str) -> str:
    """The folder that an import begins with; '' for none, and for one that is relative to the file."""
    return "" if module.startswith(".") else module.rpartition("/")[0].partition("/")[0]


def _unresolved(path: str, side: Side) -> Iterator[tuple[str, int]]:
    """Imports of a file that point into the repository and lead nowhere, with their lines."""
    if is_module(path):
        yield from interpreted.unresolved(path, side)
        return
    raw = side.source(path).imports
    kinds = {(one.module, one.line): one.kind for one in raw}
    for edge in imports.resolve(path, raw, side.tree):
        kind = kinds.get((edge.module, edge.line))
        if edge.target is not None or not imports.is_local(edge.module, kind) or _is_there(path, edge.module, side):
            continue
        if kind != "include-local" or not (is_standard_header(edge.module) or is_made(edge.module, side)):
            yield edge.module, edge.line


def _lost_class(path: str, patched: Patched) -> Iterator[tuple[str, int]]:
    """Imports of a class whose file the patch removes or moves; nothing of its name is left for them."""
    gone = {change.path for change in patched.changes if change.before is not None and change.after is None}
    for raw in patched.after.source(path).imports if gone else ():
        led = patched.before.leads(path, raw)
        if gone.isdisjoint(led) or patched.after.leads(path, raw) or raw.kind not in ("import", "use"):
            continue
        place = posixpath.dirname(led[0])
        name = re.split(r"[.\\]", raw.module)[-1]
        if not any(posixpath.dirname(one.path) == place for one in patched.after.symbols_named(name)):
            yield raw.module, raw.line


def _is_there(path: str, module: str, side: Side) -> bool:
    """Whether any file has that place and name, whatever its ending, as styles and pictures, or is installed there."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), module.partition("?")[0]))
    if (found := _INSTALLED.match(place)) and not any(other.startswith(found[0]) for other in side.paths):
        return True
    there = side.paths | side.not_indexed
    if place == ".":  # the package itself, whose entry may be built
        return "package.json" in there
    return any(other == place or other.startswith((f"{place}.", f"{place}/")) for other in there)


def is_made(included: str, side: Side) -> bool:
    """Whether a build makes an included file: git ignores it, or a build file names it."""
    name = posixpath.basename(included)
    if f"{name}.in" in {posixpath.basename(path) for path in side.paths}:
        return True
    rules = (path for path in sorted(side.paths) if _BUILD.fullmatch(posixpath.basename(path)))
    return any(name.encode() in side.source(path).data for path in islice(rules, MOST_BUILD_FILES))


def check_uses(patched: Patched) -> Iterator[Finding]:
    """Report uses of definitions that the patch removes or moves, where they lead nowhere in the patched tree."""
    found = list(exported.orphans(patched, _importers(patched)))
    found += [one for change in patched.changes for one in _orphans(change, patched)]
    found += [one for change in patched.changes if change.after for one in paths.missing(change.path, patched)]
    yield broken(found, _why_not(patched, "definitions"))


def _importers(patched: Patched) -> Callable[[str], Sequence[str]]:
    return cache(lambda path: tuple(islice(patched.importers(path), MOST_IMPORTERS)))


def _orphans(change: FileChange, patched: Patched) -> Iterator[BrokenName]:
    source = patched.before.source(change.path)
    if change.before is None or change.after is None or exported.is_exporting(source):
        return  # a removed file shows in the imports of others
    importers = _importers(patched)(change.path)
    if is_module(change.path):
        yield from interpreted.orphans(change, patched, importers)
        return
    removed = tops(source) - tops(patched.after.source(change.path))
    if not removed:
        return
    orphans = _ORPHANS.get(naming_of(change.path).reach, _named)
    yield from orphans(change.path, removed, patched, importers)


def _named(path: str, removed: set[str], patched: Patched, importers: Iterable[str]) -> Iterator[BrokenName]:
    """Uses of a name that nothing defines any more, in files that import the one that did."""
    for name in sorted(removed):
        if patched.after.symbols_named(name):
            continue  # another definition may be meant
        for importer in importers:
            places = patched.after.source(importer).occurrences(name)
            if any(place.kind == "definition" for place in places) or path not in patched.after.targets(importer):
                continue
            lines = [place.line for place in places if place.kind in ("import", "call")]
            yield from (BrokenName("removed", importer, line, name, path) for line in lines[:1])


_ORPHANS = {"packages": packages.orphans, "modules": paths.orphans}
