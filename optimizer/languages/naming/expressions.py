"""The parts of an expression by its syntax tree: what a member is taken from, what is assigned, what is returned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming.parents import field_of

if TYPE_CHECKING:
    from tree_sitter import Node


def text_of(node: Node) -> str:
    """The text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def taken_from(node: Node) -> tuple[Node | None, str]:
    """What a member is taken from, and its name."""
    for field in ("name", "property", "field", "method"):
        if (name := node.child_by_field_name(field)) is not None:
            first = node.named_children[0]
            return (first if first != name else None), text_of(name)
    if node.type == "navigation_expression" and node.named_child_count == 2:
        return node.named_children[0], text_of(node.named_children[1]).lstrip(".?")
    return None, ""


def is_import(value: Node) -> bool:
    """Whether a value is what a module gives."""
    return re.match(rb"(?:await\s+)?(?:require|import)\s*\(", value.text or b"") is not None


def assigned(leaf: Node) -> Node | None:
    """What is assigned to a member of the object itself, or to a variable of an instance."""
    target = leaf if leaf.type in ("instance_variable", "class_variable") else leaf.parent
    if target is None or (target is not leaf and not re.match(rb"(?:this|self|\$this)(?:\.|->)", target.text or b"")):
        return None
    around = target.parent
    if around is None or around.type not in ("assignment_expression", "assignment", "operator_assignment"):
        return None
    return around.child_by_field_name("right") if field_of(around, target) == "left" else None


def function_around(leaf: Node) -> Node | None:
    """The function that a name is the name of."""
    at: Node | None = leaf
    while at is not None and not re.search(r"function|method|constructor", at.type):
        if at.type in ("variable_declarator", "assignment_expression", "pair", "public_field_definition"):
            value = at.child_by_field_name("value") or at.child_by_field_name("right")
            return value if value is not None and re.search(r"function", value.type) else None
        at = at.parent
    if at is not None and at.type == "function_declarator":
        while at.parent is not None and at.type not in ("function_definition", "declaration", "field_declaration"):
            at = at.parent
    return at


def returned_values(body: Node) -> Iterator[Node]:
    """What the statements of a body return."""
    pending: list[Node] = [body]
    while pending:
        node = pending.pop()
        if node.type in ("return_statement", "return"):
            yield from node.named_children[:1]
        elif node == body or not re.search(r"function|lambda|class|method_d", node.type):
            pending += node.named_children


_OWN = frozenset({"this", "self", "super", "Self", "cls", "parent", "static", "$this", "super()", "base", "@self"})


def is_own(receiver: str) -> bool:
    """Whether a receiver is the object or the class around it."""
    return receiver in _OWN or receiver.startswith("super(")
