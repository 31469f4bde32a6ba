"""One file as its grammar reads it, parsed at most once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from optimizer.languages import syntax
from optimizer.languages.edges import RawImport
from optimizer.languages.occurrences import Occurrence, find_occurrences
from optimizer.languages.parse import import_rows, reading
from optimizer.languages.symbols import symbol_rows
from optimizer.languages.table import Language
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from tree_sitter import Node


class Source:
    """A file: its tree, symbols, imports, errors and names, each computed on first use and then kept.

    `language` and `root` are None without a grammar for the file; then nothing is found in it. `text` is what the
    grammar reads: the bytes of the file, or of a notebook its cells at the same byte offsets.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        read_as = reading(path, data)
        self.language: Language | None = read_as[0] if read_as else None
        self.text = read_as[1] if read_as else data

    @cached_property
    def root(self) -> Node | None:
        """The root of the syntax tree."""
        return syntax.root_of(self.language, self.text) if self.language else None

    @cached_property
    def symbols(self) -> tuple[Symbol, ...]:
        """The definitions of the file in the order they start."""
        if self.language is None or self._found is None:
            return ()
        rows = symbol_rows(self.text, self.language, self._found)
        return tuple([Symbol(row[0], row[1], row[2], self.path, *row[3:]) for row in rows])

    @cached_property
    def imports(self) -> tuple[RawImport, ...]:
        """The imports of the file as they are written, in order."""
        if self.language is None or self._found is None:
            return ()
        return tuple([RawImport(*row) for row in import_rows(self.text, self.language, self._found)])

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
    def _found(self) -> syntax.Found | None:
        if self.language is None or self.root is None:
            return None
        return syntax.find(self.language, self.root, self.text, self._broken)

    @property
    def _checked(self) -> Node | None:
        """The tree of a file in which errors mean that it is broken."""
        return None if self.language is None or self.language.outline else self.root
