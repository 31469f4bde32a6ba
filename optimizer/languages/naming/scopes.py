"""Which names one file uses without declaring them, by its syntax tree: JavaScript, TypeScript, Go and Rust."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages import syntax
from optimizer.languages.naming.parents import is_in, row_of
from optimizer.languages.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

_LEAVES = {
    "javascript": "[(identifier) (shorthand_property_identifier) (shorthand_property_identifier_pattern)] @name",
    "typescript": "[(identifier) (shorthand_property_identifier) (shorthand_property_identifier_pattern)"
    " (type_identifier)] @name",
    "go": "[(identifier) (type_identifier)] @name",
    "rust": "[(identifier) (type_identifier) (shorthand_field_identifier)] @name",
}
_SELECTIONS = "(selector_expression operand: (identifier) field: (field_identifier)) @name"
_LEAVES["tsx"] = _LEAVES["typescript"]
_ELEMENTS = ("jsx_opening_element", "jsx_self_closing_element")
_NEITHER = ("jsx_closing_element", "type_query", "qualified_type")
_TYPES = (
    "struct_item",
    "enum_item",
    "class_declaration",
    "abstract_class_declaration",
    "class",
    "type_spec",
    "type_alias",
    "type_parameter",
)


def free_names(source: Source) -> dict[str, int] | None:
    """Names that a file uses and nowhere declares, with the line of the first use; None: not known for this file."""
    language = source.language.name if source.language else ""
    root, data = source.root, source.text
    if language not in _LEAVES or root is None or root.has_error:
        return None
    used: dict[str, int] = {}
    declared: set[str] = set()
    for node in _captures(root, language, _LEAVES[language]):
        name = data[node.start_byte : node.end_byte].decode("utf-8", "replace")
        if _is_use(node, language):
            used[name] = min(used.get(name, 1 << 30), node.start_point[0] + 1)
        elif _declares(node):
            declared.add(name)
    return {name: line for name, line in used.items() if name not in declared}


def _captures(root: Node, language: str, query: str) -> list[Node]:
    from tree_sitter import Query, QueryCursor

    table = syntax.grammar(language).parser.language
    return QueryCursor(Query(table, query)).captures(root).get("name", [])  # type: ignore[arg-type]


def _is_use(node: Node, language: str) -> bool:
    parent = node.parent
    if parent is None or node.type == "shorthand_property_identifier_pattern":
        return False
    if node.type == "type_identifier":
        return language == "go" and parent.type != "qualified_type" and not _names_type(node, parent)
    if parent.type in _ELEMENTS and node.text is not None and node.text[:1].islower():
        return False
    if node.type == "shorthand_property_identifier":
        return True
    if language == "go" and parent.type == "expression_list":
        return parent.parent is not None and is_in(parent, parent.parent, row_of(parent.parent).listed)
    if language == "go" and parent.type == "literal_element":
        around = parent.parent
        return around is not None and (around.type != "keyed_element" or around.child_by_field_name("value") == parent)
    return is_in(node, parent, row_of(parent).value)


def _declares(node: Node) -> bool:
    parent = node.parent
    if parent is None or parent.type in _NEITHER:
        return False
    return node.type != "type_identifier" or _names_type(node, parent)


def _names_type(node: Node, parent: Node) -> bool:
    return parent.type in _TYPES and parent.child_by_field_name("name") == node


def selections(source: Source) -> Iterator[tuple[str, str, int]]:
    """What a Go file takes from a name by a dot, `name.Field`, with the line."""
    if source.language is None or source.language.name != "go" or source.root is None:
        return
    for node in _captures(source.root, "go", _SELECTIONS):
        operand, _, field = source.text[node.start_byte : node.end_byte].decode("utf-8", "replace").partition(".")
        yield operand.strip(), field.strip(), node.start_point[0] + 1
