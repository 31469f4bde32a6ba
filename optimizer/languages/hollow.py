"""Blank out function bodies that hold no definitions and no imports, so that they need not be parsed."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from optimizer.languages.table import Language

LEAST = 60  # bytes: shorter bodies parse as fast as they are checked
_NO_BRACKETS = bytes(code for code in range(256) if code not in b"()[]{}")
_BLANK = bytes(code if code == 10 else 32 for code in range(256))
_PYTHON_HEAD = re.compile(
    rb"def[ \t]+\w+[ \t]*\([^()]*(?:\([^()]*\)[^()]*)*\)[^:\n]*:[ \t]*\n"
    rb"(?:[ \t]+[rRuUbB]?\"\"\"[^\"\\]*(?:(?:\\.|\"(?!\"\"))[^\"\\]*)*\"\"\"[ \t]*\n)?",
    re.S,
)
_COMMENTS = re.compile(rb"(?:\s*#[^\n]*\n)*\s*")
_ARGUMENTS_END = re.compile(rb"\)[^\n;={}]*\Z")


def hollow(data: bytes, language: Language) -> bytes:
    """The same bytes with such bodies blanked; everything else keeps its offset and line.

    A body is blanked only where its bounds are certain without parsing. When the result has syntax errors, the
    original bytes must be parsed instead.
    """
    if not language.inner:
        return data
    pieces = _indented(data, language) if language.docstrings else _braced(data, language)
    if not pieces:
        return data
    parts: list[bytes] = []
    at = 0
    for start, end, filler in pieces:
        parts += (data[at:start], filler)
        at = end
    parts.append(data[at:])
    return b"".join(parts)


@cache
def _inner(language: Language) -> Callable[[bytes], object]:
    words = language.inner
    if not language.inner_form:
        return lambda body: any(map(body.__contains__, words))
    search = re.compile(language.inner_form).search
    return lambda body: any(map(body.__contains__, words)) or search(body)


@cache
def _dedent(depth: int) -> Callable[[bytes, int], re.Match[bytes] | None]:
    """Finds the end of the line before the next one that is indented by at most `depth` blanks."""
    return re.compile(rb"\n[ \t]{0,%d}(?=[^ \t\r\n])" % depth).search


def _indented(data: bytes, language: Language) -> list[tuple[int, int, bytes]]:
    pieces = []
    find, match, inner = data.find, _PYTHON_HEAD.match, _inner(language)
    place = find(b"def ")
    while place >= 0:
        head = match(data, place)
        if head is None:
            place = find(b"def ", place + 4)
            continue
        before = data[data.rfind(b"\n", 0, place) + 1 : place]
        depth = len(before) - len(before.lstrip())
        start = head.end()
        over = _dedent(depth)(data, start - 1)
        end = over.start() if over else len(data)
        next_place = find(b"def ", start)
        if (
            end - start >= LEAST
            and (next_place < 0 or next_place >= end - 4)
            and before.strip() in (b"", b"async")
            and not inner(body := data[start:end])
            and _is_balanced(body)
            and (piece := _statements(body))
        ):
            first, filler = piece
            pieces.append((start + first, start + first + len(filler), filler))
            place = find(b"def ", end)
        else:
            place = next_place
    return pieces


def _statements(body: bytes) -> tuple[int, bytes] | None:
    """Where the first statement of a body starts, and the filler from there to the end of the last."""
    match = _COMMENTS.match(body)
    first = match.end() if match else 0
    end = len(body.rstrip())
    line = body.rfind(b"\n", 0, end) + 1
    while line > first and body[line:end].lstrip().startswith(b"#"):
        end = len(body[:line].rstrip())
        line = body.rfind(b"\n", 0, end) + 1
    column = first - body.rfind(b"\n", 0, first) - 1
    if line <= first or end - line <= column:
        return None
    blank = body[first + 1 : line].translate(_BLANK)
    return first, b"0" + blank + b" " * column + b"0" * (end - line - column)


def _braced(data: bytes, language: Language) -> list[tuple[int, int, bytes]]:
    pieces = []
    find, rfind, inner = data.find, data.rfind, _inner(language)
    opening = find(b"{\n")
    while opening >= 0:
        line = rfind(b"\n", 0, opening) + 1
        head = data[line:opening]
        indent = head[: len(head) - len(head.lstrip(b" \t"))]
        if head == indent and line:
            head = data[rfind(b"\n", 0, line - 1) + 1 : line - 1]
        start = opening + 1
        if _ARGUMENTS_END.search(head):
            end = find(b"\n" + indent + b"}", start)
            if (
                end - start >= LEAST
                and not inner(body := data[start:end])
                and _is_balanced(body)
                and body.count(b"/*") == body.count(b"*/")
                and body.count(b"#if") == body.count(b"#endif")
            ):
                pieces.append((start, end, body.translate(_BLANK)))
                start = end
        opening = find(b"{\n", start)
    return pieces


def _is_balanced(body: bytes) -> bool:
    count = body.translate(None, _NO_BRACKETS).count
    return count(b"(") == count(b")") and count(b"[") == count(b"]") and count(b"{") == count(b"}")
