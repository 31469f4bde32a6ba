"""Which places of a Python function mean one of its variables or parameters, by its scopes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_COMPREHENSIONS = frozenset(
    {"list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression"}
)
_FUNCTIONS = frozenset({"function_definition", "lambda"})
_SCOPES = _FUNCTIONS | _COMPREHENSIONS | {"class_definition", "module"}
_PARAMETERS = frozenset({"parameters", "lambda_parameters"})
_WITHIN_PATTERNS = frozenset({
    "pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern", "as_pattern_target", "tuple", "list",
    "parenthesized_expression", "list_splat",
})  # fmt: skip
# The field that binds a name, for each kind of node that has one.
_BINDS = {
    "assignment": "left", "augmented_assignment": "left", "for_statement": "left", "for_in_clause": "left",
    "named_expression": "name", "function_definition": "name", "class_definition": "name", "aliased_import": "alias",
    "as_pattern": "alias", "type_alias_statement": "left",
}  # fmt: skip
_SCOPE_OF_ALL = re.compile(rb"(?<![\w.])(?:locals\(\s*\)|vars\(\s*\)|dir\(\s*\)|exec\(|eval\()")


def named(root: Node, data: bytes, name: str) -> Iterator[Node]:
    """The identifiers of a tree that stand for the variable `name`: no attributes, and no keywords of calls."""
    word = re.compile(rb"(?<!\w)" + re.escape(name.encode()) + rb"(?!\w)")
    for match in word.finditer(data, root.start_byte, root.end_byte):
        node = root.descendant_for_byte_range(*match.span())
        if node is not None and node.type == "identifier" and node.text == name.encode() and _is_variable(node):
            yield node


def parameters(function: Node) -> dict[str, Node]:
    """The parameters of a function, each with its identifier; not `*args` and `**kwargs`."""
    found = {}
    for one in (function.child_by_field_name("parameters") or function).named_children:
        node = one.child_by_field_name("name") or (one.named_children[0] if one.type == "typed_parameter" else one)
        if node.type == "identifier":
            found[(node.text or b"").decode("utf-8", "replace")] = node
    return found


def takes_any(function: Node) -> bool:
    """Whether a function has a parameter like `**kwargs`."""
    heads = (function.child_by_field_name("parameters") or function).named_children
    return any("dictionary_splat_pattern" in (one.type, *(part.type for part in one.named_children)) for one in heads)


def places(function: Node, data: bytes, name: str) -> list[Node]:
    """Every identifier that means the variable `name` of a function, in order; none where it is not bound there."""
    nodes = list(named(function, data, name))
    return [node for node in nodes if _scope_of(node, nodes) == function]


def function_at(root: Node, name: str, line: int) -> Node | None:
    """The function whose name stands in a line."""
    pending = [root]
    while pending:
        node = pending.pop()
        if node.start_point[0] >= line or node.end_point[0] < line - 1:
            continue
        own = node.child_by_field_name("name") if node.type == "function_definition" else None
        if own is not None and own.start_point[0] == line - 1 and own.text == name.encode():
            return node
        pending += node.named_children
    return None


def is_imported(node: Node) -> bool:
    """Whether an identifier is what an import takes, under its own name."""
    around = node.parent.parent if node.parent is not None and node.parent.type == "dotted_name" else None
    return around is not None and around.type.startswith("import")


def mentions(function: Node, data: bytes, name: str) -> Iterator[int]:
    """Where comments and strings of a function have a name as a word."""
    word = re.compile(rb"(?<!\w)" + re.escape(name.encode()) + rb"(?!\w)")
    for match in word.finditer(data, function.start_byte, function.end_byte):
        node = function.descendant_for_byte_range(*match.span())
        if node is not None and node.type in ("comment", "string_content", "string"):
            yield match.start()


def quotes(root: Node, data: bytes, name: str) -> bool:
    """Whether code has a name as a whole string."""
    quoted = re.compile(
        rb"['\"]" + re.escape(name.encode()) + rb"['\"]|(?<!\w)dict\([^()]*\b" + re.escape(name.encode())
    )
    return quoted.search(data, root.start_byte, root.end_byte) is not None


def sees_all(function: Node, data: bytes) -> Iterator[Node]:
    """Where a function takes its variables by their names as text: `locals()`, `eval(…)`."""
    for match in _SCOPE_OF_ALL.finditer(data, function.start_byte, function.end_byte):
        node = function.descendant_for_byte_range(match.start(), match.start() + 1)
        if node is not None and node.type == "identifier":
            yield node


def _is_variable(node: Node) -> bool:
    parent = node.parent
    if parent is None:
        return True
    if parent.type == "attribute":
        return parent.child_by_field_name("attribute") != node
    if parent.type == "keyword_argument":
        return parent.child_by_field_name("name") != node
    if parent.type == "keyword_pattern":
        return parent.named_children[0] != node
    if parent.type == "dotted_name" and parent.named_children[0] != node:
        return False
    around = parent.parent
    if parent.type == "dotted_name" and around is not None:
        if around.type == "aliased_import":
            return False
        return not (around.type == "import_from_statement" and around.child_by_field_name("module_name") == parent)
    return True


def _scope_of(node: Node, nodes: list[Node]) -> Node | None:
    """The scope whose variable an identifier is; None for one that no scope of the file binds."""
    scope = own_scope(node)
    first = scope
    while scope is not None:
        same = [one for one in nodes if own_scope(one) == scope]
        marks = {one.parent.type for one in same if one.parent is not None}
        if "global_statement" in marks:
            return None
        is_seen = scope == first or scope.type != "class_definition"
        if is_seen and "nonlocal_statement" not in marks and any(map(is_bound, same)):
            return scope
        scope = _around(scope)
    return None


def own_scope(node: Node) -> Node | None:
    """The scope that an identifier is looked up in first."""
    parent = node.parent
    if parent is not None and parent.type == "named_expression" and parent.child_by_field_name("name") == node:
        scope = _around(node)
        while scope is not None and scope.type in _COMPREHENSIONS:
            scope = _around(scope)
        return scope
    return _around(node)


def _around(node: Node) -> Node | None:
    """The innermost scope that evaluates a node: what a function has as defaults belongs to what is around it."""
    inner, at = node, node.parent
    while at is not None:
        if at.type in _SCOPES and _evaluates(at, inner, node):
            return at
        inner, at = at, at.parent
    return None


def _evaluates(scope: Node, part: Node, node: Node) -> bool:
    if scope.type == "module":
        return True
    if part == scope.child_by_field_name("body") and scope.type not in _COMPREHENSIONS:
        return True
    if scope.type in _FUNCTIONS:
        return part.type in _PARAMETERS and node.type == "identifier" and _is_parameter(node)
    if scope.type in _COMPREHENSIONS:
        clauses = [one for one in scope.named_children if one.type == "for_in_clause"]
        right = clauses[0].child_by_field_name("right") if clauses else None
        return right is None or not right.start_byte <= node.start_byte < right.end_byte
    return False


def _is_parameter(node: Node) -> bool:
    at, parent = node, node.parent
    if parent is not None and parent.type in ("list_splat_pattern", "dictionary_splat_pattern"):
        at, parent = parent, parent.parent
    if parent is not None and parent.type == "typed_parameter":
        return parent.named_children[0] == at
    if parent is not None and parent.type in ("default_parameter", "typed_default_parameter"):
        return parent.child_by_field_name("name") == at
    return parent is not None and parent.type in _PARAMETERS


def is_bound(node: Node) -> bool:
    """Whether an identifier binds its name."""
    if _is_parameter(node):
        return True
    at, parent = node, node.parent
    if parent is not None and parent.type == "dotted_name":
        at, parent = parent, parent.parent
        if parent is not None and parent.type in ("import_statement", "import_from_statement"):
            return True
        return parent is not None and parent.type == "case_pattern"
    while parent is not None and parent.type in _WITHIN_PATTERNS:
        at, parent = parent, parent.parent
    if parent is None:
        return False
    if parent.type in ("delete_statement", "splat_pattern"):
        return True
    if parent.type == "as_pattern":
        return parent.named_children[-1] == at
    if parent.type == "type" and parent.parent is not None:
        at, parent = parent, parent.parent
        return parent.type == "type_alias_statement" and parent.child_by_field_name("left") == at
    field = _BINDS.get(parent.type, "")
    return bool(field) and parent.child_by_field_name(field) == at
