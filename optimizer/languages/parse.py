"""Bytes of a source file → its symbols and imports as plain rows; pure, and total on any bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from optimizer.languages import notebook, syntax
from optimizer.languages.symbols import SymbolRow, symbol_rows
from optimizer.languages.table import Language, is_installed, language_of

if TYPE_CHECKING:
    pass

_CPLUSPLUS = re.compile(
    rb"^[ \t]*(?:class\s+\w+(?:\s+\w+){0,2}\s*[:{;]|namespace(?:\s+[\w:]+)?\s*\{|template\s*<"
    rb"|using\s+(?:namespace\b|\w+\s*=|\w*::)|(?:public|private|protected):)",
    re.M,
)

# Data files longer than this get no outline.
MOST_OUTLINED = 256_000
# What opens a block within a line of YAML; each indented line may do so too.
_BLOCK = re.compile(rb"[-?:](?=[ \t])")

ImportRow = tuple[str, tuple[str, ...], int, str]


def read(path: str, data: bytes, until: float = 0.0, whole: bool = True) -> tuple[list[SymbolRow], list[ImportRow]]:
    """The symbols and imports of a file as plain rows, in file order. Raises syntax.TooSlow after `until`.

    Unless `whole`, bodies that hold no definition are not parsed.
    """
    found_as = reading(path, data)
    if found_as is None:
        return [], []
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
    return list(symbol_rows(data, language, found)), list(import_rows(data, language, found))


def text_of(path: str, data: bytes) -> bytes:
    """The text of a file to take words from, on the same lines: for a notebook its cells, else all of it."""
    language = language_of(path)
    return notebook.text(data, language) if language is not None and language.cells else data


def reading(path: str, data: bytes) -> tuple[Language, bytes] | None:
    """The language of a file and the text to parse; None without an installed grammar."""
    language = language_of(path)
    if language is None or not is_installed(language) or (language.outline and not _can_be_outlined(data, language)):
        return None
    if path.endswith(".h") and _CPLUSPLUS.search(data):
        language = language_of("header.hpp") or language
    return notebook.code(data, language) if language.cells else (language, data)


def _can_be_outlined(data: bytes, language: Language) -> bool:
    if len(data) > MOST_OUTLINED:
        return False
    most = language.most_nested
    return not most or all(
        len(line) <= most or len(line) - len(line.lstrip(b" ")) + len(_BLOCK.findall(line)) <= most
        for line in data.splitlines()
    )


def import_rows(data: bytes, language: Language, everything: syntax.Found) -> Iterator[ImportRow]:
    """The imports of a file, in file order."""
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
