"""Check that every name that a change uses is declared; uncertain ones pass.

A name counts as undeclared when no scope of the file, no import, no file of the package and no known global declares
it, and no other file of the repository uses it so either, as it would a global of the project's own. In languages with
packages, members that a package of the repository does not have are reported too; in languages that import every name
by itself, removed imports whose name is still used.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from optimizer.languages import imports
from optimizer.languages.declared import PRELUDE, USUAL, declaring
from optimizer.languages.scopes import free_names, selections
from optimizer.languages.source import Source
from optimizer.languages.table import language_of
from optimizer.languages.undeclared import LANGUAGES
from optimizer.report.checks import BrokenName
from optimizer.types import FileChange
from optimizer.verify import python
from optimizer.verify.patched import Finding, Patched, broken
from optimizer.verify.unknown import unknown

MOST_LOOKED_AT = 6
MOST_REFERENCES = 40
_SEGMENT = re.compile(r"[./:\\\\-]+")
_OF_STD = re.compile(r"(?:std|core|alloc)::.*\*$|.*prelude::\*$")
_QUALIFIES = (b".", b":", b"\\", b">")


def check_names(patched: Patched) -> Iterator[Finding]:
    """Report names that a changed file newly uses and nothing declares."""
    modules = [change for change in patched.changes if python.is_module(change.path) and change.after is not None]
    found = [one for change in modules for one in python.undefined(change, patched)]
    found += [one for change in patched.changes if change.after is not None for one in _undeclared(change, patched)]
    yield broken(list(dict.fromkeys(found)), _why_not(patched))


def _why_not(patched: Patched) -> str:
    """Why the names of changed files are not known: none is of a language that shows them, or one does not parse."""
    written = [change.path for change in patched.changes if change.after is not None]
    looked_at = [path for path in written if python.is_module(path) or _is_looked_at(path)]
    if not looked_at:
        return "no file of a language whose names are looked at"
    if path := python.unread(patched):
        return f"{path}: this Python cannot read it"
    broken_off = (p for p in looked_at if not python.is_module(p) and patched.after.source(p).error_count)
    return next((f"{path}: not all of it parses" for path in broken_off), "")


def _is_looked_at(path: str) -> bool:
    row = declaring(language_of(path))
    language = language_of(path)
    return bool(row.globals) or row.one_by_one or (language is not None and language.name in LANGUAGES)


def _undeclared(change: FileChange, patched: Patched) -> Iterator[BrokenName]:
    row = declaring(language_of(change.path))
    yield from unknown(change.path, patched)
    if row.globals:
        yield from _free(change.path, patched)
    if row.packages:
        yield from _not_in_package(change.path, patched)
    if row.one_by_one and change.before is not None:
        yield from _no_longer_imported(change.path, patched)


# ── names without a declaration ──────────────────────────────────────────────────────────────────


def _free(path: str, patched: Patched) -> Iterator[BrokenName]:
    old, new = patched.before.source(path), patched.after.source(path)
    row = declaring(new.language)
    after, before = _unbound(new), _unbound(old)
    if after is None or before is None or (row.wide and old.error_count):
        return
    if row.packages and any(not (name in row.globals or _in_package(name, path, patched)) for name in before):
        return  # the file had such names before: not all of its package is to be seen
    for name, line in sorted(after.items(), key=lambda item: item[1]):
        if name in before or name in row.globals or (row.packages and _in_package(name, path, patched)):
            continue
        if _was_declared(name, old) or not (name in USUAL or _is_global(name, new, patched)):
            yield BrokenName("undefined", path, line, name)


def _was_declared(name: str, old: Source) -> bool:
    """Whether the file had an import or a definition of the name before, so that no global is meant."""
    if declaring(old.language).packages and name in (_imported_packages(old) or ()):
        return True
    return any(place.kind in ("import", "definition") for place in old.occurrences(name))


def _unbound(source: Source) -> dict[str, int] | None:
    """The free names of a file that its imports do not bring; None where that is not known."""
    free = free_names(source)
    if free is None or not declaring(source.language).packages:
        return free
    there = _imported_packages(source)
    return None if there is None else {name: line for name, line in free.items() if name not in there}


def _imported_packages(source: Source) -> frozenset[str] | None:
    """The names that imported packages may have; None when an import brings all the names of a package."""
    found: set[str] = set()
    for raw in source.imports:
        if raw.names == (".",):
            return None
        parts = [part for part in _SEGMENT.split(raw.module) if part]
        found.update(raw.names or parts)
        found.update(part.removeprefix("go").removesuffix("go").strip("_") for part in parts[-2:])
    return frozenset(found)


def _in_package(name: str, path: str, patched: Patched) -> bool:
    folder, ending = posixpath.dirname(path), posixpath.splitext(path)[1]
    return any(
        posixpath.dirname(one.path) == folder and one.path.endswith(ending) and not one.parent
        for one in patched.after.symbols_named(name)
    )


def _is_global(name: str, source: Source, patched: Patched) -> bool:
    """Whether other files use the name without declaring it either, or declare it for all."""
    row = declaring(source.language)
    if row.wide and patched.after.symbols_named(name) and row.wide.search(source.data):
        return True
    if _is_in_a_template(name, patched):
        return True
    seen: dict[str, None] = {}
    for reference in patched.index.references(name, MOST_REFERENCES):
        if reference.path.endswith(".d.ts"):
            return True
        if reference.path != source.path and declaring(language_of(reference.path)).globals == row.globals:
            seen.setdefault(reference.path)
    others = list(seen)[:MOST_LOOKED_AT]
    return any(name in (_unbound(patched.before.source(other)) or ()) for other in others)


def _is_in_a_template(name: str, patched: Patched) -> bool:
    """Whether the patch has the name in a page or in a file without a grammar, whose scripts may declare it."""
    word = re.compile(rb"\b%s\b" % re.escape(name.encode()))
    sources = (patched.after.source(change.path) for change in patched.changes)
    return any(_is_page(source) and word.search(source.data) for source in sources)


def _is_page(source: Source) -> bool:
    language = language_of(source.path)
    return source.language is None or (language is not None and language.blocks)


# ── members of packages ──────────────────────────────────────────────────────────────────


def _not_in_package(path: str, patched: Patched) -> Iterator[BrokenName]:
    source, side = patched.after.source(path), patched.after
    old = {(operand, field) for operand, field, _ in selections(patched.before.source(path))}
    used = {(o, f): line for o, f, line in selections(source) if (o, f) not in old and f[:1].isupper()}
    if not used:
        return
    free = free_names(source) or {}
    defined: dict[str, Callable[[], set[str]]] = {}
    for raw in source.imports:
        files = tuple(edge.target for edge in imports.resolve(path, (raw,), side.tree) if edge.target)
        name = raw.names[0] if raw.names else raw.module.rpartition("/")[2]
        if files and "vendor/" not in files[0]:
            defined[name] = _names_of(files, patched)
    for (operand, field), line in used.items():
        names = defined.get(operand)
        if names is not None and operand in free and field not in (there := names()) and there:
            yield BrokenName("member", path, line, f"{operand}.{field}")


def _names_of(files: tuple[str, ...], patched: Patched) -> Callable[[], set[str]]:
    def names() -> set[str]:
        return {one.name for path in files for one in patched.after.symbols_in(path) if not one.parent}

    return names


# ── removed imports ──────────────────────────────────────────────────────────────────────────────


def _no_longer_imported(path: str, patched: Patched) -> Iterator[BrokenName]:
    old, new = patched.before.source(path), patched.after.source(path)
    if old.error_count:
        return
    before, after = _bound(old), _bound(new)
    if "*" in after:
        return
    free = free_names(new)
    crates = {one.module for one in old.imports} if free is not None else set()
    for name in sorted(before - after - PRELUDE - crates):
        places = new.occurrences(name)
        if any(place.kind == "definition" for place in places) or _shares_package(name, path, patched):
            continue
        is_local = free is not None and name not in free and name[:1].islower()
        for place in places:
            if is_local and not new.data[place.end :].lstrip().startswith(b"::"):
                continue  # a variable or a parameter has that name
            if place.kind in ("call", "use") and new.data[place.start - 1 : place.start] not in _QUALIFIES:
                yield BrokenName("unimported", path, place.line, name)
                break


def _bound(source: Source) -> set[str]:
    """The last part of each import; `*` for one that may bring anything of the repository."""
    modules = [one.module for one in source.imports]
    return {_SEGMENT.split(module)[-1] for module in modules if module != "super::*" and not _OF_STD.match(module)} | {
        _SEGMENT.split(module)[-1] for module in modules if not module.endswith("*")
    }


def _shares_package(name: str, path: str, patched: Patched) -> bool:
    """Whether a file of the same package, which shares the end of its folder, defines the name."""
    if declaring(language_of(path)).wide:
        return False
    end = posixpath.dirname(path).split("/")[-2:]
    return any(posixpath.dirname(one.path).split("/")[-2:] == end for one in patched.after.symbols_named(name))
