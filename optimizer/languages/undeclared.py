"""The names of one file that only places of use have, so that the file itself does not declare them; pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from optimizer.languages import syntax
from optimizer.languages.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

LANGUAGES = frozenset({"c", "cpp", "csharp", "java", "kotlin", "php", "ruby", "rust"})
_ANY = ("",)
# Where a name is used: the node around it, and the fields it may be in. Everywhere else it counts as declared.
_USES: dict[str, tuple[str, ...]] = {
    "argument": _ANY, "argument_list": _ANY, "arguments": _ANY, "array": _ANY, "array_access": _ANY,
    "array_initializer": _ANY, "binary": _ANY, "binary_expression": _ANY, "body_statement": _ANY, "call": _ANY,
    "call_expression": _ANY, "cast_expression": _ANY, "class_constant_access_expression": _ANY, "conditional": _ANY,
    "conditional_expression": _ANY, "echo_statement": _ANY, "element_reference": _ANY,
    "field_access": _ANY, "field_expression": _ANY, "function_call_expression": _ANY, "generic_type": _ANY,
    "if_modifier": _ANY, "index_expression": _ANY, "initializer_list": _ANY, "interpolation": _ANY,
    "invocation_expression": _ANY, "macro_invocation": _ANY, "member_access_expression": _ANY,
    "member_call_expression": _ANY, "method_invocation": _ANY, "method_reference": _ANY, "navigation_expression": _ANY,
    "nullsafe_member_call_expression": _ANY, "object_creation_expression": _ANY, "parenthesized_expression": _ANY,
    "parenthesized_statements": _ANY, "pointer_expression": _ANY, "reference_expression": _ANY, "return": _ANY,
    "return_statement": _ANY, "scope_resolution": _ANY, "scoped_call_expression": _ANY, "scoped_identifier": _ANY,
    "subscript_expression": _ANY, "ternary_expression": _ANY, "then": _ANY, "throw_statement": _ANY,
    "try_expression": _ANY, "type_arguments": _ANY, "unary": _ANY, "unary_expression": _ANY, "unless_modifier": _ANY,
    "update_expression": _ANY,
    "assignment": ("right",), "assignment_expression": ("right",), "enhanced_for_statement": ("value",),
    "field_initializer": ("value",), "formal_parameter": ("type",), "field_declaration": ("type",),
    "for_expression": ("value",), "if": ("condition",), "if_expression": ("condition",), "init_declarator": ("value",),
    "let_declaration": ("value", "type"), "local_variable_declaration": ("type",), "match_expression": ("value",),
    "method_declaration": ("type",), "operator_assignment": ("right",), "pair": ("value",), "parameter": ("type",),
    "parameter_declaration": ("type",), "reference_type": ("type",), "unless": ("condition",),
    "variable_declaration": ("type",), "variable_declarator": ("value",), "while": ("condition",),
}  # fmt: skip
_CALLED = {
    "call": "method", "call_expression": "function", "function_call_expression": "function",
    "member_call_expression": "name", "method_invocation": "name", "nullsafe_member_call_expression": "name",
    "scoped_call_expression": "name",
}  # fmt: skip
_SELF = (b"self", b"this", b"$this", b"static")
Receiver = Literal["", "self", "other"]


class Use(NamedTuple):
    """Where a name is first used; for a call also of what: nothing, the object itself, or something else."""

    line: int
    node: Node
    called_on: Receiver | None = None


def names(source: Source) -> tuple[dict[str, Use], frozenset[str]]:
    """The names that only places of use have, and all names of a file; nothing where it does not parse."""
    language, root = source.language, source.root
    if language is None or language.name not in LANGUAGES or root is None:
        return {}, frozenset()
    if root.has_error and not language.macros:
        return {}, frozenset()
    used: dict[str, Use] = {}
    declared: set[str] = set()
    for capture, node in syntax.names_at(language, root, 0, root.end_byte):
        if capture != "reference":
            continue
        name = source.text[node.start_byte : node.end_byte].decode("utf-8", "replace")
        if _is_use(node):
            used.setdefault(name, Use(node.start_point[0] + 1, node, _called_on(node)))
        else:
            declared.add(name)
    return {name: use for name, use in used.items() if name not in declared}, frozenset(declared | used.keys())


def _is_use(node: Node) -> bool:
    parent = node.parent
    if parent is not None and parent.type == "variable_name":
        node, parent = parent, parent.parent
    if parent is None:
        return False
    if parent.type == "argument" and parent.child_by_field_name("name") == node:
        return False
    fields = _USES.get(parent.type, ())
    return fields == _ANY or any(child == node for field in fields for child in parent.children_by_field_name(field))


def _called_on(node: Node) -> Receiver | None:
    """What a name is called on; None where it is not the name of a call."""
    call = node.parent
    field = _CALLED.get(call.type) if call is not None else None
    if call is None or field is None or call.child_by_field_name(field) != node:
        return None
    for name in ("receiver", "object", "scope"):
        if (on := call.child_by_field_name(name)) is not None:
            return "self" if on.text in _SELF else "other"
    return ""


@cache
def known(language: str) -> frozenset[str]:
    """What the standard library of a language brings without being imported by its name."""
    file = Path(__file__).parent / "known" / f"{language}.txt"
    return frozenset(file.read_text("utf-8").split()) if file.exists() else frozenset()


def is_misspelt(name: str, others: frozenset[str]) -> bool:
    """Whether a name differs from one of `others` by one letter, or by two that changed places."""
    return any(_is_near(name, other) for other in others if abs(len(other) - len(name)) <= 1 and other[0] == name[0])


def _is_near(one: str, other: str) -> bool:
    if len(one) == len(other):
        places = [number for number, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(places) == 1:
            return one[places[0]].islower() and other[places[0]].islower()
        swapped = len(places) == 2 and places[1] == places[0] + 1
        return swapped and one[places[0]] == other[places[1]] and one[places[1]] == other[places[0]]
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return any(longer[:number] + longer[number + 1 :] == shorter for number in range(1, len(longer) - 1))


def around(node: Node, types: tuple[str, ...]) -> Iterator[Node]:
    """The nodes of these types around a node, the nearest first."""
    parent = node.parent
    while parent is not None:
        if parent.type in types:
            yield parent
        parent = parent.parent
