"""Check that every name that a change uses is declared; uncertain ones pass.

A name counts as undeclared when no scope of the file, no import, no file of the package and no known global declares
it, and no other file of the repository uses it so either, as it would a global of the project's own. In languages with
packages, members that a package of the repository does not have are reported too; in languages that import every name
by itself, removed imports whose name is still used.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from optimizer.languages.naming import exports, modules, packages
from optimizer.languages.naming.globals import USUAL
from optimizer.languages.naming.python import is_module
from optimizer.languages.naming.scopes import free_names
from optimizer.languages.naming.table import group_of, naming, naming_of
from optimizer.languages.naming.undeclared import LANGUAGES
from optimizer.languages.origin import origin_of
from optimizer.languages.source import Source
from optimizer.languages.table import language_of
from optimizer.report.checks import BrokenName
from optimizer.types import FileChange
from optimizer.verify import exported, interpreted
from optimizer.verify import packages as members
from optimizer.verify.patched import Finding, Patched, broken, tops
from optimizer.verify.unknown import unknown

MOST_LOOKED_AT = 6
MOST_REFERENCES = 40


def check_names(patched: Patched) -> Iterator[Finding]:
    """Report names that a changed file newly uses and nothing declares."""
    written = [change for change in patched.changes if change.after is not None]
    found = [one for change in written if is_module(change.path) for one in interpreted.undefined(change, patched)]
    found += [one for change in written for one in _undeclared(change, patched)]
    yield broken(list(dict.fromkeys(found)), _why_not(patched))


def _why_not(patched: Patched) -> str:
    """Why the names of changed files are not known: none is of a language that shows them, or one does not parse."""
    written = [change.path for change in patched.changes if change.after is not None]
    looked_at = [path for path in written if is_module(path) or _is_looked_at(path)]
    if not looked_at:
        return "no file of a language whose names are looked at"
    if path := interpreted.unread(patched):
        return f"{path}: this Python cannot read it"
    broken_off = (p for p in looked_at if not is_module(p) and patched.after.source(p).error_count)
    return next((f"{path}: not all of it parses" for path in broken_off), "")


def _is_looked_at(path: str) -> bool:
    row = naming_of(path)
    language = language_of(path)
    return bool(row.globals) or row.one_by_one or (language is not None and language.name in LANGUAGES)


def _undeclared(change: FileChange, patched: Patched) -> Iterator[BrokenName]:
    row = naming_of(change.path)
    yield from unknown(change.path, patched)
    if row.globals:
        yield from _free(change.path, patched)
    if row.reach == "packages":
        yield from members.missing(change.path, patched)
    if row.one_by_one and change.before is not None:
        yield from _no_longer_imported(change.path, patched)


# ── names without a declaration ──────────────────────────────────────────────────────────────────


def _free(path: str, patched: Patched) -> Iterator[BrokenName]:
    old, new = patched.before.source(path), patched.after.source(path)
    row = naming(new.language)
    after, before = _unbound(new), _unbound(old)
    if after is None or before is None or (row.wide and old.error_count) or origin_of(path, new.data) == "minified":
        return
    shares = row.reach == "packages"
    if shares and any(not (name in row.globals or _in_package(name, path, patched)) for name in before):
        return  # the file had such names before: not all of its package is to be seen
    for name, line in sorted(after.items(), key=lambda item: item[1]):
        if name in before or name in row.globals or (shares and _in_package(name, path, patched)):
            continue
        if _is_brought_by_all(name, new, patched):
            continue
        if _was_declared(name, old) or not (name in USUAL or _is_global(name, new, patched)):
            yield BrokenName("undefined", path, line, name)


def _was_declared(name: str, old: Source) -> bool:
    """Whether the file had an import or a definition of the name before, so that no global is meant."""
    if naming(old.language).reach == "packages" and name in (packages.imported(old) or ()):
        return True
    return any(place.kind in ("import", "definition") for place in old.occurrences(name))


def _is_brought_by_all(name: str, source: Source, patched: Patched) -> bool:
    """Whether an import of all names leads to a file that now has the name."""
    after, is_wide = patched.after, naming(source.language).wide is not None
    every = (raw for raw in source.imports if is_wide and modules.takes_all(raw))
    targets = {target for raw in every for target in after.leads(source.path, raw)} - {source.path}
    return any(modules.has(after.source(target), name) for target in targets)


def _unbound(source: Source) -> dict[str, int] | None:
    """The free names of a file that its imports do not bring; None where that is not known."""
    free = free_names(source)
    if free is None or naming(source.language).reach != "packages":
        return free
    there = packages.imported(source)
    return None if there is None else {name: line for name, line in free.items() if name not in there}


def _in_package(name: str, path: str, patched: Patched) -> bool:
    folder, group = posixpath.dirname(path), group_of(path)
    return any(
        posixpath.dirname(one.path) == folder and group_of(one.path) == group and not one.parent
        for one in patched.after.symbols_named(name)
    )


def _is_global(name: str, source: Source, patched: Patched) -> bool:
    """Whether other files use the name without declaring it either, or declare it for all."""
    row = naming(source.language)
    if row.wide and patched.after.symbols_named(name) and row.wide.search(source.data):
        return True
    if _is_in_a_template(name, patched) or _is_of_a_script(name, source, patched):
        return True
    seen: dict[str, None] = {}
    for reference in patched.index.references(name, MOST_REFERENCES):
        if row.declarations and reference.path.endswith(row.declarations):
            return True
        if reference.path != source.path and naming_of(reference.path).globals == row.globals:
            seen.setdefault(reference.path)
    others = list(seen)[:MOST_LOOKED_AT]
    return any(name in (_unbound(patched.before.source(other)) or ()) for other in others)


def _is_of_a_script(name: str, source: Source, patched: Patched) -> bool:
    """Whether another script of the patch, which shares its top level with this one, declares the name there."""
    if not exported.is_exporting(source) or exports.is_module(source):
        return False
    others = (patched.after.source(change.path) for change in patched.changes if change.path != source.path)
    scripts = (one for one in others if exported.is_exporting(one) and not exports.is_module(one))
    return any(name in tops(one) for one in scripts)


def _is_in_a_template(name: str, patched: Patched) -> bool:
    """Whether the patch has the name in a page or in a file without a grammar, whose scripts may declare it."""
    word = re.compile(rb"\b%s\b" % re.escape(name.encode()))
    sources = (patched.after.source(change.path) for change in patched.changes)
    return any(_is_page(source) and word.search(source.data) for source in sources)


def _is_page(source: Source) -> bool:
    language = language_of(source.path)
    return source.language is None or (language is not None and language.blocks)


# ── removed imports ──────────────────────────────────────────────────────────────────────────────


def _no_longer_imported(path: str, patched: Patched) -> Iterator[BrokenName]:
    old, new = patched.before.source(path), patched.after.source(path)
    if old.error_count:
        return
    before, after = modules.bound(old), modules.bound(new)
    if "*" in after:
        return
    free = free_names(new)
    crates = {one.module for one in old.imports} if free is not None else set()
    for name in sorted(before - after - naming(new.language).prelude - crates):
        places = new.occurrences(name)
        is_there = any(place.kind == "definition" for place in places) or modules.is_used_inside(new, name)
        if is_there or _shares_package(name, path, patched):
            continue
        is_local = free is not None and name not in free and name[:1].islower()
        for place in places:
            if is_local and not modules.leads_on(place, new.data):
                continue  # a variable or a parameter has that name
            if place.kind in ("call", "use") and not modules.is_qualified(place, new.data):
                yield BrokenName("unimported", path, place.line, name)
                break


def _shares_package(name: str, path: str, patched: Patched) -> bool:
    """Whether a file of the same package, which shares the end of its folder, defines the name."""
    if naming_of(path).wide:
        return False
    end = posixpath.dirname(path).split("/")[-2:]
    return any(posixpath.dirname(one.path).split("/")[-2:] == end for one in patched.after.symbols_named(name))
