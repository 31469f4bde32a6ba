"""The definitions that a query found in a file → symbols with their lines, parents, signature and documentation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from optimizer.languages import documentation
from optimizer.languages.syntax import Definition, Tags
from optimizer.languages.table import Language
from optimizer.retrieval import SymbolKind

if TYPE_CHECKING:
    from tree_sitter import Node

SIGNATURE_LENGTH = 200
MOST_BYTES = 8 * SIGNATURE_LENGTH
_TYPES = frozenset({"class", "interface", "struct", "enum", "trait", "type", "impl"})
_CUT = _TYPES - {"type"} | {"macro"}
_CODE = frozenset({"function", "method"})
_ATTRIBUTES = re.compile(r"(?:@(?!interface\b)[\w.:]+(?:\([^()]*\))?\s*|#!?\[[^\]]*\]\s*)+")
_BRACKETED = re.compile(r"(?:\[[^\]]*\]\s*)+")
_ANGLES = re.compile(r"[<\[].*", re.S)
_NO_NAMES = frozenset({"", "_"})
# What a grammar reads as the name of a function where macros confuse it.
_STATEMENTS = frozenset({"if", "for", "while", "switch", "return"})
_REFERENCE = re.compile(r"^[&*\s]*(?:'\w+\s+)?(?:(?:mut|const|dyn)\s+)*")
_OPERATOR = re.compile(r"(?:^|::|\s)(operator\W.*)", re.S)
_PLAIN = re.compile(r"[\w$.]+\Z")
_REQUIRED = re.compile(rb"[^=]*=\s*(?:await\s+)?(?:require|@?import)\s*[(\"']")


# The fields of a Symbol in their order, without its path: ten times as fast to make, and what is stored.
SymbolRow = tuple[str, str, SymbolKind, int, int, int, str, str, str]


def symbol_rows(data: bytes, language: Language, found: Tags) -> Iterable[SymbolRow]:
    """The symbols of a file in the order they start."""
    rows = _rows(data, language, found)
    return _joined(rows) if language.clauses else rows


def _joined(rows: Iterable[SymbolRow]) -> list[SymbolRow]:
    """The rows, where clauses of one function that follow each other are one."""
    joined: list[SymbolRow] = []
    last: dict[tuple[str, str], int] = {}
    for row in rows:
        at = last.setdefault((row[1], row[2]), len(joined))
        if at < len(joined) and row[3] <= joined[at][4] + 2:
            joined[at] = (*joined[at][:4], row[4], *joined[at][5:])
        else:
            last[row[1], row[2]] = len(joined)
            joined.append(row)
    return joined


def _rows(data: bytes, language: Language, found: Tags) -> Iterator[SymbolRow]:
    found.definitions.sort(key=lambda item: item[:3])
    outer: list[tuple[int, int, str, str]] = []
    last = -1
    for item in found.definitions:
        start, negative_end, _, place, kind, _, captures = item
        if place == last:
            continue
        last = place
        while outer and (outer[-1][0] > negative_end or outer[-1][:2] == (negative_end, start)):
            outer.pop()
        parent, parent_kind = outer[-1][2:] if outer and not language.described else ("", "")
        name = data[place : captures["name"][0].end_byte].decode("utf-8", "replace")
        if kind == "constant" and (parent_kind in _CODE or _is_required(data, start, -negative_end, language)):
            continue
        if not name.isidentifier() or "scope" in captures or name in _NO_NAMES or name in _STATEMENTS:
            scope, name = ("", _title(name)) if language.outline else _scope(name, kind, data, captures, language)
            if language.dotted and kind != "impl":
                scope, _, name = name.rpartition(".")
            if scope:
                parent = f"{parent}.{scope}" if parent else scope
                kind = "method" if kind == "function" else kind
            if not name or (name in _STATEMENTS and language.macros) or (name[0] == "." and language.described):
                continue
        if kind == "function" and (parent_kind in _TYPES or (parent_kind == "module" and language.mixins)):
            kind = "method"
        qualified = f"{parent}.{name}" if parent else name
        outer.append((negative_end, start, qualified, kind))
        if kind != "impl":
            yield _row(data, language, item, found, (name, qualified, kind, parent))


def _row(data: bytes, language: Language, item: Definition, found: Tags, names: tuple[str, str, str, str]) -> SymbolRow:
    node, captures = item.node, item.captures
    name_node = captures["name"][0]
    name, qualified, kind, parent = names
    head = node
    while (wide := found.wider.get(head.start_byte)) is not None and wide.start_byte < head.start_byte:
        head = wide
    from_byte = head.start_byte
    if language.docstrings:
        from_byte = item.start
    if language.marks:
        head = _with_marks(head, data, language)
    head_start = head.start_byte
    if body := captures.get("body"):
        end = body_start = body[0].start_byte
    else:
        body_start = -1
        end = -item.negative_end
        if "head" in captures:
            end = captures["head"][-1].end_byte
    doc = ""
    if language.docstrings and body_start >= 0:
        doc = documentation.docstring(data, body_start)
    elif language.attribute_marks:
        doc = documentation.attribute(data, head_start, item.start, body_start)
    return (
        name,
        qualified,
        cast(SymbolKind, kind),
        head.start_point[0] + 1,
        node.end_point[0] + (data[-item.negative_end - 1] != 10),
        name_node.start_point[0] + 1,
        _signature(data[from_byte : min(end, from_byte + MOST_BYTES)], kind, body_start < 0, language),
        parent,
        doc or documentation.comment_above(data, head_start, language),
    )


def _with_marks(head: Node, data: bytes, language: Language) -> Node:
    """The first of the attributes or decorators before a definition."""
    before = head.prev_sibling
    while before is not None and before.type in language.marks:
        if language.attribute_marks and not data.startswith(language.attribute_marks, before.start_byte):
            break
        head = before
        before = head.prev_sibling
    return head


def _signature(head: bytes, kind: str, bodiless: bool, language: Language) -> str:
    if language.docstrings and b"#" in head and kind != "constant":
        head = b"\n".join([line.partition(b"#")[0] for line in head.splitlines()])
    if bodiless and kind in _CUT:
        head = head.partition(b"{")[0]
    elif bodiless and language.outline:
        head = head.partition(b"\n")[0]
    text = head.decode("utf-8", "replace").rstrip(" \t\r\n:{;=,")
    if "\n" in text or "\t" in text or "  " in text or "\r" in text:
        text = " ".join(text.split()).replace(", )", ")").replace("( ", "(").replace(" )", ")")
    if text[:1] in ("@", "#") and not (language.outline or language.attribute_marks):
        text = _ATTRIBUTES.sub("", text, count=1)
    elif language.bracketed and (match := _BRACKETED.match(text)):
        text = text[match.end() :]
    if text[-2:] == "=>":
        text = text[:-2].rstrip()
    return text[:SIGNATURE_LENGTH]


def _is_required(data: bytes, start: int, end: int, language: Language) -> bool:
    """Whether a constant is only the name of an imported module."""
    return language.required and _REQUIRED.match(data, start, min(end, start + SIGNATURE_LENGTH)) is not None


def _scope(name: str, kind: str, data: bytes, captures: dict[str, list[Node]], language: Language) -> tuple[str, str]:
    """The qualifier of a written name, and the bare name: receivers, `A::m`, `X.prototype.m`, `impl A<T>`."""
    scope = ""
    if "scope" in captures:
        node = captures["scope"][0]
        scope = data[node.start_byte : node.end_byte][:SIGNATURE_LENGTH].decode("utf-8", "replace")
        scope = _ANGLES.sub("", scope).lstrip("*& ").removesuffix(".prototype")
        if f"{scope}.{name}" in language.own_scopes:
            return "", ""
        for own in language.own_scopes:
            scope = scope.removeprefix(own)
        scope = scope.lstrip(".")
        if not _PLAIN.match(scope):
            scope = ""
    name = name.strip("\"'` \n").removeprefix(language.raw_prefix)
    if kind == "impl":
        name = _REFERENCE.sub("", name)
    if "<" in name and name[:1] not in "<=>":
        name = _without_angles(name)
    if "::" in name:
        front, _, name = name.rpartition("::")
        scope = front.replace("::", ".").strip(".")
    return scope, "" if name in _NO_NAMES else " ".join(name.split())[:SIGNATURE_LENGTH]


def _title(name: str) -> str:
    """A heading or key in one line, without the quotes around it."""
    quoted = name[:1] in "\"'" and len(name) > 1 and name[-1] == name[0]
    return " ".join((name[1:-1] if quoted else name).split())[:SIGNATURE_LENGTH]


def _without_angles(name: str) -> str:
    """`A<B<int>>::operator<` → `A::operator<`."""
    operator = _OPERATOR.search(name)
    front, back = (name[: operator.start(1)], operator[1]) if operator else (name, "")
    kept: list[str] = []
    depth = 0
    for sign in front:
        if sign == "<":
            depth += 1
        elif sign == ">":
            depth -= 1
        elif depth <= 0:
            kept.append(sign)
    return "".join(kept) + back
