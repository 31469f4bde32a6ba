"""How a Python class has its attributes: where its body, its methods, its slots and its constructor name them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming import variables

if TYPE_CHECKING:
    from tree_sitter import Node

_FIELDS_MAKE_IT = re.compile(
    r"@\s*(?:[\w.]*\.)?(?:dataclass|define|mutable|frozen|attrs|attributes|s|dataclass_transform)\b"
)
_SLOTS = (b"__slots__", b"__match_args__")


def class_of(node: Node) -> Node | None:
    """The class whose body an identifier is a name of."""
    scope = variables.own_scope(node)
    return scope if scope is not None and scope.type == "class_definition" else None


def class_of_self(node: Node) -> Node | None:
    """The class of the object that a method takes an attribute of: `self.name`, or `cls.name`."""
    attribute = node.parent
    receiver = attribute.child_by_field_name("object") if attribute is not None else None
    around = node.parent
    while around is not None and receiver is not None:
        if around.type == "function_definition" and (owner := _class_around(around)) is not None:
            known = list(variables.parameters(around))
            return owner if known[:1] == [(receiver.text or b"").decode("utf-8", "replace")] else None
        around = around.parent
    return None


def _class_around(function: Node) -> Node | None:
    at = function.parent
    if at is not None and at.type == "decorated_definition":
        if any(one.text == b"@staticmethod" for one in at.named_children):
            return None
        at = at.parent
    return at.parent if at is not None and at.parent is not None and at.parent.type == "class_definition" else None


def is_assigned(node: Node) -> bool:
    """Whether a name, or the attribute of an object, is given a value or a type there."""
    at = node.parent if node.parent is not None and node.parent.type == "attribute" else node
    return at is not None and variables.is_bound(at)


def line_of(owner: Node) -> int:
    """The line of the name of a class."""
    name = owner.child_by_field_name("name")
    return (name or owner).start_point[0] + 1


def is_made_of_fields(owner: Node) -> bool:
    """Whether the constructor of a class takes its fields by their names."""
    around = owner.parent
    marks = around.named_children if around is not None and around.type == "decorated_definition" else []
    heads = [(one.text or b"").decode("utf-8", "replace") for one in marks if one.type == "decorator"]
    bases = owner.child_by_field_name("superclasses")
    return any(map(_FIELDS_MAKE_IT.match, heads)) or (bases is not None and b"NamedTuple" in (bases.text or b""))


def class_at(root: Node, line: int) -> Node | None:
    """The class whose name stands in a line."""
    pending = [root]
    while pending:
        node = pending.pop()
        if node.start_point[0] < line <= node.end_point[0] + 1:
            if node.type == "class_definition" and line_of(node) == line:
                return node
            pending += node.named_children
    return None


def in_strings(owner: Node, data: bytes, name: str) -> Iterator[tuple[int, bool]]:
    """Where a list in the body of a class has an attribute as a string, and whether it is one of slots."""
    body, quoted = owner.child_by_field_name("body"), re.compile(rb"(['\"])(" + re.escape(name.encode()) + rb")\1")
    for one in body.named_children if body is not None else ():
        made = one.named_children[0] if one.type == "expression_statement" and one.named_children else one
        left = made.child_by_field_name("left") if made.type == "assignment" else None
        if left is not None:
            for match in quoted.finditer(data, made.start_byte, made.end_byte):
                yield match.start(2), left.text in _SLOTS


def pattern_of(node: Node) -> Node | None:
    """The last name of the class in whose pattern a name is a keyword, `case Class(name=…)`."""
    if node.parent is None or node.parent.type != "keyword_pattern" or node.parent.named_children[0] != node:
        return None
    around = node.parent.parent
    while around is not None and around.type != "class_pattern":
        around = around.parent
    return None if around is None else around.named_children[0].named_children[-1]
