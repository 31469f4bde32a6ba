"""Names that nothing in the repository brings: calls of functions that are nowhere, and names that are misspelt.

A name counts only when the change brings it, its file does not declare it, and no other file has the word at all. Then
it is unknown where it is one letter off a name of its file; or where it is called on nothing or on the object itself,
and no base class, include or standard library from outside can bring it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from optimizer.languages.naming import bases, libraries, undeclared
from optimizer.report.checks import BrokenName
from optimizer.verify.patched import Patched, Side

if TYPE_CHECKING:
    from tree_sitter import Node

LEAST_LETTERS = 4
MOST_NEW = 60
MOST_INCLUDED = 300
MOST_BASES = 12


def unknown(path: str, patched: Patched) -> Iterator[BrokenName]:
    """The names that a changed file newly uses and nothing can bring."""
    source = patched.after.source(path)
    language = source.language.name if source.language else ""
    if language not in undeclared.LANGUAGES:
        return
    used, there = undeclared.names(source)
    before = [change.before for change in patched.changes if change.before is not None]
    after = [change.after for change in patched.changes if change.after is not None and change.path != path]
    new = [name for name in used if len(name) >= LEAST_LETTERS and not _is_in(name, [*before, *after])]
    for name in new[:MOST_NEW]:
        use = used[name]
        if name in undeclared.known(language) or name.lower() in undeclared.known(language):
            continue
        if not undeclared.is_misspelt(name, there - {name}) and not _is_sure(name, use, language, patched.after, path):
            continue
        if not patched.mentions(name):
            yield BrokenName("undefined", path, use.line, name)


def _is_in(name: str, texts: list[bytes]) -> bool:
    word = re.compile(rb"\b%s\b" % re.escape(name.encode()))
    return any(word.search(text) for text in texts)


def _is_sure(name: str, use: undeclared.NewName, language: str, side: Side, path: str) -> bool:
    """Whether nothing from outside the repository can bring what is called or made."""
    source, row = side.source(path), libraries.ROWS.get(language, libraries.NONE)
    if undeclared.is_made(use.node):
        return row.made is not None and row.made(use.node, source.data)
    if use.called_on not in ("", "self"):
        return False
    if row.by_includes:
        return _includes_are_known(path, side)
    if row.functions_are_global and use.called_on == "":
        return True
    if not row.by_classes or libraries.stars_bring(name, source.data):
        return False
    return _classes_are_known(name, use.node, row, side)


def _includes_are_known(path: str, side: Side) -> bool:
    """Whether all that a file includes, directly or not, is of the repository or of the standard library."""
    pending, seen = [path], {path}
    while pending:
        if len(seen) > MOST_INCLUDED:
            return False
        file = pending.pop()
        for raw in side.source(file).imports:
            found = side.leads(file, raw)
            if not found and raw.kind != "include-local" and not libraries.is_system_header(raw.module):
                return False
            pending += [target for target in found if target not in seen]
            seen.update(found)
    return True


def _classes_are_known(name: str, node: Node, row: libraries.Libraries, side: Side) -> bool:
    """Whether the classes around a node, and all that they derive from or mix in, are of the repository."""
    found = list(islice(bases.types_around(node), MOST_BASES))
    if not found or bases.is_open(found[0]):
        return False
    is_of_tests = libraries.is_of_tests(name)
    in_function = not row.calls_at_top or bases.is_in_method(node)
    for one in found[:1] if row.innermost_only else found:
        if bases.is_made(one):
            if bases.has_body(one):
                return False
        elif not bases.is_open(one):
            seen = set() if is_of_tests else {""}
            if not _bases_are_known(one, side, seen):
                return False
            in_function = in_function or any(base in libraries.TEST_CASES for base in bases.written(one))
    return in_function


def _bases_are_known(declared: Node, side: Side, seen: set[str]) -> bool:
    if bases.catches_all(declared):
        return False
    for base in bases.written(declared):
        name = "" if base in libraries.TEST_CASES and "" in seen else bases.last_of(base)
        if name in seen or name in libraries.HARMLESS:
            continue
        seen.add(name)
        found = [one for one in side.symbols_named(name) if one.kind in ("class", "module", "trait", "interface")]
        if not found or len(seen) > MOST_BASES:
            return False
        for one in found:
            node = bases.class_at(side.source(one.path).root, one.line)
            if node is None or not _bases_are_known(node, side, seen):
                return False
    return True
