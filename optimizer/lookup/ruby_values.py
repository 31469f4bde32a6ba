"""What a parameter or a variable of Ruby may be, by the calls that give it, or the assignments of its object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming import expressions as kinds
from optimizer.languages.naming.declarations import leaves
from optimizer.languages.naming.written import UNKNOWN, Type, element
from optimizer.lookup.names import holders

MOST_CALLS = 12
DEEPEST_GIVEN = 8

if TYPE_CHECKING:
    from tree_sitter import Node

    from optimizer.lookup.protocols import Types
    from optimizer.retrieval import Symbol


def given_to_block(types: Types, path: str, leaf: Node, depth: int) -> Iterator[Type]:
    """The types of a parameter that is written at `leaf`; what takes the rest of all arguments is of the core."""
    if rest := kinds.RESTS.get(leaf.parent.type if leaf.parent is not None else ""):
        yield Type(rest)
        return
    if (constructor := kinds.constructor_of(leaf)) is not None:
        yield from _given_to_constructor(types, path, constructor, leaf, depth)
        return
    call, place = kinds.call_of_block(leaf)
    holder, name = kinds.taken_from(call) if call is not None else (None, "")
    if call is None:
        yield UNKNOWN
        return
    name = name or kinds.text_of(call.named_children[0])
    for one in types.types(path, holder, depth + 1) if holder is not None else [types.owner(path, leaf)]:
        known = types.methods(one, name) if one.name else []
        for method in known:
            yield from _yielded(types, method, place, depth)
        if not known:
            yield one if name in kinds.PASSES_TO_BLOCK else UNKNOWN if place else element(one)


def _yielded(types: Types, method: Symbol, place: int, depth: int) -> Iterator[Type]:
    """What a method gives to its block."""
    function = next(map(kinds.function_around, types.leaves(method)), None)
    given = list(kinds.yielded(function, place)) if function is not None else []
    if not given:
        yield UNKNOWN
    for node in given:
        yield from types.types(method.path, node, depth + 1)


def _given_to_constructor(types: Types, path: str, method: Node, leaf: Node, depth: int) -> Iterator[Type]:
    """What a parameter of a constructor is given wherever the repository makes an object of its class."""
    owner, place = types.owner(path, method), kinds.place_of(leaf)
    if not owner.name:
        yield UNKNOWN
        return
    calls = [
        (one, call) for one in sorted(holders(types.index, owner.name)) for call in _makers(types, one, owner.name)
    ]
    if place is None or len(calls) > MOST_CALLS or depth >= DEEPEST_GIVEN:
        calls = []
    if not calls:
        yield UNKNOWN
    for one, call in calls:
        arguments = call.child_by_field_name("arguments")
        given = arguments.named_children[place : (place or 0) + 1] if arguments is not None else []
        plain = bool(given) and not any("splat" in part.type for part in arguments.named_children)  # type: ignore[union-attr]
        yield from types.types(one, given[0], depth + 1) if plain and given[0].type != "pair" else (UNKNOWN,)


def _makers(types: Types, path: str, name: str) -> Iterator[Node]:
    """The calls in a file that make an object of a class."""
    source = types.source(path)
    if source is None or source.root is None:
        return
    for leaf in leaves(source.root, source.text, name.encode(), 0, len(source.text)):
        whole = leaf.parent if leaf.parent is not None and leaf.parent.type == "scope_resolution" else leaf
        call = whole.parent
        method = call.child_by_field_name("method") if call is not None and call.type == "call" else None
        if call is not None and method is not None and method.text == b"new" and call.named_children[0] == whole:
            yield call


def of_object(types: Types, path: str, node: Node, depth: int) -> Iterator[Type]:
    """What a variable of an object holds; where no class is around it, as in blocks of tests, all that is assigned."""
    owner, source = types.owner(path, node), types.source(path)
    if owner.name or source is None or source.root is None:
        yield from types.field(owner, kinds.text_of(node), depth)
        return
    for leaf in leaves(source.root, source.text, node.text or b"", 0, len(source.text)):
        if (value := kinds.assigned(leaf)) is not None:
            yield from types.types(path, value, depth + 1)


def of_reader(types: Types, path: str, node: Node, depth: int) -> Iterator[Type]:
    """What a bare name gives that reads a variable of the object, as `attr_reader` makes it."""
    owner = types.owner(path, node)
    yield from types.field(owner, f"@{kinds.text_of(node)}", depth) if owner.name else ()
