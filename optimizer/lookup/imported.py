"""What a file imports: in JavaScript from outside or as the default of another file, in Java the members of a type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming import exports
from optimizer.languages.naming.written import Type

if TYPE_CHECKING:
    from tree_sitter import Node

    from optimizer.lookup.protocols import Types

OUTSIDE = "module "
"""Begins the name of a type that stands for what a module outside the repository gives."""
_BARE = re.compile(r"(?:node:)?@?\w[\w./-]*")


def imported(types: Types, path: str, name: str, depth: int) -> Iterator[Type]:
    """The types of an imported name; nothing for one that is not imported, or is an export by its own name."""
    source = types.source(path)
    linkage = exports.read(source) if source is not None else None
    if linkage is None:
        return
    for module in [one.module for one in linkage.taken if one.local == name]:
        yield from _outside(types, path, module)
    for whole in [one for one in linkage.namespaces if one.name == name]:
        yield from required(types, path, whole.module, depth)


def required(types: Types, path: str, module: str, depth: int) -> Iterator[Type]:
    """The types of what `require` gives for a module."""
    target = types.target(path, module)
    if target is None:
        yield from _outside(types, path, module)
    elif (value := _default(types, target)) is not None:
        yield from types.types(target, value, depth + 1)


def _outside(types: Types, path: str, module: str) -> Iterator[Type]:
    if types.target(path, module) is None and _BARE.fullmatch(module):
        yield Type(f"{OUTSIDE}{module}", (), path)


def _default(types: Types, path: str) -> Node | None:
    """The expression that a file exports as its default, or as the whole of it."""
    source = types.source(path)
    for statement in source.root.named_children if source is not None and source.root is not None else ():
        if statement.type == "export_statement" and any(child.type == "default" for child in statement.children):
            return statement.child_by_field_name("value")
        given = statement.named_children[0] if statement.type == "expression_statement" else None
        left = (
            given.child_by_field_name("left") if given is not None and given.type == "assignment_expression" else None
        )
        if given is not None and left is not None and left.text in (b"module.exports", b"exports = module.exports"):
            return given.child_by_field_name("right")
    return None


def statics(types: Types, path: str, name: str) -> set[str]:
    """The types from which a file of Java imports a member by its name, or all members."""
    source = types.source(path) if types.row.bare_fields else None
    parts = [raw.module.split(".") for raw in source.imports] if source is not None else []
    return {one[-2] for one in parts if len(one) > 1 and one[-1] in (name, "*")}
