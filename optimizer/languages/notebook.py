"""Notebooks: the cells of a notebook as text at the same byte offsets as in the file.

A view is as long as the file, with the same lines, and blank wherever no cell has its source: line numbers and byte
offsets in it are those of the file. An escape is replaced by its character and blanks. Cells are read as code
where each line of them is on a line of the file, as notebook programs write them; others give words only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.languages import syntax
from optimizer.languages.blocks import BLANK
from optimizer.languages.table import LANGUAGES, Language, is_installed

if TYPE_CHECKING:
    from tree_sitter import Node

_ESCAPES = re.compile(rb"(?:\\(?:u[0-9a-fA-F]{4}|[^u\n]))+")
_BREAK_WITHIN = re.compile(rb"(?<!\\)(?:\\\\)*\\n(?!\"\Z)")
_CONTINUED = b"\\\\\\n"
_NO_BREAKS = bytes.maketrans(b"\n\r", b"  ")
# How lines begin that are commands for the notebook itself, and cells for another program.
_MAGIC = (b"%", b"!", b"?")
_MAGIC_CELL = b"%%"
_DEFAULT = "python"
# Ends an indented block of Python where a cell begins.
_FENCE = ord("0")


def text(data: bytes, row: Language) -> bytes:
    """The view of all cells of a notebook, for its words; all of the file when it is not complete JSON."""
    root = syntax.root_of(row, data)
    if root.has_error:
        return data
    view = bytearray(data.translate(BLANK))
    for _, _, strings in _cells(root, data):
        for string in strings:
            _show(string, data, view)
    return bytes(view)


def code(data: bytes, row: Language) -> tuple[Language, bytes] | None:
    """The language of a notebook and the view of its code cells; None for a language without a grammar.

    A file that is not complete JSON is returned as it is, to be read as JSON.
    """
    root = syntax.root_of(row, data)
    if root.has_error:
        return row, data
    name = _language(root, data)
    language = next((language for language in LANGUAGES if language.name == name), None)
    if language is None or not is_installed(language):
        return None
    view = bytearray(data.translate(BLANK))
    for start, kind, strings in _cells(root, data):
        if kind != "code" or not strings or not _is_by_line(strings, data):
            continue
        if name == _DEFAULT:
            view[start] = _FENCE
        if data.startswith(_MAGIC_CELL, strings[0].start_byte + 1):
            continue
        for string in strings:
            if not data.startswith(_MAGIC, string.start_byte + 1):
                _show(string, data, view)
    return language, bytes(view)


def _show(string: Node, data: bytes, view: bytearray) -> None:
    start, end = string.start_byte + 1, string.end_byte - 1
    view[start:end] = _ESCAPES.sub(_plain, data[start:end])
    if data[start:end].endswith(_CONTINUED):  # the line of the file has to end with the backslash, too
        last = data.find(b"\n", end) - 1
        if last >= end:
            place = end - len(_CONTINUED)
            view[last], view[place] = view[place], ord(" ")


def _plain(escapes: re.Match[bytes]) -> bytes:
    """The characters of a run of escapes, padded with blanks to its length; a line break becomes a blank.

    A backslash at the end stays next to what it escapes in the code of the cell.
    """
    run = escapes[0]
    try:
        plain = str(json.loads(b'"' + run + b'"')).encode("utf-8", "replace")
    except ValueError:
        return run
    plain = plain.translate(_NO_BREAKS)
    return plain.rjust(len(run)) if plain.endswith(b"\\") else plain.ljust(len(run))


def _is_by_line(strings: list[Node], data: bytes) -> bool:
    """Whether the lines of a cell are lines of the file."""
    return all(
        not _BREAK_WITHIN.search(data[string.start_byte : string.end_byte])
        and (number == 0 or string.start_point[0] > strings[number - 1].end_point[0])
        for number, string in enumerate(strings)
    )


def _cells(root: Node, data: bytes) -> Iterator[tuple[int, str, list[Node]]]:
    """Where each cell starts, its kind, and the strings that make up its source."""
    cells = _member(_top(root), "cells", data)
    for cell in cells.named_children if cells is not None else ():
        source = _member(cell, "source", data)
        if source is not None:
            strings = [source] if source.type == "string" else source.named_children
            kind = _text(_member(cell, "cell_type", data), data)
            yield cell.start_byte, kind, [node for node in strings if node.type == "string"]


def _language(root: Node, data: bytes) -> str:
    """The language that the notebook names, in lower case."""
    metadata = _member(_top(root), "metadata", data)
    for place, name in (("language_info", "name"), ("kernelspec", "language")):
        if found := _text(_member(_member(metadata, place, data), name, data), data):
            return found.lower()
    return _DEFAULT


def _top(root: Node) -> Node | None:
    return root.named_children[0] if root.named_child_count else None


def _member(node: Node | None, name: str, data: bytes) -> Node | None:
    """The value of a member of an object; None where there is none."""
    for pair in node.named_children if node is not None and node.type == "object" else ():
        if pair.type == "pair" and _text(pair.child_by_field_name("key"), data) == name:
            return pair.child_by_field_name("value")
    return None


def _text(node: Node | None, data: bytes) -> str:
    return "" if node is None else data[node.start_byte : node.end_byte].decode("utf-8", "replace").strip('"')
