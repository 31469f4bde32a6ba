"""What a name is by the node around it and the field it stands in: one table for all grammars; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

ANY = ("",)
"""Each place in a node, whether it has a field or not."""
SCOPES = frozenset({
    "arrow_function", "block", "catch_clause", "closure_expression", "compound_statement",
    "constructor_declaration", "do_block", "enhanced_for_statement", "for_expression", "for_in_statement",
    "for_range_loop", "for_statement", "func_literal", "function_declaration", "function_definition",
    "function_expression", "function_item", "function_signature", "generator_function_declaration", "if_expression",
    "if_statement", "lambda", "lambda_expression", "match_arm", "method", "method_declaration", "method_definition",
    "singleton_method", "statement_block", "try_with_resources_statement", "type_switch_statement",
    "while_expression",
})  # fmt: skip
"""Nodes with a scope of their own, for declarations and uses alike."""


class Parent(NamedTuple):
    """The fields of one type of node, by what a name in them is.

    `value`: a use, in languages of which all declarations are known; `listed`: the same for a list of names. `used`: a
    use, where every name in another place counts as declared. `called`: what is called. `member`: taken from what
    stands before it. `key`: a field, keyword or attribute by its own name. `binds`: bound in the scope around.
    """

    value: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    called: str = ""
    member: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()


_NONE = Parent()
PARENTS: Mapping[str, Parent] = {
    "abstract_method_signature": Parent(key=("name",)),
    "abstract_type": Parent(used=("trait",)),
    "argument": Parent(used=ANY, key=("name",)),
    "argument_list": Parent(value=ANY, used=ANY),
    "arguments": Parent(value=ANY, used=ANY),
    "array": Parent(value=ANY, used=ANY),
    "array_access": Parent(used=ANY),
    "array_expression": Parent(value=ANY),
    "array_initializer": Parent(used=ANY),
    "array_type": Parent(used=("element",)),
    "arrow_function": Parent(value=("body",), binds=("parameter",)),
    "as_expression": Parent(value=ANY),
    "as_pattern": Parent(binds=("alias",)),
    "assignment": Parent(used=("right",), binds=("left",)),
    "assignment_expression": Parent(value=("right",), used=("left", "right")),
    "assignment_statement": Parent(value=("right",), listed=("right",)),
    "attribute": Parent(member=("attribute",)),
    "augmented_assignment_expression": Parent(value=("right",)),
    "await_expression": Parent(value=ANY),
    "base_clause": Parent(used=ANY),
    "binary": Parent(used=ANY),
    "binary_expression": Parent(value=("left", "right"), used=ANY),
    "block_parameters": Parent(binds=ANY),
    "body_statement": Parent(used=ANY),
    "call": Parent(used=ANY, called="method", member=("method",)),
    "call_expression": Parent(value=("function",), used=ANY, called="function"),
    "cast_expression": Parent(used=ANY),
    "catch_clause": Parent(binds=("parameter",)),
    "catch_formal_parameter": Parent(binds=("name",)),
    "class_constant_access_expression": Parent(used=ANY),
    "class_declaration": Parent(binds=("name",)),
    "class_heritage": Parent(value=ANY),
    "class_interface_clause": Parent(used=ANY),
    "closure_expression": Parent(value=("body",)),
    "closure_parameters": Parent(binds=ANY),
    "compound_assignment_expr": Parent(value=("right",)),
    "conditional": Parent(used=ANY),
    "conditional_expression": Parent(used=ANY),
    "const_item": Parent(used=("type", "value")),
    "const_spec": Parent(listed=("value",), binds=("name",)),
    "declaration": Parent(used=("type",), binds=("declarator",)),
    "default_parameter": Parent(binds=("name",)),
    "dynamic_type": Parent(used=("trait",)),
    "echo_statement": Parent(used=ANY),
    "element_reference": Parent(used=ANY),
    "element_value_pair": Parent(key=("key",)),
    "enhanced_for_statement": Parent(used=("value",), binds=("name",)),
    "enum_assignment": Parent(key=("name",)),
    "enum_constant": Parent(key=("name",)),
    "enum_variant": Parent(key=("name",)),
    "expression_case": Parent(value=("value",), listed=("value",)),
    "expression_statement": Parent(value=ANY),
    "expression_switch_statement": Parent(value=("value",)),
    "extends_clause": Parent(value=("value",)),
    "field_access": Parent(used=ANY, member=("field",)),
    "field_declaration": Parent(used=("type",), key=("declarator", "name")),
    "field_definition": Parent(key=("property",)),
    "field_expression": Parent(value=("value",), used=ANY, member=("field",)),
    "field_initializer": Parent(value=("value",), used=("value",), key=("field", "name")),
    "field_pattern": Parent(key=("name",)),
    "for_clause": Parent(value=("condition",)),
    "for_expression": Parent(value=("value",), used=("value",), binds=("pattern",)),
    "for_in_clause": Parent(binds=("left",)),
    "for_in_statement": Parent(value=("right",), binds=("left",)),
    "for_range_loop": Parent(binds=("declarator",)),
    "for_statement": Parent(binds=("left",)),
    "formal_parameter": Parent(used=("type",), binds=("name",)),
    "formal_parameters": Parent(binds=ANY),
    "function_call_expression": Parent(used=ANY, called="function"),
    "function_declaration": Parent(binds=("name",)),
    "function_definition": Parent(used=("type",), binds=("name",)),
    "function_signature": Parent(binds=("name",)),
    "function_item": Parent(used=("return_type",), binds=("name",)),
    "function_type": Parent(used=("return_type",)),
    "generic_type": Parent(used=ANY),
    "if": Parent(used=("condition",)),
    "if_expression": Parent(value=("condition",), used=("condition",)),
    "if_modifier": Parent(used=ANY),
    "if_statement": Parent(value=("condition",)),
    "impl_item": Parent(used=("trait", "type")),
    "index_expression": Parent(value=ANY, used=ANY),
    "inferred_parameters": Parent(binds=ANY),
    "init_declarator": Parent(used=("value",), binds=("declarator",)),
    "initializer_list": Parent(used=ANY),
    "instanceof_expression": Parent(used=("right",)),
    "interpolation": Parent(used=ANY),
    "invocation_expression": Parent(used=ANY),
    "jsx_expression": Parent(value=ANY),
    "jsx_opening_element": Parent(value=("name",)),
    "jsx_self_closing_element": Parent(value=("name",)),
    "keyed_element": Parent(key=("key",)),
    "keyword_argument": Parent(key=("name",)),
    "keyword_parameter": Parent(binds=("name",)),
    "lambda_expression": Parent(binds=("parameters",)),
    "lambda_parameters": Parent(binds=ANY),
    "let_condition": Parent(binds=("pattern",)),
    "let_declaration": Parent(value=("value",), used=("value", "type"), binds=("pattern",)),
    "local_variable_declaration": Parent(used=("type",)),
    "macro_invocation": Parent(used=ANY),
    "match_expression": Parent(value=("value",), used=("value",)),
    "match_pattern": Parent(binds=ANY),
    "member_access_expression": Parent(used=ANY, member=("name",)),
    "member_call_expression": Parent(used=ANY, called="name", member=("name",)),
    "member_expression": Parent(value=("object",), member=("property",)),
    "method_declaration": Parent(used=("type",)),
    "method_definition": Parent(key=("name",)),
    "method_invocation": Parent(used=ANY, called="name", member=("name",)),
    "method_parameters": Parent(binds=ANY),
    "method_reference": Parent(used=ANY),
    "method_signature": Parent(key=("name",)),
    "named_expression": Parent(binds=("name",)),
    "named_type": Parent(used=ANY),
    "navigation_expression": Parent(used=ANY),
    "nested_identifier": Parent(member=("property",)),
    "nested_type_identifier": Parent(member=("name",)),
    "new_expression": Parent(value=("constructor",)),
    "non_null_expression": Parent(value=ANY),
    "nullsafe_member_call_expression": Parent(used=ANY, called="name", member=("name",)),
    "object": Parent(value=ANY),
    "object_creation_expression": Parent(used=ANY),
    "operator_assignment": Parent(used=("right",)),
    "optional_parameter": Parent(binds=("pattern", "name")),
    "optional_parameter_declaration": Parent(binds=("declarator",)),
    "ordered_field_declaration_list": Parent(used=("type",)),
    "pair": Parent(value=("value",), used=("value",), key=("key",)),
    "pair_pattern": Parent(key=("key",)),
    "parameter": Parent(used=("type",), binds=("pattern", "name")),
    "parameter_declaration": Parent(used=("type",), binds=("name", "declarator")),
    "parameters": Parent(binds=ANY),
    "parenthesized_expression": Parent(value=ANY, used=ANY),
    "parenthesized_statements": Parent(used=ANY),
    "pointer_expression": Parent(used=ANY),
    "pointer_type": Parent(used=("type",)),
    "property_signature": Parent(key=("name",)),
    "public_field_definition": Parent(key=("name",)),
    "qualified_identifier": Parent(member=("name",)),
    "qualified_name": Parent(member=("name",)),
    "qualified_type": Parent(member=("name",)),
    "range_clause": Parent(value=("right",), binds=("left",)),
    "range_expression": Parent(value=ANY),
    "receive_statement": Parent(binds=("left",)),
    "reference_expression": Parent(value=("value",), used=ANY),
    "reference_type": Parent(used=("type",)),
    "required_parameter": Parent(binds=("pattern",)),
    "resource": Parent(binds=("name",)),
    "return": Parent(used=ANY),
    "return_expression": Parent(value=ANY),
    "return_statement": Parent(value=ANY, listed=ANY, used=ANY),
    "satisfies_expression": Parent(value=ANY),
    "scope_resolution": Parent(used=ANY, member=("name",)),
    "scoped_call_expression": Parent(used=ANY, called="name", member=("name",)),
    "scoped_identifier": Parent(used=ANY, member=("name",)),
    "scoped_type_identifier": Parent(member=("name",)),
    "selector_expression": Parent(value=("operand",), member=("field",)),
    "send_statement": Parent(value=("channel", "value")),
    "short_var_declaration": Parent(listed=("right",), binds=("left",)),
    "slice_expression": Parent(value=("operand", "start", "end")),
    "spread_element": Parent(value=ANY),
    "static_item": Parent(used=("type", "value")),
    "struct_expression": Parent(used=("name",)),
    "struct_pattern": Parent(used=("type",)),
    "subscript_expression": Parent(value=("object", "index"), used=ANY),
    "super_interfaces": Parent(used=ANY),
    "superclass": Parent(used=ANY),
    "template_substitution": Parent(value=ANY),
    "ternary_expression": Parent(value=("condition", "consequence", "alternative"), used=ANY),
    "then": Parent(used=ANY),
    "throw_statement": Parent(value=ANY, used=ANY),
    "trait_bounds": Parent(used=ANY),
    "try_expression": Parent(value=ANY, used=ANY),
    "tuple_expression": Parent(value=ANY),
    "tuple_struct_pattern": Parent(value=("type",), used=("type",)),
    "tuple_type": Parent(used=ANY),
    "type_arguments": Parent(used=ANY),
    "type_assertion_expression": Parent(value=("operand",)),
    "type_binding": Parent(used=("type",)),
    "type_cast_expression": Parent(used=("type",)),
    "type_descriptor": Parent(used=("type",)),
    "type_list": Parent(used=ANY),
    "type_switch_statement": Parent(value=("value",)),
    "typed_default_parameter": Parent(binds=("name",)),
    "unary": Parent(used=ANY),
    "unary_expression": Parent(value=ANY, used=ANY),
    "unless": Parent(used=("condition",)),
    "unless_modifier": Parent(used=ANY),
    "update_expression": Parent(used=ANY),
    "var_spec": Parent(listed=("value",), binds=("name",)),
    "variable_declaration": Parent(used=("type",), binds=ANY),
    "variable_declarator": Parent(value=("value",), used=("value",), binds=("name",)),
    "variadic_parameter_declaration": Parent(binds=("name",)),
    "while": Parent(used=("condition",)),
    "while_expression": Parent(value=("condition",)),
    "yield_expression": Parent(value=ANY),
}


def row_of(node: Node) -> Parent:
    """The row of a node."""
    return PARENTS.get(node.type, _NONE)


def is_in(node: Node, parent: Node, fields: tuple[str, ...]) -> bool:
    """Whether a node stands in one of some fields of its parent."""
    return fields == ANY or any(child == node for field in fields for child in parent.children_by_field_name(field))


def field_of(parent: Node, node: Node) -> str:
    """The field of a node; '' for none."""
    for number in range(parent.child_count):
        if parent.child(number) == node:
            return parent.field_name_for_child(number) or ""
    return ""


def around(node: Node, types: tuple[str, ...]) -> Iterator[Node]:
    """The nodes of these types around a node, the nearest first."""
    parent = node.parent
    while parent is not None:
        if parent.type in types:
            yield parent
        parent = parent.parent
