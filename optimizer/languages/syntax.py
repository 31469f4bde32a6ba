"""Syntax trees: the grammars and queries, compiled once per process, and what the queries find in one tree."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages.table import LANGUAGES, Language

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query

Captures = dict[str, "list[Node]"]
# A query takes quadratic time over this many sibling tokens; only broken files have so many.
MOST_SIBLINGS = 4000
CHUNK = 1 << 16
_RANK = {"type": 1, "constant": 2}
_INHERITS = re.compile(r"; inherits: ([\w,]+)\n")
_PATTERN_START = re.compile(r"^(?=[(\[;])", re.M)
_CAPTURE = re.compile(r"@(?:(definition)\.(\w+)|reference\.import|wide|line)\b")
_OF_NAMES = re.compile(r"@(?:reference(?!\.import)|ignore)\b")


class TooSlow(Exception):
    """Parsing took longer than it may in this process."""


class QueryPattern(NamedTuple):
    """What one pattern of a query finds, as its captures and settings say.

    `capture` names the node: `definition.KIND`, `reference.import`, or `wide` and `line` for what belongs to the
    definition `inner` (`line`: only when both start on one line). `rank`: the lowest wins where several patterns match
    one name. `callees`: the names `callee` must be one of. Other predicates are not used: patterns that mix `#set!`
    with them corrupt memory in the binding.
    """

    capture: str
    kind: str
    rank: int
    callees: frozenset[bytes]


class Definition(NamedTuple):
    """A match of a definition whose name starts at byte `place`.

    They sort by start, the outer before the inner, the more specific kind first.
    """

    start: int
    negative_end: int
    rank: int
    place: int
    kind: str
    node: Node
    captures: Captures


class Import(NamedTuple):
    """A match of an import statement."""

    start: int
    kind: str
    node: Node


class Grammar(NamedTuple):
    """A language ready to be parsed."""

    language: Language
    parser: Parser
    query: Query
    patterns: tuple[QueryPattern, ...]


class Tags(NamedTuple):
    """All matches in one file; `wider` leads from where a definition starts to the node around it."""

    definitions: list[Definition]
    imports: list[Import]
    wider: dict[int, Node]


@cache
def grammar(name: str) -> Grammar:
    """The grammar of a language by its name, and the query for its definitions and imports."""
    from tree_sitter import Language as Table
    from tree_sitter import Parser, Query

    language = next(language for language in LANGUAGES if language.name == name)
    table = Table(getattr(importlib.import_module(language.module), language.function)())
    texts = [text for text in patterns_of(name) if not _is_of_names(text)]
    query = Query(table, "".join(texts))
    patterns = [_pattern(text, query.pattern_settings(number)) for number, text in enumerate(texts)]
    return Grammar(language, Parser(table), query, tuple(patterns))


@cache
def names_query(name: str) -> Query:
    """The query for the names in code and the calls among them; compiled apart, since an index needs neither."""
    from tree_sitter import Query

    table = grammar(name).parser.language
    assert table is not None
    return Query(table, "".join(filter(_is_of_names, patterns_of(name))))


def patterns_of(name: str) -> list[str]:
    """The patterns of the query file of a language, after those of the files that its first line inherits.

    A pattern starts at the start of a line, and nothing else does but comments and what closes a pattern.
    """
    source = (Path(__file__).parent / "queries" / f"{name}.scm").read_text("utf-8")
    inherited = _INHERITS.match(source)
    found = [text for other in inherited[1].split(",") for text in patterns_of(other)] if inherited else []
    return found + [text for text in _PATTERN_START.split(source) if text[:1] in ("(", "[")]


def _is_of_names(pattern: str) -> bool:
    return _OF_NAMES.search(pattern) is not None


def _pattern(text: str, settings: Mapping[str, str | None]) -> QueryPattern:
    found = _CAPTURE.search(text)
    assert found, text
    kind = (found[2] if found[1] == "definition" else settings.get("kind")) or ""
    callees = frozenset((settings.get("callee") or "").encode().split())
    return QueryPattern(found[0][1:], kind, int(settings.get("rank") or _RANK.get(kind, 0)), callees)


def root_of(language: Language, data: bytes, until: float = 0.0) -> Node:
    """The root of the syntax tree of some bytes. Raises TooSlow when `until` (time.monotonic) is over; 0 is never."""
    parser = grammar(language.name).parser
    if not until:
        return parser.parse(data).root_node
    try:
        return parser.parse(
            lambda place, _: data[place : place + CHUNK], progress_callback=lambda *_: monotonic() > until
        ).root_node
    except ValueError as error:
        parser.reset()
        raise TooSlow from error


def unbalanced(root: Node) -> tuple[str, ...]:
    """The kinds of brackets that open and close in different numbers; ones that the parser inserted do not count."""
    found: dict[str, int] = {}
    pending = [root]
    while pending:
        node = pending.pop()
        if node.child_count:
            pending.extend(node.children)
        elif not node.is_missing:
            found[node.type] = found.get(node.type, 0) + 1
    return tuple(pair for pair in ("()", "[]", "{}") if found.get(pair[0], 0) != found.get(pair[1], 0))


def errors(root: Node) -> Iterator[Node]:
    """The nodes below `root` that do not parse, or that are missing."""
    pending = [root]
    while pending:
        node = pending.pop()
        if not node.has_error:
            continue
        if node.is_error or node.is_missing:
            yield node
        pending += node.children


def is_hopeless(broken: Iterable[Node]) -> bool:
    """Whether the pieces that do not parse are too large to search in time."""
    return any(node.child_count > MOST_SIBLINGS for node in broken)


def find(language: Language, root: Node, data: bytes, broken: Iterable[Node] = ()) -> Tags:
    """All definitions and imports below `root`; none when the `broken` pieces are hopeless."""
    from tree_sitter import QueryCursor

    table = grammar(language.name)
    cursor = QueryCursor(table.query)
    found = Tags([], [], {})
    if is_hopeless(broken):
        return found
    if language.depth >= 0:
        cursor.set_max_start_depth(language.depth)
    _sort_out(table, cursor.matches(root), data, found)
    if not language.keywords:
        return found
    known = {item[0] for item in found.definitions}
    known.update([item[0] for item in found.imports])
    for place, end in _unexplained(language, data, found):
        word = root.descendant_for_byte_range(place, end)
        if word is None or word.start_byte != place or word.end_byte != end or (statement := word.parent) is None:
            continue
        if statement.start_byte in known:
            continue
        known.add(statement.start_byte)
        around = statement.parent
        wrapped = around is not None and around.type == language.wrapper
        cursor.set_max_start_depth(1 if wrapped else 0)
        _sort_out(table, cursor.matches(around if wrapped and around is not None else statement), data, found)
    return found


def names_at(language: Language, root: Node, start: int, end: int) -> Iterator[tuple[str, Node]]:
    """The names in code that overlap the bytes from `start` to `end`, each with what captured it.

    `reference` is any name, `reference.call` the name of what is called, `ignore` a name that only looks like one.
    """
    from tree_sitter import QueryCursor

    cursor = QueryCursor(names_query(language.name))
    cursor.set_byte_range(start, end)
    for _, captures in cursor.matches(root):
        for capture in ("reference.call", "ignore"):
            if capture in captures and _is_called(captures):
                yield from ((capture, node) for node in captures["name"])
        yield from (("reference", node) for node in captures.get("reference", ()))


def _is_called(captures: Captures) -> bool:
    """Whether `arguments`, where a pattern captures them, directly follow the name."""
    return "arguments" not in captures or captures["name"][0].next_sibling == captures["arguments"][0]


def find_at(language: Language, root: Node, data: bytes, start: int, end: int) -> Tags:
    """The definitions and imports that contain the bytes from `start` to `end`."""
    from tree_sitter import QueryCursor

    table = grammar(language.name)
    cursor = QueryCursor(table.query)
    cursor.set_byte_range(start, end)
    found = Tags([], [], {})
    _sort_out(table, cursor.matches(root), data, found)
    return found


def _unexplained(language: Language, data: bytes, found: Tags) -> list[tuple[int, int]]:
    """The ranges of keywords that belong to no definition or import found so far."""
    explained = {item[3] for item in found.definitions}
    for start, _, node in found.imports:
        end = node.end_byte
        explained.update([data.find(keyword, start, end) for keyword in language.keywords])
    places: list[tuple[int, int]] = []
    for keyword in language.keywords:
        length = len(keyword)
        end = len(keyword.rstrip(b" ("))
        place = data.find(keyword)
        while place >= 0:
            if place + length not in explained and place not in explained:
                places.append((place, place + end))
            place = data.find(keyword, place + length)
    return places


def _sort_out(table: Grammar, matches: Iterable[tuple[int, Captures]], data: bytes, found: Tags) -> None:
    patterns, definitions = table.patterns, found.definitions
    for number, captures in matches:
        capture, kind, rank, callees = patterns[number]
        if callees:
            callee = captures["callee"][0]
            if data[callee.start_byte : callee.end_byte] not in callees:
                continue
        node = captures[capture][0]
        if capture == "reference.import":
            found.imports.append(Import(node.start_byte, kind, node))
        elif kind:
            place = captures["name"][0].start_byte
            definitions.append(Definition(node.start_byte, -node.end_byte, rank, place, kind, node, captures))
        else:
            inner = captures["inner"][0]
            if capture == "wide" or inner.start_point[0] == node.start_point[0]:
                found.wider[inner.start_byte] = node
