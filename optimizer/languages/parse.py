"""Bytes of a source file → its symbols, its imports and where it does not parse; pure, and total on any bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from optimizer.languages import notebook, outline, syntax
from optimizer.languages.edges import RawImport as RawImport
from optimizer.languages.occurrences import Occurrence as Occurrence
from optimizer.languages.occurrences import find_occurrences
from optimizer.languages.table import Language, is_installed, language_of
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from tree_sitter import Node

_CPLUSPLUS = re.compile(
    rb"^[ \t]*(?:class\s+\w+(?:\s+\w+){0,2}\s*[:{;]|namespace(?:\s+[\w:]+)?\s*\{|template\s*<"
    rb"|using\s+(?:namespace\b|\w+\s*=|\w*::)|(?:public|private|protected):)",
    re.M,
)

# Data files longer than this are not worth an outline.
MOST_OUTLINED = 256_000
# What opens a block within a line of YAML; each indented line may do so too.
_BLOCK = re.compile(rb"[-?:](?=[ \t])")

ImportRow = tuple[str, tuple[str, ...], int, str]


class ParsedFile(NamedTuple):
    """What one file holds; `error_lines` are the lines (from 1) on which a syntax error starts."""

    language: str
    symbols: tuple[Symbol, ...]
    imports: tuple[RawImport, ...]
    error_lines: tuple[int, ...]


def parse(path: str, data: bytes) -> ParsedFile:
    """The symbols and imports of a file, in the order they stand; an unknown language gives an empty result."""
    name, rows, imports, broken = read(path, data)
    symbols = [Symbol(row[0], row[1], row[2], path, *row[3:]) for row in rows]
    return ParsedFile(name, tuple(symbols), tuple([RawImport(*item) for item in imports]), _lines(broken))


def read(
    path: str, data: bytes, until: float = 0.0, whole: bool = True
) -> tuple[str, list[outline.Row], list[ImportRow], list[Node]]:
    """What `parse` finds as plain rows, and the nodes that do not parse. Raises syntax.TooSlow after `until`.

    Unless `whole`, bodies that hold no definition are not parsed, nor are errors in them found.
    """
    found_as = reading(path, data)
    if found_as is None:
        return "", [], [], []
    language, data = found_as
    seen = data
    if not whole:
        from optimizer.languages.hollow import hollow

        seen = hollow(data, language)
    root = syntax.root_of(language, seen, until)
    if seen is not data and root.has_error and not language.macros:
        root = syntax.root_of(language, data, until)
    broken = list(syntax.errors(root)) if root.has_error else []
    found = syntax.find(language, root, data, broken)
    rows, imports = outline.rows(data, language, found), import_rows(data, language, found)
    return language.name, list(rows), list(imports), [] if language.outline else broken


def error_count(path: str, data: bytes) -> int | None:
    """How many pieces of a file do not parse or are missing; None when there is no grammar for it."""
    return None if (root := _checked(path, data)) is None else sum(1 for _ in syntax.errors(root))


def error_lines(path: str, data: bytes) -> tuple[int, ...] | None:
    """The lines (from 1) on which syntax errors start; None when there is no grammar for the file."""
    return None if (root := _checked(path, data)) is None else _lines(syntax.errors(root))


def unbalanced(path: str, data: bytes) -> tuple[str, ...]:
    """The kinds of brackets, as `()`, that open and close in different numbers in code; strings do not count."""
    root = _checked(path, data)
    return () if root is None else syntax.unbalanced(root)


def occurrences(path: str, data: bytes, name: str) -> tuple[Occurrence, ...]:
    """Where exactly `name` stands as an identifier in code, never in strings or comments, in order."""
    if name.encode("utf-8", "replace") not in data or (found := reading(path, data)) is None:
        return ()
    return find_occurrences(found[0], syntax.root_of(*found), found[1], name)


def text_of(path: str, data: bytes) -> bytes:
    """What of a file is text written by people, on the same lines: for a notebook its cells, else all of it."""
    language = language_of(path)
    return notebook.text(data, language) if language is not None and language.name == "notebook" else data


def reading(path: str, data: bytes) -> tuple[Language, bytes] | None:
    """The language of a file and what is to be read in it; None when there is no grammar for it here."""
    language = language_of(path)
    if language is None or not is_installed(language) or (language.outline and not _can_be_outlined(data, language)):
        return None
    if path.endswith(".h") and _CPLUSPLUS.search(data):
        language = language_of("header.hpp") or language
    return notebook.code(data, language) if language.name == "notebook" else (language, data)


def _can_be_outlined(data: bytes, language: Language) -> bool:
    if len(data) > MOST_OUTLINED:
        return False
    most = language.most_nested
    return not most or all(
        len(line) <= most or len(line) - len(line.lstrip(b" ")) + len(_BLOCK.findall(line)) <= most
        for line in data.splitlines()
    )


def _checked(path: str, data: bytes) -> Node | None:
    """The syntax tree of a file in which errors mean that it is broken."""
    found = reading(path, data)
    return None if found is None or found[0].outline else syntax.root_of(*found)


def _lines(broken: Iterable[Node]) -> tuple[int, ...]:
    return tuple(sorted({node.start_point[0] + 1 for node in broken}))


def import_rows(data: bytes, language: Language, everything: syntax.Found) -> Iterator[ImportRow]:
    """The imports of a file in the order they stand."""
    found = sorted(everything.imports, key=lambda item: item.start)
    modules = [item for item in everything.definitions if item.kind == "module"] if language.inline_modules else []
    if language.modules is None:
        return
    read = getattr(import_module(f"optimizer.languages.modules.{language.modules.name}"), language.reader)
    for start, kind, node in found:
        text = data[start : node.end_byte].decode("utf-8", "replace")
        line = node.start_point[0] + 1
        inner = any(item.start < start < -item.negative_end for item in modules)
        for module, names, form in read(text, kind):
            yield module, names, line, f"{form}-inner" if inner else form
