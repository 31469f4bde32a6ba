"""Names that nothing in the repository brings: calls of functions that are nowhere, and names that are misspelt.

A name counts only when the change brings it, its file does not declare it, and no other file has the word at all. Then
it is unknown where it is one letter off a name of its file; or where it is called on nothing or on the object itself,
and no base class, include or standard library from outside can bring it. In the blocks, modules and scripts of Ruby,
which get methods from anywhere, a call with arguments is unknown where no well-known gem defines the name either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from optimizer.languages.naming import bases, libraries, undeclared
from optimizer.languages.source import Source
from optimizer.report.checks import BrokenName
from optimizer.verify.includes import Included, included
from optimizer.verify.patched import MOST_SEARCHED, Patched, Side, read, tops

if TYPE_CHECKING:
    from tree_sitter import Node

LEAST_LETTERS = 4
MOST_NEW = 60
MOST_BASES = 12


def unknown(path: str, patched: Patched) -> Iterator[BrokenName]:
    """The names that a changed file newly uses and nothing can bring."""
    source = patched.after.source(path)
    language = source.language.name if source.language else ""
    if language not in undeclared.LANGUAGES:
        return
    used, there = undeclared.names(source)
    before = [change.before for change in patched.changes if change.before is not None]
    gone = tops(patched.before.source(path)) - tops(source)
    new = [name for name in used if len(name) >= LEAST_LETTERS and (name in gone or not _is_in(name, before))]
    includes = included(path, patched) if _row(source).by_includes and new else None
    for name in new[:MOST_NEW]:
        use = used[name]
        if name in undeclared.known(language) or name.lower() in undeclared.known(language):
            continue
        is_sure = _is_sure(name, use, source, patched.after, includes) or _is_in_no_gem(name, use, source, patched)
        if not is_sure and not undeclared.is_misspelt(name, there - {name}):
            continue
        is_only_used = len(_word(name).findall(source.text)) == use.times
        if is_only_used and not _is_elsewhere(name, path, patched, includes if is_sure else None):
            yield BrokenName("undefined", path, use.line, name)


def _is_elsewhere(name: str, path: str, patched: Patched, includes: Included | None) -> bool:
    """Whether another file has the word; of files of C whose includes are all there, one of these."""
    if includes is not None and includes.is_whole:
        return _is_in(name, [patched.after.source(one).data for one in includes.files if one != path])
    after = [change.after for change in patched.changes if change.after is not None and change.path != path]
    return _is_in(name, after) or patched.mentions(name)


def _is_in(name: str, texts: list[bytes]) -> bool:
    return any(_word(name).search(text) for text in texts)


def _word(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"(?<!\w)%s(?!\w)" % re.escape(name.encode()))


def _is_sure(name: str, use: undeclared.NewName, source: Source, side: Side, includes: Included | None) -> bool:
    """Whether nothing from outside the repository can bring what is called or made."""
    row = _row(source)
    if undeclared.is_made(use.node):
        return row.made is not None and row.made(use.node, source.data)
    if use.called_on not in ("", "self"):
        return includes is not None and _is_given(use.node, side) and not includes.may_bring(name, source, side)
    if includes is not None:
        return not includes.may_bring(name, source, side)
    if row.functions_are_global and use.called_on == "":
        return True
    if not row.by_classes or libraries.stars_bring(name, source.data):
        return False
    return _classes_are_known(name, use.node, row, side)


def _row(source: Source) -> libraries.Libraries:
    return libraries.ROWS.get(source.language.name if source.language else "", libraries.NONE)


def _is_given(node: Node, side: Side) -> bool:
    """Whether a name is what a function is called with; what a macro is called with may be no name at all."""
    called = undeclared.given_to(node).decode()
    if not called or (node.text or b"").isupper():
        return False
    found = {one.kind for one in side.symbols_named(called)}
    return found == {"function"} or (not found and called.islower() and called in undeclared.known("c"))


def _classes_are_known(name: str, node: Node, row: libraries.Libraries, side: Side) -> bool:
    """Whether the classes around a node, and all that they derive from or mix in, are of the repository."""
    found = list(islice(bases.types_around(node), MOST_BASES))
    is_own = row.innermost_only and bases.is_in_own_method(node)
    if not found or (bases.is_open(found[0]) and not is_own):
        return False
    is_of_tests = libraries.is_of_tests(name)
    in_function = not row.calls_at_top or bases.is_in_method(node)
    for one in found[:1] if row.innermost_only else found:
        if bases.is_made(one):
            if bases.has_body(one):
                return False
        elif is_own or not bases.is_open(one):
            seen = set() if is_of_tests else {""}
            if not _bases_are_known(one, name, side, seen):
                return False
            in_function = in_function or any(base in libraries.TEST_CASES for base in bases.written(one))
    return in_function


def _is_in_no_gem(name: str, use: undeclared.NewName, source: Source, patched: Patched) -> bool:
    """Whether a call with arguments, outside the methods of classes, has a name that no well-known gem brings."""
    if not _row(source).by_gems or use.called_on != "" or not undeclared.has_arguments(use.node):
        return False
    if libraries.is_composed(name) or name in undeclared.known(
        f"{source.language.name}-gems" if source.language else ""
    ):
        return False
    declared = next(bases.types_around(use.node), None)
    if declared is not None and bases.may_make(declared, name):
        return False
    if declared is not None and not bases.is_open(declared):
        return not bases.is_in_method(use.node) and _bases_are_known(declared, name, patched.after, {""})
    return bases.is_in_method(use.node) or not _blocks_answer_to_all(patched)


def _blocks_answer_to_all(patched: Patched) -> bool:
    """Whether a file runs blocks on objects of its own that answer to any name."""
    after = [change.after for change in patched.changes if change.after is not None]
    changed = {change.path for change in patched.changes}
    holding = (path for path in islice(patched.index.holding(bases.ANSWERS_ALL), MOST_SEARCHED) if path not in changed)
    return any(map(bases.runs_blocks, after)) or any(bases.runs_blocks(read(patched.index, path)) for path in holding)


def _bases_are_known(declared: Node, name: str, side: Side, seen: set[str]) -> bool:
    if bases.may_make(declared, name):
        return False
    for whole in bases.written(declared):
        base = "" if whole in libraries.TEST_CASES and "" in seen else bases.last_of(whole)
        if base in seen or base in libraries.HARMLESS:
            continue
        seen.add(base)
        found = [one for one in side.symbols_named(base) if one.kind in ("class", "module", "trait", "interface")]
        if not found or len(seen) > MOST_BASES:
            return False
        for one in found:
            node = bases.class_at(side.source(one.path).root, one.line)
            if node is None or not _bases_are_known(node, name, side, seen):
                return False
    return True
