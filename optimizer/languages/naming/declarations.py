"""Where a name of a file is declared, by its syntax tree: with which type, with which value, and as what of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages.naming.parents import SCOPES, field_of

if TYPE_CHECKING:
    from tree_sitter import Node


class Declared(NamedTuple):
    """One declaration of a name: the type that is written, the value, and how the name is taken from that value.

    `place` is the position of the name among several; `element`: it is each element of the value in turn.
    """

    leaf: Node
    type: Node | None
    value: Node | None
    place: int = 0
    element: bool = False
    field: bool = False


# Nodes that declare a name, with the fields that hold it; "" for any.
_DECLARES = {
    "parameter_declaration": ("name", "declarator"), "parameter": ("name", "pattern", ""),
    "formal_parameter": ("name",),
    "simple_parameter": ("name",), "property_promotion_parameter": ("name",), "required_parameter": ("pattern", "name"),
    "optional_parameter": ("pattern", "name"), "class_parameter": ("",),
    "optional_parameter_declaration": ("declarator",),
    "variadic_parameter_declaration": ("name",), "spread_parameter": ("",), "catch_formal_parameter": ("name",),
    "catch_clause": ("parameter",), "resource": ("name",),
    "variable_declarator": ("name",), "short_var_declaration": ("left",), "var_spec": ("name",),
    "const_spec": ("name",),
    "let_declaration": ("pattern",), "let_condition": ("pattern",), "init_declarator": ("declarator",),
    "declaration": ("declarator",), "property_declaration": ("",), "assignment": ("left",),
    "assignment_expression": ("left",), "const_item": ("name",), "static_item": ("name",),
    "range_clause": ("left",), "for_in_statement": ("left",), "enhanced_for_statement": ("name",),
    "foreach_statement": ("", "left"), "for_expression": ("pattern",), "for_range_loop": ("declarator",),
    "for_statement": ("",), "type_switch_statement": ("alias",),
    "field_declaration": ("name", "declarator"), "public_field_definition": ("name",), "property_element": ("name",),
    "property_signature": ("name",), "field_definition": ("property",),
    "splat_parameter": ("name",), "hash_splat_parameter": ("name",), "block_parameter": ("name",),
    "keyword_parameter": ("name",), "exception_variable": ("",),
}  # fmt: skip
_FIELDS = frozenset({"field_declaration", "public_field_definition", "property_element", "property_signature",
                     "field_definition", "class_parameter", "property_promotion_parameter"})  # fmt: skip
_LOOPS = frozenset({"range_clause", "for_in_statement", "enhanced_for_statement", "foreach_statement", "for_expression",
                    "for_range_loop", "for_statement"})  # fmt: skip
# Lists of parameters that may hold a name alone, without a type.
_BARE = frozenset({"formal_parameters", "closure_parameters", "block_parameters", "method_parameters",
                   "lambda_parameters", "arrow_function", "lambda_expression", "inferred_parameters",
                   "implicit_parameter"})  # fmt: skip
_AROUND_NAMES = frozenset({
    "expression_list", "pointer_declarator", "reference_declarator", "array_declarator", "variable_name",
    "variable_declaration", "mut_pattern", "ref_pattern", "reference_pattern", "left_assignment_list",
    "assignment_pattern", "parenthesized_declarator", "optional_parameter",
})  # fmt: skip
_DESTRUCTURES = frozenset({"object_pattern", "array_pattern", "pair_pattern", "tuple_pattern", "tuple_struct_pattern",
                           "struct_pattern", "rest_pattern", "object_assignment_pattern"})  # fmt: skip
_LATER = frozenset({"arrow_function", "function_expression"})
_SHARED_TYPE = frozenset({"variable_declarator", "init_declarator", "property_element"})
_KOTLIN_TYPES = frozenset({"user_type", "nullable_type", "function_type"})
_GUESSED = (b"var", b"auto", b"val", b"let", b"const auto")
_SCOPES = SCOPES | frozenset({
    "anonymous_function", "anonymous_function_creation_expression", "foreach_statement", "local_function_statement",
})  # fmt: skip
_BODIES_OF_TYPES = frozenset({"class_body", "declaration_list", "field_declaration_list", "interface_body", "enum_body",
                              "object_type", "body_statement"})  # fmt: skip


def declarations(root: Node, text: bytes, at: Node) -> Iterator[Declared]:
    """The declarations of the name at `at` in the nearest scope that has any; fields count as seen there."""
    found: list[tuple[int, Declared]] = []
    for leaf in leaves(root, text, at.text or b"", root.start_byte, root.end_byte):
        declared = declaration(leaf)
        value = declared.value if declared is not None else None
        if declared is None or (value is not None and _is_before(value, at)):
            continue
        scope = _scope(leaf)
        start, end = (scope.start_byte, scope.end_byte) if scope is not None else (0, len(text))
        if start <= at.start_byte < end and (scope is None or declared.field or leaf.start_byte <= at.start_byte):
            found.append((end - start, declared))
    nearest = min((size for size, _ in found), default=0)
    yield from (declared for size, declared in found if size == nearest)


def _is_before(value: Node, at: Node) -> bool:
    """Whether a name stands in the value of a declaration, and is read before it is declared."""
    return value.start_byte <= at.start_byte < value.end_byte and value.type not in _LATER


def leaves(root: Node, text: bytes, name: bytes, start: int, end: int) -> Iterator[Node]:
    """The nodes that are a name, between two places of a file."""
    word = re.compile(rb"(?<!\w)" + re.escape(name) + rb"(?![\w$])")
    for match in word.finditer(text, start, end):
        node = root.descendant_for_byte_range(match.start(), match.end())
        if node is not None and node.text == name and "comment" not in node.type and "string" not in node.type:
            yield node


def declaration(leaf: Node) -> Declared | None:
    """The declaration that a name is in as what it declares; None where it is used."""
    at, parent, place, inside = leaf, leaf.parent, 0, False
    while parent is not None and (parent.type in _AROUND_NAMES or parent.type in _DESTRUCTURES):
        if parent.type in ("expression_list", "left_assignment_list"):
            place = parent.named_children.index(at)
        if parent.type == "pair_pattern" and parent.named_children[0] == at:
            return None
        inside = inside or parent.type in _DESTRUCTURES
        at, parent = parent, parent.parent
    if parent is None:
        return None
    if parent.type in _BARE:
        bare = parent.type not in ("arrow_function", "lambda_expression") or field_of(parent, at) in (
            "parameter",
            "parameters",
        )
        return Declared(leaf, None, None) if bare else None
    fields = _DECLARES.get(parent.type)
    if fields is None or field_of(parent, at) not in fields or (fields == ("",) and _is_value(parent, at)):
        return None
    is_field = parent.type in _FIELDS or (parent.type == "variable_declarator" and _is_in_class(parent))
    if inside:
        return Declared(leaf, None, None, field=is_field)
    element = parent.type in _LOOPS
    if parent.type == "range_clause" and place == 0:
        return Declared(leaf, None, None)
    return Declared(leaf, _type(parent, at), _value(parent, at), place, element, is_field)


def _is_in_class(node: Node) -> bool:
    around = node.parent
    while around is not None and around.type not in _SCOPES:
        if around.type in _BODIES_OF_TYPES:
            return True
        around = around.parent
    return False


def _is_value(parent: Node, at: Node) -> bool:
    """Whether a child of a node without fields is not its name: in Kotlin and in loops of PHP."""
    first = next((one for one in parent.named_children if "modifier" not in one.type), None)
    if parent.type == "foreach_statement":
        return at == first
    return at != first and not (first is not None and first.type in _KOTLIN_TYPES)


def _type(parent: Node, at: Node) -> Node | None:
    holder = parent.parent if parent.type in _SHARED_TYPE and parent.parent is not None else parent
    found = parent.child_by_field_name("type") or holder.child_by_field_name("type")
    if found is None:
        inner = [*parent.named_children, *(at.named_children if at.type == "variable_declaration" else ())]
        found = next((one for one in inner if one.type in _KOTLIN_TYPES), None)
    return None if found is None or found.text in _GUESSED or found.text is None else found


def _value(parent: Node, at: Node) -> Node | None:
    found = parent.child_by_field_name("value") or parent.child_by_field_name("right")
    if found is None and parent.type == "foreach_statement":
        found = parent.named_children[0]
    if found is None and parent.type in ("property_declaration", "for_statement", "variable_declarator"):
        rest = [one for one in parent.named_children if one.end_byte > at.end_byte and one.type not in _KOTLIN_TYPES]
        found = rest[0] if rest and rest[0].type not in ("block", "getter", "setter") else None
    return found


def _scope(leaf: Node) -> Node | None:
    around = leaf.parent
    while around is not None and around.type not in _SCOPES and around.type not in _BODIES_OF_TYPES:
        around = around.parent
    return around
