"""What a module of JavaScript or TypeScript gives to others, and which names it takes from them; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

_SCRIPTS = ("javascript", "typescript", "tsx")
_OLD = re.compile(rb"(?<![\w$.])(?:module\s*\.\s*)?exports\b")
_WORDS = ("identifier", "type_identifier", "shorthand_property_identifier_pattern")


class Taken(NamedTuple):
    """A name that a file takes from a module, as that module calls it."""

    module: str
    name: str
    line: int


class Offered(NamedTuple):
    """The names that a file gives to others; it also gives whatever the modules `all_of` give."""

    names: frozenset[str]
    all_of: tuple[str, ...] = ()


def is_script(source: Source) -> bool:
    """Whether the file is one of JavaScript or TypeScript."""
    return source.language is not None and source.language.name in _SCRIPTS


def taken(source: Source) -> Iterator[Taken]:
    """The names that a file takes by `import {…}`, `export {…} from` or `const {…} = require()`, in order."""
    if not is_script(source) or source.root is None:
        return
    for node in source.root.named_children:
        if node.type in ("import_statement", "export_statement"):
            module = _module(node.child_by_field_name("source"))
            names = _specifiers(node, "name")
        else:
            yield from _required(node)
            continue
        if module:
            yield from (Taken(module, name, line) for name, line in names if name != "default")


def _module(node: Node | None) -> str:
    return _text(node).strip("'\"`") if node is not None else ""


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _specifiers(statement: Node, field: str) -> Iterator[tuple[str, int]]:
    """The names in the braces of an import or export: as they are in the module (`name`) or after it (`alias`)."""
    pending = list(statement.named_children)
    while pending:
        node = pending.pop(0)
        if node.type in ("import_specifier", "export_specifier"):
            name = (node.child_by_field_name("alias") if field == "alias" else None) or node.child_by_field_name("name")
            if name is not None:
                yield _text(name).strip("'\""), name.start_point[0] + 1
        elif node.type in ("import_clause", "named_imports", "export_clause"):
            pending += node.named_children


def _required(statement: Node) -> Iterator[Taken]:
    """The names of `const {…} = require('module')`."""
    for declared in statement.named_children:
        if declared.type != "variable_declarator":
            continue
        pattern, call = declared.child_by_field_name("name"), declared.child_by_field_name("value")
        callee = call.child_by_field_name("function") if call is not None else None
        if call is None or pattern is None or pattern.type != "object_pattern":
            continue
        arguments = call.child_by_field_name("arguments")
        if callee is None or callee.text != b"require" or arguments is None or arguments.named_child_count != 1:
            continue
        module = _module(arguments.named_child(0))
        for part in pattern.named_children:
            name = part.child_by_field_name("key") if part.type == "pair_pattern" else part
            if name is not None and name.type in (*_WORDS, "property_identifier"):
                yield Taken(module, _text(name), name.start_point[0] + 1)


def offered(source: Source) -> Offered | None:
    """What a file gives to others; None where only running it would show that, or where it does not parse."""
    if not is_script(source) or source.root is None or source.error_count:
        return None
    if any(raw.kind == "script" for raw in source.imports):
        return None
    names: set[str] = set()
    modules: list[str] = []
    known = 0
    for node in source.root.named_children:
        if node.type == "export_statement":
            if any(child.type in ("=", "as") for child in node.children):
                return None
            names |= set(_exported(node))
            if any(child.type == "*" for child in node.children):
                modules.append(_module(node.child_by_field_name("source")))
        elif node.type in ("ambient_declaration", "module"):
            return None
        elif (assigned := _assigned(node)) is not None:
            names |= assigned
            known += 1
    if len(_OLD.findall(source.text)) > known:
        return None
    return Offered(frozenset(names), tuple(modules))


def _exported(statement: Node) -> Iterator[str]:
    yield from (name for name, _ in _specifiers(statement, "alias"))
    for node in statement.named_children:
        if node.type == "namespace_export":
            yield from (_text(child) for child in node.named_children)
    pending = [statement.child_by_field_name("declaration")]
    while pending:
        declared = pending.pop()
        if declared is None:
            continue
        if (name := declared.child_by_field_name("name")) is not None:
            yield from _words(name)
        elif declared.type in ("ambient_declaration", "lexical_declaration", "variable_declaration"):
            pending += declared.named_children


def _words(pattern: Node) -> Iterator[str]:
    pending = [pattern]
    while pending:
        node = pending.pop()
        if node.type in _WORDS:
            yield _text(node)
        pending += node.named_children


def _assigned(statement: Node) -> frozenset[str] | None:
    """The names that `exports.name = …` or `module.exports = {…}` gives; None for anything else."""
    assignment = statement.named_child(0) if statement.type == "expression_statement" else None
    left = assignment.child_by_field_name("left") if assignment is not None else None
    right = assignment.child_by_field_name("right") if assignment is not None else None
    if assignment is None or assignment.type != "assignment_expression" or left is None or right is None:
        return None
    target = "".join(_text(left).split()).removeprefix("module.")
    if target.startswith("exports.") and target.count(".") == 1 and not _OLD.search(right.text or b""):
        return frozenset((target.removeprefix("exports."),))
    if target != "exports" or right.type != "object":
        return None
    names: set[str] = set()
    for part in right.named_children:
        key = part.child_by_field_name("key") or part.child_by_field_name("name") or part
        if key.type not in ("property_identifier", "shorthand_property_identifier", "comment"):
            return None
        names.add(_text(key))
    return frozenset(names)
