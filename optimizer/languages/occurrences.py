"""Where a name stands in the code of one file, and what is done with it there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages import syntax
from optimizer.languages.table import Language
from optimizer.retrieval import ReferenceKind

if TYPE_CHECKING:
    from tree_sitter import Node

# Leaves that are names, in any of the grammars.
_NAMES = frozenset(
    {
        "class_variable",
        "constant",
        "field_identifier",
        "global_variable",
        "identifier",
        "instance_variable",
        "name",
        "namespace_identifier",
        "package_identifier",
        "primitive_type",
        "private_property_identifier",
        "property_identifier",
        "shorthand_field_identifier",
        "shorthand_property_identifier",
        "shorthand_property_identifier_pattern",
        "simple_identifier",
        "statement_identifier",
        "type_identifier",
        "variable_name",
    }
)
# Where the callee stands in a call, and which end of a longer name stands for the whole.
_CALLS = {
    "call": ("function", "method", "target"),
    "call_expression": ("function", ""),
    "command": ("name",),
    "constructor_invocation": ("",),
    "function_call": ("name",),
    "instance_expression": ("",),
    "invocation_expression": ("function",),
    "method_invocation": ("name",),
    "object_creation_expression": ("type", ""),
    "new_expression": ("constructor", "type"),
    "macro_invocation": ("macro",),
    "function_call_expression": ("function",),
    "member_call_expression": ("name",),
    "nullsafe_member_call_expression": ("name",),
    "scoped_call_expression": ("name",),
    "jsx_opening_element": ("name",),
    "jsx_self_closing_element": ("name",),
}
_LAST = {
    "command_name": "",
    "conditional_access_expression": "",
    "dot": "right",
    "dot_index_expression": "field",
    "generic_name": "",
    "member_access_expression": "name",
    "member_binding_expression": "name",
    "method_index_expression": "method",
    "navigation_expression": "",
    "navigation_suffix": "suffix",
    "user_type": "",
    "attribute": "attribute",
    "member_expression": "property",
    "selector_expression": "field",
    "field_expression": "field",
    "scoped_identifier": "name",
    "scoped_type_identifier": "name",
    "qualified_identifier": "name",
    "scope_resolution": "name",
    "generic_function": "function",
    "generic_type": "",
    "template_function": "name",
    "template_type": "name",
    "qualified_name": "",
}
# Longer names whose last part is that of the last child.
_ENDS = frozenset({"conditional_access_expression", "navigation_expression", "qualified_name", "user_type"})
# Where a word of a shell script is a name.
_COMMANDS = frozenset({"command_name", "function_definition"})


class Occurrence(NamedTuple):
    """One place where a name stands in code: byte offsets, the line (from 1), and what is done with it."""

    start: int
    end: int
    line: int
    kind: ReferenceKind


def find_occurrences(language: Language, root: Node, data: bytes, name: str) -> tuple[Occurrence, ...]:
    """Where exactly `name` stands as an identifier in code, never in strings or comments, in order."""
    wanted = name.encode("utf-8", "replace")
    if not wanted or language.outline or (root.has_error and syntax.is_hopeless(syntax.errors(root))):
        return ()
    found: list[Occurrence] = []
    for match in re.finditer(rb"(?<![A-Za-z0-9_])" + re.escape(wanted) + rb"(?![A-Za-z0-9_])", data):
        start, end = match.span()
        node = root.descendant_for_byte_range(start, end)
        if node is not None and _is_name(node, start, end):
            found.append(Occurrence(start, end, node.start_point[0] + 1, _use(language, root, data, node, end)))
    return tuple(found)


def _is_name(node: Node, start: int, end: int) -> bool:
    if node.type == "alias":
        return node.child_count == 0
    if node.start_byte != start or node.end_byte != end or node.child_count:
        return False
    parent = node.parent
    if node.type == "word":
        return parent is not None and parent.type in _COMMANDS
    return node.type in _NAMES and (parent is None or parent.type != "variable_name")


def _use(language: Language, root: Node, data: bytes, node: Node, end: int) -> ReferenceKind:
    around = syntax.find_at(language, root, data, node.start_byte, node.end_byte)
    if any(item.start <= node.start_byte and node.end_byte <= item.node.end_byte for item in around.imports):
        return "import"
    for item in around.definitions:
        name = item.captures["name"][0]
        if item.kind != "impl" and name.end_byte == end and name.start_byte <= node.start_byte:
            return "definition"
    return "call" if _is_callee(node) else "use"


def _is_callee(node: Node) -> bool:
    parent = node.parent
    while parent is not None and (field := _LAST.get(parent.type)) is not None:
        if not _stands_at(parent, field, node, -1 if parent.type in _ENDS else 0):
            return False
        node, parent = parent, parent.parent
    if parent is None:
        return False
    if parent.type == "token_tree":
        following = node.next_sibling
        return following is not None and following.type == "token_tree" and following.child(0).type == "("
    return any(_stands_at(parent, field, node, 0) for field in _CALLS.get(parent.type, ()))


def _stands_at(parent: Node, field: str, node: Node, number: int) -> bool:
    """Whether `node` is the child of `parent` in a field, or by number among the named children when '' is given."""
    if field:
        return parent.child_by_field_name(field) == node
    named = parent.named_children
    return bool(named) and named[number] == node
