"""What the parameter of a block of Ruby may be, by the call that the block belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming import expressions as kinds
from optimizer.languages.naming.written import UNKNOWN, Type, element

if TYPE_CHECKING:
    from tree_sitter import Node

    from optimizer.lookup.receivers import Types
    from optimizer.retrieval import Symbol


def given_to_block(types: Types, path: str, leaf: Node, depth: int) -> Iterator[Type]:
    """The types of a parameter that is written at `leaf`; what takes the rest of all arguments is of the core."""
    if rest := kinds.RESTS.get(leaf.parent.type if leaf.parent is not None else ""):
        yield Type(rest)
        return
    call, place = kinds.call_of_block(leaf)
    holder, name = kinds.taken_from(call) if call is not None else (None, "")
    if holder is None:
        yield UNKNOWN
        return
    for one in types.types(path, holder, depth + 1):
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
