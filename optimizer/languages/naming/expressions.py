"""The parts of an expression by its syntax tree: what a member is taken from, what is assigned, what is returned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages.naming.parents import field_of

if TYPE_CHECKING:
    from tree_sitter import Node

# Nodes of expressions, by what is to be asked of them.
OWN_NAMES = frozenset({"this", "self", "Self", "super", "static", "parent", "cls", "base", "$this", "@self"})
CALLS = {
    "call_expression": "function", "method_invocation": "", "call": "", "member_call_expression": "",
    "nullsafe_member_call_expression": "", "scoped_call_expression": "", "function_call_expression": "function",
    "invocation_expression": "function",
}  # fmt: skip
MEMBERS = frozenset({
    "member_expression", "selector_expression", "field_expression", "field_access", "member_access_expression",
    "nullsafe_member_access_expression", "navigation_expression", "scoped_identifier", "qualified_identifier",
    "scope_resolution", "qualified_name", "scoped_property_access_expression", "qualified_type",
    "scoped_type_identifier", "conditional_access_expression",
})  # fmt: skip
NEW = frozenset({"new_expression", "object_creation_expression", "composite_literal", "struct_expression",
                  "compound_literal_expression"})  # fmt: skip
SAME = frozenset({"parenthesized_expression", "non_null_expression", "reference_expression", "unary_expression",
                   "pointer_expression", "expression_statement", "satisfies_expression", "argument",
                   "unary_op_expression", "prefix_unary_expression", "postfix_expression", "generic_function",
                   "variable_name", "expression_list", "parenthesized_statements"})  # fmt: skip
CASTS = frozenset({"as_expression", "cast_expression", "type_assertion_expression", "type_cast_expression"})
INDEXED = frozenset({"index_expression", "subscript_expression", "array_access", "element_access_expression",
                      "element_reference"})  # fmt: skip
CHOICES = frozenset({"ternary_expression", "conditional_expression", "conditional"})
FUNCTIONS = frozenset({"arrow_function", "function_expression", "function"})
ASSIGNS = frozenset({"assignment_expression", "assignment", "operator_assignment"})
_LISTS = ("block_parameters", "formal_parameters")
_EACH = frozenset({"forEach", "map", "filter", "find", "findLast", "some", "every", "flatMap", "findIndex"})
PASSES_TO_BLOCK = frozenset({"tap", "then", "yield_self", "instance_eval", "new"})
_CONDITIONS = ("condition", "value", "pattern", "exceptions", "variable")
_STATEMENTS = frozenset({"if", "unless", "case", "when", "begin", "then", "else", "elsif", "rescue", "case_match",
                         "in_clause", "body_statement", "block_body"})  # fmt: skip
NAMES = frozenset({"identifier", "type_identifier", "constant", "name", "simple_identifier", "instance_variable",
                    "namespace_identifier", "package_identifier", "field_identifier", "class_variable"})  # fmt: skip
LITERALS = re.compile(r"(?:string|number|integer|float|int|char|true|false|array|hash|object|regex|template_string"
                       r"|symbol|boolean|raw_string|interpreted_string).*|.*literal.*")  # fmt: skip
SAYS_RETURN = re.compile(rb"@returns?\s*\{?\s*([\w$.|?\\\[\]<> ]+?)\s*(?:\}|[\r\n])")
PARAMETERS = ("type_parameters", "type_parameter_list", "template_parameter_list", "where_clause",
               "type_parameter_constraints_clause", "type_constraints")  # fmt: skip
EMBEDDED = re.compile(rb"(?m)^[ \t]*\*?(?:\w+\.)?(\w+)[ \t]*(?://.*)?$")
# Methods of outside types through which a value goes on: as it is, as what is in it.
PASSES = frozenset({"clone", "as_ref", "as_mut", "borrow", "borrow_mut", "iter", "iter_mut", "into_iter", "to_owned",
                     "freeze", "dup", "tap", "also", "apply", "get_mut", "lock", "read", "write", "let", "rev",
                     "skip", "take", "filter", "enumerate_"})  # fmt: skip
MAKES = frozenset({"new", "default", "make", "allocate", "from", "with_capacity"})
OPENS = frozenset({"unwrap", "expect", "unwrap_or_default", "first", "last", "get", "pop", "next", "orElseThrow", "at",
                    "unwrap_err", "poll", "peek", "remove", "find", "orElse", "shift"})  # fmt: skip


# Parameters of Ruby that take the rest, and what methods of its core give in every class that has them.
RESTS = {"splat_parameter": "Array", "hash_splat_parameter": "Hash", "block_parameter": "Proc"}
_STRINGS = "to_s inspect join strip chomp upcase downcase capitalize gsub sub tr encode"
_ARRAYS = "to_a map collect flat_map split keys values zip chars lines bytes partition"
GIVES = {
    **dict.fromkeys(_STRINGS.split(), "String"),
    **dict.fromkeys(_ARRAYS.split(), "Array"),
    **dict.fromkeys(("to_h", "group_by", "tally"), "Hash"),
    **dict.fromkeys(("size", "length", "count", "to_i"), "Integer"),
    "to_sym": "Symbol",
}


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
    if node.type == "qualified_name" and node.named_children:
        first, last = node.named_children[0], node.named_children[-1]
        return (first if first != last else None), text_of(last)
    return None, ""


def first_around(node: Node) -> Node | None:
    """The first part of what is around a node."""
    return node.parent.named_children[0] if node.parent is not None else None


def is_in_macro(node: Node) -> bool:
    """Whether a node is a token of a macro, which no grammar reads as an expression."""
    return node.parent is not None and node.parent.type == "token_tree"


def is_defined_in_macro(node: Node) -> bool:
    """Whether a token of a macro is the name of a function that the macro defines."""
    return is_in_macro(node) and node.prev_sibling is not None and node.prev_sibling.type == "fn"


def taken_in_macro(node: Node) -> Node | None:
    """The name alone that a token of a macro takes a member from; None for a longer expression."""
    sign = node.prev_sibling
    first = sign.prev_sibling if sign is not None else None
    before = first.prev_sibling if first is not None else None
    is_alone = before is None or before.type not in (".", "::")
    return first if first is not None and first.type in NAMES and is_alone else None


def by_place(leaf: Node, place: int) -> list[Node]:
    """The type of a field without a name, by its place, where a node is the name of a struct that has such fields."""
    body = leaf.parent.child_by_field_name("body") if leaf.parent is not None else None
    ordered = body is not None and body.type == "ordered_field_declaration_list"
    return body.children_by_field_name("type")[place : place + 1] if body is not None and ordered else []


def bounds(at: Node, name: str) -> list[str] | None:
    """What a type parameter of the function or class around a node is bound to; None where no such is in sight."""
    around: Node | None = at
    while around is not None:
        texts = [text_of(one) for one in around.named_children if one.type in PARAMETERS]
        if any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts[:1]):
            found = re.search(rf"\b{re.escape(name)}\s*(?::|extends)\s*([^,]+?)[\s>]*(?:,|$)", " , ".join(texts))
            return re.split(r"[+&]", found[1]) if found else []
        around = around.parent
    return None


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


def is_statement(node: Node) -> bool:
    """Whether a node is a statement of Ruby that is an expression too."""
    return node.type in _STATEMENTS


def values_of(node: Node) -> Iterator[Node]:
    """The last expression of each branch of such a statement."""
    parts = [one for one in node.named_children if field_of(node, one) not in _CONDITIONS]
    if node.type in ("begin", "then", "else", "body_statement", "block_body"):
        last = next((one for one in reversed(parts) if one.type not in ("rescue", "else", "ensure", "comment")), None)
        parts = [one for one in parts if one == last or one.type == "rescue"]
    for one in parts:
        yield from values_of(one) if is_statement(one) else (one,)


def call_of_block(leaf: Node) -> tuple[Node | None, int]:
    """The call that gives a block of Ruby, or a function that JavaScript calls for each element, its parameter; and
    the place of the parameter; None for any other.
    """
    at, listed = leaf, leaf.parent
    if listed is not None and listed.type in ("required_parameter", "optional_parameter"):
        at, listed = listed, listed.parent
    block = listed.parent if listed is not None and listed.type in _LISTS else listed
    if listed is None or block is None or listed.type not in (*_LISTS, "arrow_function"):
        return None, 0
    place = listed.named_children.index(at) if listed.type in _LISTS else 0
    if block.type in ("block", "do_block"):
        return block.parent, place
    given = block.parent if block.type in ("arrow_function", "function_expression") else None
    call = given.parent if given is not None and given.named_children[0] == block else None
    function = call.child_by_field_name("function") if call is not None else None
    is_each = function is not None and function.type == "member_expression" and taken_from(function)[1] in _EACH
    return (function if is_each else None), place


def constructor_of(leaf: Node) -> Node | None:
    """The constructor of Ruby that a name is a parameter of."""
    at = leaf.parent
    while at is not None and at.type in ("optional_parameter", "method_parameters"):
        at = at.parent
    name = at.child_by_field_name("name") if at is not None and at.type == "method" else None
    return at if name is not None and name.text == b"initialize" and name != leaf else None


def place_of(leaf: Node) -> int | None:
    """The place of a parameter among all that come before it by their place; None where that is not fixed."""
    at, listed = leaf, leaf.parent
    if listed is not None and listed.type == "optional_parameter":
        at, listed = listed, listed.parent
    before = listed.named_children if listed is not None else []
    before = before[: before.index(at)] if at in before else []
    return len(before) if all(one.type in ("identifier", "optional_parameter") for one in before) else None


def yielded(function: Node, place: int) -> Iterator[Node]:
    """What a method of Ruby gives to its block at one place."""
    pending = [function]
    while pending:
        node = pending.pop()
        if node.type == "yield":
            given = node.named_children[0].named_children if node.named_children else []
            yield from given[place : place + 1]
        pending += node.named_children


_OWN = frozenset({"this", "self", "super", "Self", "cls", "parent", "static", "$this", "super()", "base", "@self"})


def is_own(receiver: str) -> bool:
    """Whether a receiver is the object or the class around it."""
    return receiver in _OWN or receiver.startswith("super(")
