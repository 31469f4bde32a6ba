"""The types that a function of the repository gives: by its head, by the comment before it, or by its statements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming import expressions as kinds
from optimizer.languages.naming.bases import TYPES
from optimizer.languages.naming.expressions import function_around, returned_values, text_of
from optimizer.languages.naming.written import UNKNOWN, Type, parse

if TYPE_CHECKING:
    from tree_sitter import Node

    from optimizer.lookup.protocols import Types
    from optimizer.retrieval import Symbol

DEEPEST = 12
MOST_RETURNS = 8


def returned(types: Types, symbol: Symbol, owner: Type, depth: int) -> Iterator[Type]:
    """What a function gives when it is called on an object of the type `owner`."""
    if symbol.kind in TYPES:
        yield Type(symbol.name, (), symbol.path)
        return
    function = next(map(function_around, types.leaves(symbol)), None)
    if function is None or depth >= DEEPEST:
        yield UNKNOWN
        return
    written = next((found for field in ("return_type", "result", "returns", "type")
                    if (found := function.child_by_field_name(field))), None)  # fmt: skip
    if written is None and function.type == "function_declaration":
        written = next((one for one in function.named_children if one.type in ("user_type", "nullable_type")), None)
    if written is not None:
        for one in parse(text_of(written), symbol.path):
            own = one.name in ("Self", "self", "this", "static", "$this")
            yield from (owner,) if own else types.bound(one, written)
        return
    yield from _said(types, symbol, function, owner) or _given(types, symbol, function, owner, depth)


def _said(types: Types, symbol: Symbol, function: Node, owner: Type) -> list[Type]:
    """What the comment before a function says that it returns."""
    source, at = types.source(symbol.path), function
    while at.prev_named_sibling is None and at.parent is not None and at.parent.parent is not None:
        at = at.parent
    comment = at.prev_named_sibling
    if source is None or comment is None or "comment" not in comment.type:
        return []
    if not (said := kinds.SAYS_RETURN.search(comment.text or b"")):
        return []
    known = parse(said[1].decode("utf-8", "replace"), symbol.path)
    ours = [owner if one.name in ("this", "self", "static", "$this") else one for one in known]
    return ours if all(types.classes.named(one.name) for one in ours) else []


def _given(types: Types, symbol: Symbol, function: Node, owner: Type, depth: int) -> Iterator[Type]:
    """What the statements of a function return, in languages that need not say it."""
    body = function.child_by_field_name("body")
    if not types.row.given or body is None:
        yield UNKNOWN
        return
    if "block" not in body.type and "statement" not in body.type:
        yield from types.types(symbol.path, body, depth + 1)
        return
    values = list(returned_values(body))[: MOST_RETURNS + 1]
    if types.row.bare_reads and body.named_children:
        values.append(body.named_children[-1])
    if not values or len(values) > MOST_RETURNS:
        yield UNKNOWN
    for value in values:
        own = text_of(value) in ("this", "self", "$this")
        yield from (owner,) if own and owner.name else types.types(symbol.path, value, depth + 1)
