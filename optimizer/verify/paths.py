"""Check the names that files take from each other, in languages that name them by the path of a module."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from optimizer.languages.naming import modules
from optimizer.languages.naming.table import naming_of
from optimizer.languages.occurrences import Occurrence
from optimizer.languages.source import Source
from optimizer.report.checks import BrokenName
from optimizer.verify.patched import Patched


def orphans(path: str, removed: set[str], patched: Patched, importers: Iterable[str]) -> Iterator[BrokenName]:
    """Uses of what a module no longer has, in the files that import it."""
    source = patched.after.source(path)
    if modules.passes_all_on(source):
        return
    gone = {name for name in removed if not (modules.has(source, name) or modules.is_given_to_macro(source, name))}
    for file in importers:
        user = patched.after.source(file)
        for name in sorted(gone):
            taken = [raw for raw in user.imports if modules.takes(raw, name)]
            lines = [raw.line for raw in taken if path in patched.after.leads(file, raw)]
            if not taken:
                lines = [place.line for place in user.occurrences(name) if _is_of(place, user, path, patched)]
            yield from (BrokenName("removed", file, line, name, path) for line in lines[:1])


def _is_of(place: Occurrence, user: Source, path: str, patched: Patched) -> bool:
    """Whether a use by a path, as `module::name`, or a call can only mean what the file at `path` had."""
    qualifier = modules.qualifier_of(place, user.data)
    if qualifier is None:
        return False
    if qualifier:
        return qualifier == modules.module_of(path)
    name = user.data[place.start : place.end].decode()
    declares = any(one.kind == "definition" for one in user.occurrences(name))
    brings_all = any(modules.takes_all(raw) and path in patched.after.leads(user.path, raw) for raw in user.imports)
    return place.kind == "call" and brings_all and not declares and not patched.after.symbols_named(name)


def missing(path: str, patched: Patched) -> Iterator[BrokenName]:
    """What a changed file newly imports from a module whose file does not even contain the name."""
    row = naming_of(path)
    if row.reach != "modules":
        return
    old = {raw.module for raw in patched.before.source(path).imports}
    for raw in patched.after.source(path).imports:
        name = modules.last_of(raw).removeprefix("r#")
        if raw.kind != "use" or raw.module in old or raw.module == name or name in ("*", "self"):
            continue
        for target in patched.after.leads(path, raw)[:1]:
            source = patched.after.source(target)
            word = re.compile(rb"\b%s\b" % name.encode())
            is_lost = target != path and modules.is_item_of(target, raw) and not word.search(source.data)
            if is_lost and not modules.may_hold_more(source):
                yield BrokenName("attribute", path, raw.line, name, target)
    yield from _left_inside(path, patched)


def _left_inside(path: str, patched: Patched) -> Iterator[BrokenName]:
    """What a module written in a file takes from the file around it, which neither defines nor imports it any more."""
    old, source = patched.before.source(path), patched.after.source(path)
    if modules.may_hold_more(source):
        return
    for raw in source.imports:
        name = modules.last_of(raw)
        if not raw.kind.endswith("-inner") or raw.module != f"super::{name}":
            continue
        taken = sum(one.module == raw.module for one in source.imports)
        was_there = not old.data or any(one.kind == "definition" for one in old.occurrences(name))
        is_new = raw.module not in {one.module for one in old.imports}
        if (was_there or is_new) and sum(p.kind in ("definition", "import") for p in source.occurrences(name)) == taken:
            yield BrokenName("removed", path, raw.line, name, path)
