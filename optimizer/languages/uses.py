"""How each occurrence of a name is used: alone, taken from something, as a key, and whether a local scope binds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from optimizer.languages.occurrences import Occurrence
from optimizer.languages.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

# `name`: it stands alone. `member`: taken from a receiver. `key`: a field, keyword or attribute by its own name.
# `shorthand`: a key and a name at once, as in `{ headers }`. `aliased`: the foreign part of `headers as other`.
Role = Literal["name", "member", "key", "shorthand", "aliased"]


class Use(NamedTuple):
    """One occurrence: its role, the text of its receiver, the types around it from the inside out, and its scope.

    `scope` holds the byte offsets of the function or block that binds the name for this place; None: no local scope.
    """

    place: Occurrence
    role: Role
    receiver: str
    owners: tuple[str, ...]
    scope: tuple[int, int] | None
    node: Node


_MEMBERS = frozenset({
    ("member_expression", "property"), ("nested_identifier", "property"), ("nested_type_identifier", "name"),
    ("selector_expression", "field"), ("qualified_type", "name"), ("field_expression", "field"),
    ("scoped_identifier", "name"), ("scoped_type_identifier", "name"), ("qualified_identifier", "name"),
    ("field_access", "field"), ("method_invocation", "name"), ("call", "method"), ("scope_resolution", "name"),
    ("member_call_expression", "name"), ("nullsafe_member_call_expression", "name"), ("attribute", "attribute"),
    ("member_access_expression", "name"), ("scoped_call_expression", "name"), ("qualified_name", "name"),
})  # fmt: skip
_LAST_OF = frozenset({
    "class_constant_access_expression", "scoped_type_identifier", "navigation_expression", "navigation_suffix",
    "method_reference", "qualified_name", "scoped_property_access_expression",
})  # fmt: skip
_KEYS = frozenset({
    ("pair", "key"), ("pair_pattern", "key"), ("field_initializer", "field"), ("field_initializer", "name"),
    ("field_declaration", "name"), ("field_declaration", "declarator"), ("property_signature", "name"),
    ("public_field_definition", "name"), ("field_definition", "property"), ("keyword_argument", "name"),
    ("field_pattern", "name"), ("element_value_pair", "key"), ("keyed_element", "key"), ("enum_assignment", "name"),
    ("method_signature", "name"), ("method_definition", "name"), ("abstract_method_signature", "name"),
    ("argument", "name"),
})  # fmt: skip
_KEY_PARENTS = frozenset({"jsx_attribute", "field_designator", "name_colon", "labeled_statement", "keyed_element"})
_PATTERNS = frozenset({
    "array_pattern", "object_pattern", "rest_pattern", "assignment_pattern", "pair_pattern", "expression_list",
    "object_assignment_pattern", "tuple_pattern", "tuple_struct_pattern", "ref_pattern", "mut_pattern",
    "slice_pattern", "captured_pattern", "or_pattern", "reference_pattern", "field_pattern", "struct_pattern",
    "pointer_declarator", "array_declarator", "parenthesized_declarator", "reference_declarator", "pattern_list",
    "left_assignment_list", "list_splat_pattern", "dictionary_splat_pattern", "typed_parameter",
    "as_pattern_target", "splat_parameter", "block_parameter", "destructured_parameter", "pattern", "tuple",
})  # fmt: skip
_BINDS: Mapping[str, tuple[str, ...]] = {
    "variable_declarator": ("name",), "required_parameter": ("pattern",), "optional_parameter": ("pattern", "name"),
    "formal_parameters": ("",), "arrow_function": ("parameter",), "catch_clause": ("parameter",),
    "for_in_statement": ("left",), "function_declaration": ("name",), "class_declaration": ("name",),
    "short_var_declaration": ("left",), "var_spec": ("name",), "const_spec": ("name",),
    "parameter_declaration": ("name", "declarator"), "variadic_parameter_declaration": ("name",),
    "range_clause": ("left",), "receive_statement": ("left",), "let_declaration": ("pattern",),
    "parameter": ("pattern", "name"), "for_expression": ("pattern",), "match_pattern": ("",),
    "closure_parameters": ("",), "let_condition": ("pattern",), "formal_parameter": ("name",),
    "catch_formal_parameter": ("name",), "enhanced_for_statement": ("name",), "inferred_parameters": ("",),
    "lambda_expression": ("parameters",), "resource": ("name",), "init_declarator": ("declarator",),
    "declaration": ("declarator",), "optional_parameter_declaration": ("declarator",),
    "for_range_loop": ("declarator",), "assignment": ("left",), "method_parameters": ("",),
    "block_parameters": ("",), "lambda_parameters": ("",), "keyword_parameter": ("name",),
    "parameters": ("",), "default_parameter": ("name",), "typed_default_parameter": ("name",),
    "for_statement": ("left",), "for_in_clause": ("left",), "named_expression": ("name",), "as_pattern": ("alias",),
    "variable_declaration": ("",), "function_item": ("name",), "function_definition": ("name",),
}  # fmt: skip
_SCOPES = frozenset({
    "statement_block", "function_declaration", "generator_function_declaration", "function_expression",
    "arrow_function", "method_definition", "for_statement", "for_in_statement", "catch_clause", "block",
    "func_literal", "method_declaration", "function_item", "closure_expression", "match_arm", "for_expression",
    "if_expression", "while_expression", "constructor_declaration", "lambda_expression", "enhanced_for_statement",
    "try_with_resources_statement", "compound_statement", "function_definition", "for_range_loop", "method",
    "singleton_method", "do_block", "lambda", "list_comprehension", "set_comprehension", "generator_expression",
    "dictionary_comprehension", "if_statement", "method_elem", "function_signature", "method_signature",
    "switch_case", "expression_case", "function_signature_item", "type_case", "communication_case",
    "generator_function", "type_switch_statement", "abstract_method_signature", "preproc_function_def",
})  # fmt: skip
_TYPES = frozenset({
    "class_declaration", "class_definition", "class", "abstract_class_declaration", "interface_declaration",
    "impl_item", "trait_item", "class_specifier", "struct_specifier", "enum_declaration", "module",
    "record_declaration", "trait_declaration", "object_declaration", "struct_declaration",
})  # fmt: skip
# In these blocks a name counts from its declaration on; elsewhere for the whole scope.
_FROM_HERE = frozenset({"let_declaration", "let_condition", "short_var_declaration", "var_spec", "const_spec"})
_ITSELF = frozenset({"function_declaration", "class_declaration", "function_item", "function_definition"})
_OPERATOR = (b".", b"->", b"::", b"?.")


def find_uses(source: Source, name: str) -> tuple[Use, ...]:
    """How each occurrence of `name` in the code of a file is used, in order."""
    places = source.occurrences(name)
    root = source.root
    if not places or root is None:
        return ()
    nodes = [root.descendant_for_byte_range(place.start, place.end) or root for place in places]
    bound = [found for node in nodes if (found := _binding(node)) is not None]
    return tuple(_use(source.text, *pair, bound) for pair in zip(places, nodes, strict=True))


def _use(text: bytes, place: Occurrence, node: Node, bound: list[tuple[int, int, int, int]]) -> Use:
    role, receiver = _role(node, text)
    inside = [
        (start, end)
        for start, end, since, own in bound
        if start <= place.start < end and (since <= place.start or own == place.start)
    ]
    scope = min(inside, key=lambda span: span[1] - span[0]) if inside and role in ("name", "shorthand") else None
    return Use(place, role, receiver, tuple(_owners(node, text)), scope, node)


def _role(node: Node, text: bytes) -> tuple[Role, str]:
    parent = node.parent
    if parent is None:
        return "name", ""
    if node.type.startswith("shorthand_") or parent.type == "shorthand_field_initializer":
        return "shorthand", ""
    if parent.type in ("import_specifier", "export_specifier") and parent.child_by_field_name("alias") is not None:
        return ("aliased" if parent.child_by_field_name("name") == node else "key"), ""
    field = _field(parent, node)
    first = parent.named_children[0] if parent.named_children else node
    if (parent.type, field) in _MEMBERS or parent.type in _LAST_OF:
        if first != node:
            return "member", text[first.start_byte : first.end_byte].decode("utf-8", "replace")
        return "name", ""
    if (parent.type, field) in _KEYS or (parent.type in _KEY_PARENTS and first == node):
        return "key", ""
    if parent.type == "literal_element" and parent.parent is not None and parent.parent.type == "keyed_element":
        return ("key" if parent.parent.named_children[0] == parent else "name"), ""
    if parent.type == "token_tree" and (before := node.prev_sibling) is not None and before.type in (".", "::"):
        earlier = before.prev_sibling
        return "member", "" if earlier is None else text[earlier.start_byte : earlier.end_byte].decode(
            "utf-8", "replace"
        )
    return "name", ""


def _field(parent: Node, node: Node) -> str:
    for number in range(parent.child_count):
        if parent.child(number) == node:
            return parent.field_name_for_child(number) or ""
    return ""


def _binding(node: Node) -> tuple[int, int, int, int] | None:
    """Where a local scope binds a name at `node`: its start and end, from where on it counts, and the place itself."""
    at, parent = node, node.parent
    while parent is not None and (parent.type in _PATTERNS or _is_pointer_to_function(parent, at)):
        if parent.type in ("assignment_pattern", "object_assignment_pattern") and _field(parent, at) == "right":
            return None
        if parent.type == "pair_pattern" and _field(parent, at) == "key":
            return None
        if parent.type in ("tuple_struct_pattern", "struct_pattern") and _field(parent, at) == "type":
            return None
        if parent.type == "typed_parameter" and _field(parent, at) == "type":
            return None
        at, parent = parent, parent.parent
    if parent is None:
        return None
    fields = _BINDS.get(parent.type, ())
    if not fields or (fields != ("",) and _field(parent, at) not in fields):
        return None
    if node.type in ("member_expression", "attribute", "subscript") or at.type == "call":
        return None
    around = parent.parent if parent.type in _ITSELF else parent
    while around is not None and around.type not in _SCOPES:
        if around.type in _TYPES and around.type != "module":
            return None
        around = around.parent
    if around is None or around.parent is None:
        return None
    since = parent.end_byte if parent.type in _FROM_HERE else around.start_byte
    return around.start_byte, around.end_byte, since, node.start_byte


def _is_pointer_to_function(parent: Node, at: Node) -> bool:
    return parent.type == "function_declarator" and at.type == "parenthesized_declarator"


def _owners(node: Node, text: bytes) -> Iterator[str]:
    around = node.parent
    while around is not None:
        if around.type in _TYPES:
            named = around.child_by_field_name("type") or around.child_by_field_name("name")
            if named is not None:
                yield _plain(text[named.start_byte : named.end_byte])
        elif around.type == "method_declaration" and (receiver := around.child_by_field_name("receiver")) is not None:
            yield _plain(text[receiver.start_byte : receiver.end_byte].strip(b"()").split(b" ")[-1])
        around = around.parent


def _plain(name: bytes) -> str:
    return name.decode("utf-8", "replace").lstrip("*& ").split("<")[0].split("[")[0].split("::")[-1].strip()
