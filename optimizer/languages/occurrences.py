"""Where a name occurs in the code of one file, and how it is used there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages import syntax
from optimizer.languages.edges import PACKAGE
from optimizer.languages.table import Language
from optimizer.retrieval import ReferenceKind

if TYPE_CHECKING:
    from tree_sitter import Node


class Occurrence(NamedTuple):
    """One place where a name occurs in code: byte offsets, the line (from 1), and how it is used."""

    start: int
    end: int
    line: int
    kind: ReferenceKind


def find_occurrences(language: Language, root: Node, data: bytes, name: str) -> tuple[Occurrence, ...]:
    """Every place where `name` is an identifier in code, not in strings or comments, in order."""
    wanted = name.encode("utf-8", "replace")
    if not wanted or language.outline or (root.has_error and syntax.is_hopeless(syntax.errors(root))):
        return ()
    found: list[Occurrence] = []
    for match in re.finditer(rb"(?<![A-Za-z0-9_])" + re.escape(wanted) + rb"(?![A-Za-z0-9_])", data):
        start, end = match.span()
        node = root.descendant_for_byte_range(start, end)
        if language.described and node is not None and "comment" not in node.type:
            found.append(
                Occurrence(start, end, data.count(b"\n", 0, start) + 1, _kind(language, root, data, node, end, False))
            )
            continue
        if node is None or node.child_count or not _is_whole(language, node, data, start, end):
            continue
        captures = {capture for capture, other in syntax.names_at(language, root, start, end) if other == node}
        if "reference" in captures and "ignore" not in captures:
            kind = _kind(language, root, data, node, end, "reference.call" in captures)
            found.append(Occurrence(start, end, node.start_point[0] + 1, kind))
    return tuple(found)


def _is_whole(language: Language, node: Node, data: bytes, start: int, end: int) -> bool:
    """Whether a name is all of a node, or a part of one that is written with dots."""
    if node.start_byte == start and node.end_byte == end:
        return True
    return language.dotted and b"." in data[node.start_byte : node.end_byte]


def _kind(language: Language, root: Node, data: bytes, node: Node, end: int, called: bool) -> ReferenceKind:
    around = syntax.find_at(language, root, data, node.start_byte, node.end_byte)
    imports = (item for item in around.imports if item.kind != PACKAGE)
    if any(item.start <= node.start_byte and node.end_byte <= item.node.end_byte for item in imports):
        return "import"
    for item in around.definitions:
        name = item.captures["name"][0]
        if item.kind != "impl" and name.end_byte == end and name.start_byte <= node.start_byte:
            return "definition"
    return "call" if called else "use"
