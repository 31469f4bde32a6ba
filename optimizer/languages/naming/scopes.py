"""Which names one file uses without declaring them, by its syntax tree: JavaScript, TypeScript, Go and Rust."""

from __future__ import annotations

import re
from bisect import bisect_right
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
# Macros of Rust whose arguments are expressions, and tokens among these that may declare a name or change its meaning.
_OF_VALUES = re.compile(
    rb"(?:e?print|write)(?:ln)?|format|panic|todo|unimplemented|unreachable|vec|dbg|(?:debug_)?assert(?:_eq|_ne)?"
    rb"|error|warn|info|debug|trace"
)
_DECLARING = frozenset({"|", "||", "=>", "let", "for", "fn", "move", "!", "ref"})
_BEFORE_MEMBER, _AFTER_OTHER = frozenset({".", "::", "$", "#"}), frozenset({"::", ":", "=", "!"})
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
    """Names that a file uses and nowhere declares, with the line of the first use; None: not known for this file.

    In Rust, where it is used: what another function declares does not count.
    """
    language = source.language.name if source.language else ""
    root, data = source.root, source.text
    if language not in _LEAVES or root is None or root.has_error:
        return None
    outer = _functions(root) if language == "rust" else []
    used: list[tuple[str, int, int]] = []
    declared: set[tuple[str, int]] = set()
    for node in _captures(root, language, _LEAVES[language]):
        name = data[node.start_byte : node.end_byte].decode("utf-8", "replace")
        if _is_use(node, language):
            used.append((name, _function(node, outer), node.start_point[0] + 1))
        elif _declares(node):
            declared.add((name, _function(node, outer)))
    found: dict[str, int] = {}
    for name, function, line in used:
        if (name, function) not in declared and (name, 0) not in declared:
            found[name] = min(found.get(name, line), line)
    return found


def _functions(root: Node) -> list[tuple[int, int]]:
    """Where the functions of a file of Rust start and end, without those in other functions."""
    found: list[tuple[int, int]] = []
    for node in sorted(_captures(root, "rust", "(function_item) @name"), key=lambda node: node.start_byte):
        if not found or node.start_byte >= found[-1][1]:
            found.append((node.start_byte, node.end_byte))
    return found


def _function(node: Node, functions: list[tuple[int, int]]) -> int:
    """The number of the function around a node, from 1; 0 for the file itself, which names its functions."""
    number = bisect_right(functions, (node.start_byte, node.end_byte))
    inside = number > 0 and node.end_byte <= functions[number - 1][1]
    names_it = inside and node.parent is not None and node.parent.start_byte == functions[number - 1][0]
    if names_it and node.parent is not None and node.parent.type == "function_item":
        return 0
    return number if inside else 0


def _captures(root: Node, language: str, query: str) -> list[Node]:
    from tree_sitter import Query, QueryCursor

    table = syntax.grammar(language).parser.language
    found = QueryCursor(Query(table, query)).captures(root).get("name", [])  # type: ignore[arg-type]
    return sorted(found, key=lambda node: node.start_byte)  # captures come in no order


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
    if parent.type == "token_tree":
        return _is_value_of_macro(node)
    if language == "go" and parent.type == "expression_list":
        return parent.parent is not None and is_in(parent, parent.parent, row_of(parent.parent).listed)
    if language == "go" and parent.type == "literal_element":
        around = parent.parent
        return around is not None and (around.type != "keyed_element" or around.child_by_field_name("value") == parent)
    return is_in(node, parent, row_of(parent).value)


def _is_value_of_macro(node: Node) -> bool:
    """Whether a name among the tokens of a macro is a value that the macro takes."""
    before, after = node.prev_sibling, node.next_sibling
    if node.text is None or not node.text[:1].islower() or (before is not None and before.type in _BEFORE_MEMBER):
        return False
    if after is not None and after.type in _AFTER_OTHER:
        return False
    tree = node.parent
    while tree is not None and tree.type == "token_tree":
        if any(token.type in _DECLARING for token in tree.children):
            return False
        tree = tree.parent
    macro = tree.child_by_field_name("macro") if tree is not None and tree.type == "macro_invocation" else None
    return macro is not None and macro.text is not None and _OF_VALUES.fullmatch(macro.text) is not None


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
