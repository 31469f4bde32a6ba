"""The first line of documentation of a definition: its docstring, or the comment right above it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from optimizer.languages.table import Language

DOC_LENGTH = 200
MOST_LINES = 100
_DOCSTRING = re.compile(rb"[rRuUbB]{0,2}(\"\"\"|'''|\"|')\s*([^\n]*)")
_ATTRIBUTE = re.compile(rb"@doc\s+(?:~[sS])?(\"\"\"|\")\s*([^\n]*)")
_MODULE_ATTRIBUTE = re.compile(rb"do\s+@moduledoc\s+(?:~[sS])?(\"\"\"|\")\s*([^\n]*)")
_TAGS = re.compile(rb"</?[a-z]\w*(?:\s[^<>]*)?/?>")
_MARKS = b" \t\r/*#!-=<|"


def docstring(data: bytes, body: int) -> str:
    """The first line of the string literal at byte `body`, where a body starts; '' when there is none."""
    match = _DOCSTRING.match(data, body)
    return _text(match[2].partition(match[1])[0]) if match else ""


def attribute(data: bytes, head: int, start: int, body: int) -> str:
    """The first line of a documentation attribute, between bytes `head` and `start` or where the body starts."""
    match = _ATTRIBUTE.search(data, head, start) or (_MODULE_ATTRIBUTE.match(data, body) if body >= 0 else None)
    return _text(match[2].partition(match[1])[0]) if match else ""


def comment_above(data: bytes, head: int, language: Language) -> str:
    """The first line of the comment that ends on the line above byte `head`; '' when there is none."""
    end = data.rfind(b"\n", 0, head)
    if end < 0:
        return ""
    start = data.rfind(b"\n", 0, end) + 1
    above = data[start:end].strip()
    if not above:
        return ""
    if above.endswith(b"*/") and b"*/" in language.comments:
        return _first(data[data.rfind(b"/*", 0, end) : end].splitlines())
    first = b""
    for _ in range(MOST_LINES):
        if not above.startswith(language.comments):
            break
        if language.tagged:
            above = _TAGS.sub(b"", above)
        first = above if above.strip(_MARKS) else first
        end, start = start - 1, data.rfind(b"\n", 0, max(start - 1, 0)) + 1
        if end < 0:
            break
        above = data[start:end].strip()
    return _first([first])


def _first(lines: Iterable[bytes]) -> str:
    for line in lines:
        text = line.removesuffix(b"*/").strip(_MARKS)
        if text:
            return _text(text)
    return ""


def _text(line: bytes) -> str:
    return line[: 4 * DOC_LENGTH].decode("utf-8", "replace").strip()[:DOC_LENGTH]
