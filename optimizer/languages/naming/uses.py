"""How each occurrence of a name is used: alone, taken from something, as a key, and whether a local scope binds it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from optimizer.languages.naming.parents import ANY, SCOPES, field_of, row_of
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


_LAST_OF = frozenset({
    "class_constant_access_expression", "scoped_type_identifier", "navigation_expression", "navigation_suffix",
    "method_reference", "qualified_name", "scoped_property_access_expression",
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
_SCOPES = SCOPES | frozenset({
    "abstract_method_signature", "communication_case", "dictionary_comprehension", "expression_case",
    "function_signature_item", "generator_expression", "generator_function", "list_comprehension", "method_elem",
    "method_signature", "preproc_function_def", "set_comprehension", "switch_case", "type_case",
})  # fmt: skip
_TYPES = frozenset({
    "class_declaration", "class_definition", "class", "abstract_class_declaration", "interface_declaration",
    "impl_item", "trait_item", "class_specifier", "struct_specifier", "enum_declaration", "module",
    "record_declaration", "trait_declaration", "object_declaration", "struct_declaration",
})  # fmt: skip
# In these blocks a name counts from its declaration on; elsewhere for the whole scope.
_FROM_HERE = frozenset({"let_declaration", "let_condition", "short_var_declaration", "var_spec", "const_spec"})
_ITSELF = frozenset({
    "function_declaration", "class_declaration", "function_item", "function_definition", "function_signature",
    "generator_function_declaration",
})  # fmt: skip
_KEYED = ("pair", "method_definition", "property_signature", "method_signature")
_OF_KEYS = ("map_type", "slice_type", "array_type", "implicit_length_array_type")
_OPERATOR = (b".", b"->", b"::", b"?.")
_PROTOTYPE = re.compile(rb"([A-Za-z_$][\w$]*)\.prototype\b")
_QUALIFIED = re.compile(rb"(\w+)\s*(?:<[^()]*>)?\s*::\s*~?\w+\s*\(")
_NAMESPACES = ("internal_module", "module", "ambient_declaration", "namespace_definition")


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
    return Use(place, role, receiver, tuple(owners(node, text)), scope, node)


def _role(node: Node, text: bytes) -> tuple[Role, str]:
    parent = node.parent
    if parent is None:
        return "name", ""
    if node.type.startswith("shorthand_") or parent.type == "shorthand_field_initializer":
        return "shorthand", ""
    if parent.type in ("import_specifier", "export_specifier") and parent.child_by_field_name("alias") is not None:
        return ("aliased" if parent.child_by_field_name("name") == node else "key"), ""
    field, row = field_of(parent, node), row_of(parent)
    first = parent.named_children[0] if parent.named_children else node
    if field in row.member or parent.type in _LAST_OF:
        if first != node:
            return "member", text[first.start_byte : first.end_byte].decode("utf-8", "replace")
        return "name", ""
    if parent.type == "pair" and node.type == "identifier":
        return "name", ""
    if field in row.key or (parent.type in _KEY_PARENTS and first == node):
        return "key", ""
    if parent.type == "literal_element" and parent.parent is not None and parent.parent.type == "keyed_element":
        is_key = parent.parent.named_children[0] == parent and not _is_in_map(parent.parent)
        return ("key" if is_key else "name"), ""
    if parent.type == "token_tree" and (before := node.prev_sibling) is not None and before.type in (".", "::"):
        earlier = before.prev_sibling
        return "member", "" if earlier is None else text[earlier.start_byte : earlier.end_byte].decode(
            "utf-8", "replace"
        )
    return "name", ""


def _is_in_map(element: Node) -> bool:
    """Whether the keys of a literal are values, and not the fields of a struct."""
    literal = element.parent.parent if element.parent is not None else None
    kind = literal.child_by_field_name("type") if literal is not None else None
    return kind is not None and kind.type in _OF_KEYS


def _binding(node: Node) -> tuple[int, int, int, int] | None:
    """Where a local scope binds a name at `node`: its start and end, from where on it counts, and the place itself."""
    at, parent = node, node.parent
    while parent is not None and (parent.type in _PATTERNS or _is_pointer_to_function(parent, at)):
        if parent.type in ("assignment_pattern", "object_assignment_pattern") and field_of(parent, at) == "right":
            return None
        if parent.type == "pair_pattern" and field_of(parent, at) == "key":
            return None
        if parent.type in ("tuple_struct_pattern", "struct_pattern") and field_of(parent, at) == "type":
            return None
        if parent.type == "typed_parameter" and field_of(parent, at) == "type":
            return None
        at, parent = parent, parent.parent
    if parent is None:
        return None
    fields = row_of(parent).binds
    if not fields or (fields != ANY and field_of(parent, at) not in fields):
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


def binds(node: Node) -> bool:
    """Whether a name is bound at `node` for a local scope."""
    return _binding(node) is not None


def _is_pointer_to_function(parent: Node, at: Node) -> bool:
    return parent.type == "function_declarator" and at.type == "parenthesized_declarator"


def owners(node: Node, text: bytes) -> Iterator[str]:
    """The types around a node, from the inside out."""
    around = node.parent
    while around is not None:
        if around.type in _TYPES:
            named = around.child_by_field_name("type") or around.child_by_field_name("name")
            if named is not None:
                yield _plain(text[named.start_byte : named.end_byte])
        elif around.type == "method_declaration" and (receiver := around.child_by_field_name("receiver")) is not None:
            yield _plain(text[receiver.start_byte : receiver.end_byte].strip(b"()").split(b" ")[-1])
        elif around.type == "assignment_expression" and (of := _PROTOTYPE.match(text, around.start_byte)):
            yield of[1].decode("utf-8", "replace")
        elif around.type == "function_definition" and (outer := _QUALIFIED.search(_head(around, text))):
            yield outer[1].decode("utf-8", "replace")
        around = around.parent


def _head(function: Node, text: bytes) -> bytes:
    """What stands before the body of a function."""
    body = function.child_by_field_name("body")
    return text[function.start_byte : body.start_byte if body is not None else function.end_byte]


def _plain(name: bytes) -> str:
    return name.decode("utf-8", "replace").lstrip("*& ").split("<")[0].split("[")[0].split("::")[-1].strip()


# ── what stands around a use ─────────────────────────────────────────────────────────────────────

_FIELDS = ("field_expression", "field_access")
_OF_OBJECTS = frozenset({
    "field_expression", "field_access", "method_invocation", "member_access_expression", "call",
    "member_call_expression", "nullsafe_member_call_expression",
})  # fmt: skip


def is_field(use: Use) -> bool:
    """Whether a use takes a field by its dot, where the grammar tells fields from methods."""
    return use.node.parent is not None and use.node.parent.type in _FIELDS


def is_of_object(use: Use) -> bool:
    """Whether a use takes a member of an object, and nothing of a module or namespace."""
    return use.node.parent is not None and use.node.parent.type in _OF_OBJECTS


def is_setter(use: Use) -> bool:
    """Whether a use is the name in a definition that assigns to it, `def name=(value)`."""
    return use.node.parent is not None and use.node.parent.type == "setter"


def is_key(node: Node) -> bool:
    """Whether a name is that of a property in an object, or in a type of JavaScript that says what objects have."""
    return node.parent is not None and node.parent.type in _KEYED


def is_in_literal(node: Node) -> bool:
    """Whether a name is that of a property in an object that is written out."""
    around = node.parent.parent if node.parent is not None and node.parent.type in _KEYED else None
    return around is not None and around.type == "object"


def is_taken_apart(node: Node) -> bool:
    """Whether a name is that of a member in a pattern that takes an object apart, as in `const { name } = it`."""
    parent = node.parent
    if parent is None or node.type == "shorthand_property_identifier":
        return False
    is_first = parent.type == "pair_pattern" and field_of(parent, node) == "key"
    return is_first or node.type == "shorthand_property_identifier_pattern"


def is_in_namespace(node: Node) -> bool:
    """Whether a block around a node is one whose names other files can take."""
    around = node.parent
    while around is not None:
        if around.type in _NAMESPACES:
            return True
        around = around.parent
    return False


def modules_around(use: Use) -> list[str]:
    """The modules within its file that a use stands in, from the outside in."""
    names, around = [], use.node.parent
    while around is not None:
        name = around.child_by_field_name("name") if around.type in ("mod_item", "namespace_definition") else None
        if name is not None and name != use.node:
            names.append((name.text or b"").decode("utf-8", "replace"))
        around = around.parent
    return names[::-1]


def starts_with(use: Use) -> str:
    """The first part of the path that a use ends, lists of an import included."""
    head, around = re.split(r"::", use.receiver)[0].strip(), use.node.parent
    while around is not None and around.type in ("scoped_use_list", "use_list", "use_as_clause", "scoped_identifier"):
        if (before := around.child_by_field_name("path")) is not None:
            head = re.split(r"::", (before.text or b"").decode("utf-8", "replace"))[0].strip()
        around = around.parent
    return head


def counts(use: Use) -> str:
    """How many parameters and results the function has that a definition names, as two digits."""
    method = use.node.parent
    fields = [method.child_by_field_name(field) for field in ("parameters", "result")] if method is not None else []
    return "".join(str(_count(one)) for one in fields)


def _count(listed: Node | None) -> int:
    if listed is None or listed.type != "parameter_list":
        return int(listed is not None)
    return sum(max(1, len(one.children_by_field_name("name"))) for one in listed.named_children if "param" in one.type)


def is_parameter(use: Use, name: str) -> bool:
    """Whether the innermost function around a use has a parameter that is written as `name` alone."""
    listed = function_around(use).child_by_field_name("parameters")
    return listed is not None and any(one.text == name.encode() for one in listed.named_children)


def has_open_parameter(use: Use, name: str) -> bool:
    """Whether the innermost function around a use takes any value as `name`: a parameter without a type."""
    listed = function_around(use).child_by_field_name("parameters")
    given = listed.named_children if listed is not None else []
    if given and name in ("self", "cls") and given[0].text == name.encode():
        return False
    names = (one.child_by_field_name("name") if one.type == "default_parameter" else one for one in given)
    return any(one is not None and one.type == "identifier" and one.text == name.encode() for one in names)


def function_around(use: Use) -> Node:
    """The innermost function that a use stands in; the whole file where there is none."""
    node = use.node
    while node.parent is not None and not _is_function(node.type):
        node = node.parent
    return node


def _is_function(kind: str) -> bool:
    return ("function" in kind or "method_d" in kind or kind == "method") and "call" not in kind and "type" not in kind


def trait_of(use: Use) -> str:
    """The trait that the block around a definition implements; '' for none."""
    node = use.node.parent
    while node is not None and node.type != "impl_item":
        node = node.parent
    trait = node.child_by_field_name("trait") if node is not None else None
    text = (trait.text or b"") if trait is not None else b""
    return text.decode("utf-8", "replace").split("<")[0].split("::")[-1]


def made_around(node: Node) -> str:
    """The type that a class without a name around a node is derived from; '' for none."""
    at = node.parent
    while at is not None and at.type != "object_creation_expression" and "declaration" not in at.type[:6]:
        at = at.parent
    made = at.child_by_field_name("type") if at is not None and at.type == "object_creation_expression" else None
    return _plain(made.text or b"").split(".")[-1] if made is not None else ""


def says_override(use: Use) -> bool:
    """Whether the method that a definition names is marked as one that overrides another."""
    node = use.node.parent
    while node is not None and "method" not in node.type and "function" not in node.type:
        node = node.parent
    return node is not None and _OVERRIDES.search((node.text or b"")[:400]) is not None


_OVERRIDES = re.compile(rb"@Override\b|\boverride\b")
