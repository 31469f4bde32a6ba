"""Bytes of a source file → its symbols, its imports and where it does not parse; pure, and total on any bytes."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal, cast

from optimizer.index import documentation, statements
from optimizer.index.languages import LANGUAGES, Language, language_of
from optimizer.types import Symbol, SymbolKind

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query

SIGNATURE_LENGTH = 200
_TYPES = frozenset({"class", "interface", "struct", "enum", "trait", "type", "impl"})
_CPLUSPLUS = re.compile(
    rb"^[ \t]*(?:class\s+\w|namespace\b|template\s*<|using\s+\w)|^\s*(?:public|private|protected):", re.M
)
_ATTRIBUTES = re.compile(r"(?:@[\w.:]+(?:\([^()]*\))?\s*|#!?\[[^\]]*\]\s*)+")

MOST_PARENTS = 6
NAMES = frozenset({"identifier"})
IMPORTS = frozenset({"import_statement", "import_from_statement"})
CALLS = frozenset({"call"})
DEFINITIONS = frozenset({"function_definition", "class_definition"})
PASS = frozenset({"attribute", "dotted_name", "aliased_import"})

Captures = dict[str, "list[Node]"]


@dataclass(frozen=True, slots=True)
class RawImport:
    """An import as written: `kind` tells its form (`from`, `require`, `include-local`, `mod`, …)."""

    module: str
    names: tuple[str, ...]
    line: int
    kind: str


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What one file holds; `error_lines` are the lines (from 1) on which a syntax error starts."""

    language: str
    symbols: tuple[Symbol, ...]
    imports: tuple[RawImport, ...]
    error_lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place where a name stands in code: byte offsets, the line (from 1), and what is done with it."""

    start: int
    end: int
    line: int
    kind: Literal["call", "import", "use", "definition"]


@dataclass(frozen=True, slots=True)
class _Grammar:
    language: Language
    parser: Parser
    query: Query
    settings: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Found:
    definitions: list[tuple[int, int, str, Captures]]
    imports: list[tuple[int, str, Node]]
    wider: dict[int, Node]


def parse(path: str, data: bytes) -> ParsedFile:
    """The symbols and imports of a file, in the order they stand; an unknown language gives an empty result."""
    language = _language(path, data)
    if language is None:
        return ParsedFile("", (), (), ())
    grammar = _grammar(language.name)
    root = grammar.parser.parse(data).root_node
    found = _find(grammar, root, data)
    errors = tuple(sorted({node.start_point[0] + 1 for node in _errors(root)})) if root.has_error else ()
    return ParsedFile(
        language.name,
        tuple(_symbols(path, data, language, found)),
        tuple(_imports(data, language, found.imports)),
        errors,
    )


def error_count(path: str, data: bytes) -> int | None:
    """How many pieces of a file do not parse or are missing; None when there is no grammar for it."""
    root = _root(path, data)
    return None if root is None else sum(1 for _ in _errors(root))


def error_lines(path: str, data: bytes) -> tuple[int, ...] | None:
    """The lines (from 1) on which syntax errors start; None when there is no grammar for the file."""
    root = _root(path, data)
    return None if root is None else tuple(sorted({node.start_point[0] + 1 for node in _errors(root)}))


def _language(path: str, data: bytes) -> Language | None:
    language = language_of(path)
    if language is not None and path.endswith(".h") and _CPLUSPLUS.search(data):
        return language_of("header.hpp")
    return language


@cache
def _grammar(name: str) -> _Grammar:
    from tree_sitter import Language as Table
    from tree_sitter import Parser, Query

    language = next(language for language in LANGUAGES if language.name == name)
    table = Table(getattr(importlib.import_module(language.module), language.function)())
    source = resources.files("optimizer.index").joinpath("queries", language.query).read_text("utf-8")
    query = Query(table, source)
    settings = [query.pattern_settings(number) for number in range(query.pattern_count)]
    return _Grammar(
        language,
        Parser(table),
        query,
        tuple((str(setting.get("role", "definition")), str(setting.get("kind", ""))) for setting in settings),
    )


def _root(path: str, data: bytes) -> Node | None:
    language = _language(path, data)
    return None if language is None else _grammar(language.name).parser.parse(data).root_node


def _errors(root: Node) -> Iterator[Node]:
    pending = [root]
    while pending:
        node = pending.pop()
        if not node.has_error:
            continue
        if node.is_error or node.is_missing:
            yield node
        pending += node.children


def _find(grammar: _Grammar, root: Node, data: bytes) -> _Found:
    from tree_sitter import QueryCursor

    cursor = QueryCursor(grammar.query)
    found = _Found([], [], {})
    depth = grammar.language.depth
    if depth < 0:
        _sort_out(grammar, cursor.matches(root), found)
        return found
    cursor.set_max_start_depth(depth)
    _sort_out(grammar, cursor.matches(root), found)
    cursor.set_max_start_depth(1)
    known = {start for start, *_ in found.definitions} | {start for start, *_ in found.imports}
    for place in _deeper(grammar.language, data, found):
        word = root.descendant_for_byte_range(place, place + 1)
        if word is None or word.is_named or (statement := word.parent) is None or statement.start_byte in known:
            continue
        below = _Found([], [], found.wider)
        _sort_out(grammar, cursor.matches(statement.parent or statement), below)
        found.definitions += [item for item in below.definitions if item[0] not in known]
        found.imports += [item for item in below.imports if item[0] not in known]
        known.update(start for start, *_ in below.definitions)
        known.update(start for start, *_ in below.imports)
    return found


def _deeper(language: Language, data: bytes, found: _Found) -> Iterator[int]:
    """Where keywords stand that no definition or import found so far accounts for."""
    heads = [(start, captures["name"][0].start_byte) for start, _, _, captures in found.definitions]
    heads += [(start, node.end_byte) for start, _, node in found.imports]
    heads.sort()
    heads.append((len(data) + 1, 0))
    places: list[int] = []
    for keyword in language.keywords:
        place = data.find(keyword)
        while place >= 0:
            places.append(place)
            place = data.find(keyword, place + 1)
    places.sort()
    number, covered = 0, 0
    for place in places:
        while heads[number][0] <= place:
            covered = max(covered, heads[number][1])
            number += 1
        if place >= covered:
            yield place


def _sort_out(grammar: _Grammar, matches: Iterable[tuple[int, Captures]], found: _Found) -> None:
    for pattern, captures in matches:
        role, kind = grammar.settings[pattern]
        if role == "definition":
            node = captures["def"][0]
            found.definitions.append((node.start_byte, -node.end_byte, kind, captures))
        elif role == "import":
            node = captures["def"][0]
            found.imports.append((node.start_byte, kind, node))
        else:
            found.wider[captures["inner"][0].start_byte] = captures["wide"][0]


def _symbols(path: str, data: bytes, language: Language, found: _Found) -> Iterator[Symbol]:
    found.definitions.sort(key=lambda item: item[:2])
    outer: list[tuple[int, str, str]] = []
    for start, negative_end, kind, captures in found.definitions:
        while outer and outer[-1][0] > negative_end:
            outer.pop()
        name_node = captures["name"][0]
        name = data[name_node.start_byte : name_node.end_byte].decode("utf-8", "replace")
        node = captures["def"][0]
        body = captures.get("body")
        parent, parent_kind = (outer[-1][1], outer[-1][2]) if outer else ("", "")
        if kind == "function" and parent_kind in _TYPES:
            kind = "method"
        qualified = f"{parent}.{name}" if parent else name
        outer.append((negative_end, qualified, kind))
        head = node
        while (wide := found.wider.get(head.start_byte)) is not None and wide.start_byte < head.start_byte:
            head = wide
        head_start = head.start_byte
        body_start = body[0].start_byte if body else node.end_byte
        signature_start = start if data[head_start : head_start + 1] == b"@" else head_start
        yield Symbol(
            name,
            qualified,
            cast(SymbolKind, kind),
            path,
            head.start_point[0] + 1,
            node.end_point[0] + 1,
            name_node.start_point[0] + 1,
            _signature(data[signature_start:body_start]),
            parent,
            _doc(data, head_start, body_start if body else -1, language),
        )


def _signature(head: bytes) -> str:
    text = b" ".join(head[: 4 * SIGNATURE_LENGTH].split()).decode("utf-8", "replace")
    if text[:1] in ("@", "#"):
        text = _ATTRIBUTES.sub("", text, count=1)
    return text.rstrip(" :{;=")[:SIGNATURE_LENGTH]


def _doc(data: bytes, head: int, body: int, language: Language) -> str:
    if language.name == "python" and body >= 0 and (doc := documentation.docstring(data, body)):
        return doc
    return documentation.comment_above(data, head, language)


def occurrences(path: str, data: bytes, name: str) -> tuple[Occurrence, ...]:
    """Where exactly `name` stands as an identifier in code, never in strings or comments, in order."""
    root = _root(path, data)
    wanted = name.encode("utf-8", "surrogatepass")
    if root is None or not wanted:
        return ()
    found: list[Occurrence] = []
    place = data.find(wanted)
    while place >= 0:
        end = place + len(wanted)
        node = root.descendant_for_byte_range(place, end)
        if node is not None and node.start_byte == place and node.end_byte == end and _is_name(node):
            found.append(Occurrence(place, end, node.start_point[0] + 1, _use(node)))
        place = data.find(wanted, end)
    return tuple(found)


def _is_name(node: Node) -> bool:
    return node.is_named and node.child_count == 0 and node.type in NAMES


def _use(node: Node) -> Literal["call", "import", "use", "definition"]:
    child, parent = node, node.parent
    for _ in range(MOST_PARENTS):
        if parent is None:
            break
        if parent.type in IMPORTS:
            return "import"
        if parent.type in CALLS and (parent.child_by_field_name("function") or parent.child(0)) == child:
            return "call"
        if parent.type in DEFINITIONS and parent.child_by_field_name("name") == child:
            return "definition"
        if parent.type not in PASS or parent.child_by_field_name("object") == child:
            break
        child, parent = parent, parent.parent
    return "use"


def _imports(data: bytes, language: Language, found: list[tuple[int, str, Node]]) -> Iterator[RawImport]:
    found.sort(key=lambda item: item[0])
    read = statements.READERS[language.name]
    for start, kind, node in found:
        text = data[start : node.end_byte].decode("utf-8", "replace")
        line = node.start_point[0] + 1
        for module, names, form in read(text, kind):
            yield RawImport(module, names, line, form)
