"""A file as its grammar reads it: symbols and imports as plain rows, or a whole file parsed at most once; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING

from optimizer.languages import syntax
from optimizer.languages.edges import PACKAGE, RawImport
from optimizer.languages.occurrences import Occurrence, find_occurrences
from optimizer.languages.symbols import SymbolRow, symbol_rows
from optimizer.languages.table import Language, is_installed, language_of, started_by
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from tree_sitter import Node

_CPLUSPLUS = re.compile(
    rb"^[ \t]*(?:class\s+\w+(?:\s+\w+){0,2}\s*[:{;]|namespace(?:\s+[\w:]+)?\s*\{|template\s*<"
    rb"|using\s+(?:namespace\b|\w+\s*=|\w*::)|(?:public|private|protected):)",
    re.M,
)

# Data files longer than this get no outline.
MOST_OUTLINED = 256_000
# Seconds to parse a file in; shorter texts are done in less, whatever they hold.
MOST_SECONDS = 10.0
_QUICK = 16_000
# What opens a block within a line of YAML; each indented line may do so too.
_BLOCK = re.compile(rb"[-?:](?=[ \t])")

ImportRow = tuple[str, tuple[str, ...], int, str] | tuple[str, tuple[str, ...], int, str, str]


def read(path: str, data: bytes, until: float = 0.0, whole: bool = True) -> tuple[list[SymbolRow], list[ImportRow]]:
    """The symbols and imports of a file as plain rows, in file order. Raises syntax.TooSlow after `until`.

    Unless `whole`, bodies that hold no definition are not parsed.
    """
    symbols: list[SymbolRow] = []
    imports: list[ImportRow] = []
    page = language_of(path)
    for language, text in _readings(path, data, page):
        rows, found = _read(language, text, until, whole)
        symbols += rows
        imports += found if page is not None else [(*row[:4], language.name) for row in found]
    if page is not None and page.blocks:
        from optimizer.languages import blocks

        symbols.sort(key=lambda row: (row[3], -row[4]))
        imports = sorted([*imports, *blocks.linked(data, page)], key=lambda row: row[2])
    return symbols, imports


def _readings(path: str, data: bytes, page: Language | None) -> Iterator[tuple[Language, bytes]]:
    """The languages of a file and the texts to parse: for a page with an outline, that and its scripts."""
    found_as = reading(path, data)
    if found_as is not None:
        yield found_as
        if page is not None and page.blocks and page.outline and found_as[0] is not page and _is_outlined(data, page):
            yield page, data


def _read(language: Language, data: bytes, until: float, whole: bool) -> tuple[list[SymbolRow], list[ImportRow]]:
    seen = data
    if not whole:
        from optimizer.languages.hollow import hollow

        seen = hollow(data, language)
    root = syntax.root_of(language, seen, until)
    if seen is not data and root.has_error and not language.macros:
        root = syntax.root_of(language, data, until)
    broken = list(syntax.errors(root)) if root.has_error else []
    found = syntax.find(language, root, data, broken)
    symbols = list(symbol_rows(data, language, found))
    imports = list(import_rows(data, language, found))
    if language.modules is not None and language.modules.packages:
        tops = tuple([row[0] for row in symbols if not row[7]])
        imports = [(row[0], tops, *row[2:]) if row[3] == PACKAGE else row for row in imports]
    return symbols, imports


def text_of(path: str, data: bytes) -> bytes:
    """The text of a file to take words from, on the same lines: for a notebook its cells, else all of it."""
    language = language_of(path)
    if language is None or not language.cells:
        return data
    from optimizer.languages import notebook

    return notebook.text(data, language)


def reading(path: str, data: bytes) -> tuple[Language, bytes] | None:
    """The language of a file and the text to parse; None without an installed grammar."""
    language = language_of(path) or started_by(data)
    if language is None:
        return None
    if language.blocks:
        from optimizer.languages import blocks

        found = blocks.code(data, language)
        if found is not None or not language.outline:
            return found
    if not is_installed(language) or (language.outline and not _is_outlined(data, language)):
        return None
    if path.endswith(".h") and _CPLUSPLUS.search(data):
        language = language_of("header.hpp") or language
    if not language.cells:
        return language, data
    from optimizer.languages import notebook

    return notebook.code(data, language)


def _is_outlined(data: bytes, language: Language) -> bool:
    if len(data) > MOST_OUTLINED or not is_installed(language):
        return False
    most = language.most_nested
    return not most or all(
        len(line) <= most or len(line) - len(line.lstrip(b" ")) + len(_BLOCK.findall(line)) <= most
        for line in data.splitlines()
    )


def import_rows(data: bytes, language: Language, everything: syntax.Tags) -> Iterator[ImportRow]:
    """The imports of a file, in file order."""
    found = sorted(everything.imports, key=lambda item: item.start)
    modules = [item for item in everything.definitions if item.kind == "module"] if language.inline_modules else []
    if language.modules is None:
        return
    read = getattr(import_module(f"optimizer.languages.modules.{language.modules.name}"), language.reader)
    for start, kind, node in found:
        if kind == PACKAGE:
            yield _package(node, data), (), node.start_point[0] + 1, kind
            continue
        text = data[start : node.end_byte].decode("utf-8", "replace")
        line = node.start_point[0] + 1
        inner = any(item.start < start < -item.negative_end for item in modules)
        for module, names, form in read(text, kind):
            yield module, names, line, f"{form}-inner" if inner else form


def _package(name: Node, data: bytes) -> str:
    """The name of a package, with those of the packages around it."""
    parts = [data[name.start_byte : name.end_byte].decode("utf-8", "replace")]
    around = name.parent.parent if name.parent is not None else None
    while around is not None:
        outer = around.child_by_field_name("name") if around.type == "namespace_declaration" else None
        parts += [data[outer.start_byte : outer.end_byte].decode("utf-8", "replace")] if outer is not None else []
        around = around.parent
    return ".".join("".join(part.split()) for part in reversed(parts))


class Source:
    """A file: its tree, symbols, imports, errors and names, each computed on first use and then kept.

    `language` and `root` are None without a grammar for the file, `root` also for one that takes longer than
    MOST_SECONDS, which is then `too_slow`; then nothing is found in it. `text` is what the
    grammar reads: the bytes of the file, of a notebook its cells, of a page its scripts, at the same byte offsets.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self.too_slow = False
        read_as = reading(path, data)
        self.language: Language | None = read_as[0] if read_as else None
        self.text = read_as[1] if read_as else data

    @cached_property
    def root(self) -> Node | None:
        """The root of the syntax tree."""
        if self.language is None or self.too_slow:
            return None
        try:
            return syntax.root_of(self.language, self.text, self._until)
        except syntax.TooSlow:
            self.too_slow = True
            return None

    @property
    def _until(self) -> float:
        return monotonic() + MOST_SECONDS if len(self.data) > _QUICK else 0.0

    @cached_property
    def symbols(self) -> tuple[Symbol, ...]:
        """The definitions of the file in the order they start."""
        if self._apart is not None:
            rows = self._apart[0]
        elif self.language is None or self._found is None:
            return ()
        else:
            rows = list(symbol_rows(self.text, self.language, self._found))
        return tuple([Symbol(row[0], row[1], row[2], self.path, *row[3:]) for row in rows])

    @cached_property
    def imports(self) -> tuple[RawImport, ...]:
        """The imports of the file as they are written, in order."""
        if self._apart is not None:
            rows = self._apart[1]
        elif self.language is None or self._found is None:
            return ()
        else:
            rows = list(import_rows(self.text, self.language, self._found))
        return tuple([RawImport(*row) for row in rows if row[3] != PACKAGE])

    @cached_property
    def packages(self) -> tuple[RawImport, ...]:
        """The packages of the file, with the names that it defines in them."""
        if self.language is None or self.language.modules is None or not self.language.modules.packages:
            return ()
        return tuple([RawImport(*row) for row in read(self.path, self.data)[1] if row[3] == PACKAGE])

    @cached_property
    def error_count(self) -> int | None:
        """How many pieces do not parse or are missing; None without a grammar and for data, where errors say little."""
        return None if self._checked is None else len(self._broken)

    @cached_property
    def error_lines(self) -> tuple[int, ...] | None:
        """The lines (from 1) on which syntax errors start; None where `error_count` is."""
        if self._checked is None:
            return None
        return tuple(sorted({node.start_point[0] + 1 for node in self._broken}))

    @cached_property
    def error_texts(self) -> tuple[bytes, ...]:
        """The texts of the pieces that do not parse."""
        return () if self._checked is None else tuple([node.text or b"" for node in self._broken])

    @cached_property
    def unbalanced(self) -> tuple[str, ...]:
        """The kinds of brackets, as `()`, that open and close in different numbers in code; strings do not count."""
        return () if self._checked is None else syntax.unbalanced(self._checked)

    def occurrences(self, name: str) -> tuple[Occurrence, ...]:
        """Every place where `name` is an identifier in code, not in strings or comments, in order."""
        if self.language is None or name.encode("utf-8", "replace") not in self.text or self.root is None:
            return ()
        return find_occurrences(self.language, self.root, self.text, name)

    @cached_property
    def _broken(self) -> list[Node]:
        return list(syntax.errors(self.root)) if self.root is not None and self.root.has_error else []

    @cached_property
    def _found(self) -> syntax.Tags | None:
        if self.language is None or self.root is None:
            return None
        return syntax.find(self.language, self.root, self.text, self._broken)

    @cached_property
    def _apart(self) -> tuple[list[SymbolRow], list[ImportRow]] | None:
        """All that is read of a page, or of a script without an ending; None where `text` and `language` say it all."""
        page = language_of(self.path)
        if self.language is None or not (page is None or page.blocks):
            return None
        try:
            return ([], []) if self.too_slow else read(self.path, self.data, self._until)
        except syntax.TooSlow:
            self.too_slow = True
            return [], []

    @property
    def _checked(self) -> Node | None:
        """The tree of a file in which errors mean that it is broken."""
        return None if self.language is None or self.language.outline or self.language.described else self.root
