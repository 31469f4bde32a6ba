"""The types that a call gives, by what is called and what that is taken from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming import expressions as kinds
from optimizer.languages.naming.bases import TYPES
from optimizer.languages.naming.expressions import taken_from, text_of
from optimizer.languages.naming.written import UNKNOWN, Type, inner, parse
from optimizer.lookup.imported import required, statics
from optimizer.lookup.returned import returned

if TYPE_CHECKING:
    from tree_sitter import Node

    from optimizer.lookup.protocols import Types

_REQUIRE = re.compile(r"require\(['\"]([^'\"]+)['\"]\)")


def called(types: Types, path: str, node: Node, depth: int) -> Iterator[Type]:
    """What a call gives."""
    function = node.child_by_field_name(kinds.CALLS[node.type]) if kinds.CALLS[node.type] else None
    if function is None and node.type == "call_expression":
        function = node.named_children[0]
    if function is not None and function.type in ("generic_function", "template_function"):
        function = function.named_children[0]
    target = function if function is not None and function.type in kinds.MEMBERS else node if function is None else None
    if target is not None:
        holder, name = taken_from(target)
        if holder is not None:
            yield from _result_of(types, path, holder, name, depth)
            return
        function = target.child_by_field_name("name") or target.child_by_field_name("method")
    if types.row.reach == "exports" and (module := _REQUIRE.fullmatch(text_of(node))):
        yield from required(types, path, module[1], depth)
    elif function is not None and types.row.embeds and text_of(function) in ("new", "make"):
        arguments = node.child_by_field_name("arguments")
        made = arguments.named_children[:1] if arguments is not None else []
        yield from (one for first in made for one in parse(text_of(first), path))
    elif function is not None and function.type in (*kinds.NAMES, "property_identifier"):
        yield from result(types, path, function, depth)


def result(types: Types, path: str, function: Node, depth: int) -> Iterator[Type]:
    """What the call of a bare name gives."""
    name = text_of(function)
    known = types.symbols(name)
    if any(one.kind in TYPES for one in known):
        yield Type(name, (), path)
        return
    own = [one for one in known if one.path == path] or list(known)
    owner = types.owner(path, function)
    mine = types.methods(owner, name) if owner.name else []
    mine = mine or [one for one in known if one.parent and one.parent.split(".")[-1] in statics(types, path, name)]
    for one in mine or [one for one in own if not one.parent or one.kind == "function"]:
        yield from returned(types, one, owner, depth)


def _result_of(types: Types, path: str, holder: Node, name: str, depth: int) -> Iterator[Type]:
    for one in types.types(path, holder, depth + 1):
        if one.name == "Class" and name == "new" and (call := holder.parent) is not None:
            arguments = call.child_by_field_name("arguments")
            made = arguments.named_children[0] if arguments is not None and arguments.named_children else None
            yield Type(text_of(made).split("::")[-1], (), path) if made is not None else UNKNOWN
        elif known := types.methods(one, name):
            for method in known:
                yield from returned(types, method, one, depth)
        elif (name in kinds.MAKES and types.row.capital_types) or name in kinds.PASSES:
            yield one
        elif name in kinds.OPENS:
            yield inner(one)
        elif types.row.bare_reads and name in kinds.GIVES and not types.symbols(name):
            yield Type(kinds.GIVES[name])
        elif types.is_outside(one):
            yield one
        elif one.name in ("", "module") or types.classes.named(one.name):
            field = list(types.field(one, name, depth)) if one.name else []
            yield from field or _function_of_module(types, name, depth)
        else:
            yield UNKNOWN


def _function_of_module(types: Types, name: str, depth: int) -> Iterator[Type]:
    """What a function gives that is taken from a module, where the repository has one of its name."""
    known = types.symbols(name)
    free = [one for one in known if not one.parent or one.kind in TYPES]
    if len(known) == 1 and free:
        if free[0].kind in TYPES:
            yield Type(name, (), free[0].path)
        else:
            yield from returned(types, free[0], UNKNOWN, depth)
    else:
        yield UNKNOWN
