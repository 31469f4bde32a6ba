"""Pages of the web: their script blocks, and what their templates may use of them, as text at the same byte offsets.

A view is as long as the file, with the same lines, and blank outside of what it shows: line numbers and byte offsets
in it are those of the file. The blocks of a page are read as one text, in the widest of the languages that they name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from optimizer.languages.table import LANGUAGES, Language, is_installed

BLANK = bytes(10 if byte == 10 else 32 for byte in range(256))
_ATTRIBUTES = rb"(?:[^>\"']|\"[^\"]*\"|'[^']*'){0,300}+"
_PIECE = re.compile(
    rb"<!--.*?(?:-->|\Z)|<(?P<tag>script|style)(?=[\s>/])(?P<about>"
    + _ATTRIBUTES
    + rb")>(?P<text>.*?)(?P<end></(?P=tag)|\Z)",
    re.S | re.I,
)
_ATTRIBUTE = re.compile(rb"(?<![\w:-])(?P<name>lang|type|src)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.I)
# Code between two lines of dashes at the top.
_FRONT = re.compile(rb"\s*---[ \t]*\r?\n(?P<text>.*?\n|)(?P<end>---)", re.S)
_SCRIPTS = {
    "": "javascript", "js": "javascript", "javascript": "javascript", "module": "javascript", "jsx": "javascript",
    "ecmascript": "javascript", "babel": "javascript", "ts": "typescript", "typescript": "typescript", "tsx": "tsx",
}  # fmt: skip
_WIDEST = ("tsx", "typescript", "javascript")
# What another program fills in before the page is one.
_FILLED_IN = re.compile(rb"\{\{|\{%|<%|<\?")
_MINIFIED = re.compile(rb"[^\n]{1000}")
# Longer pages with an outline are mostly reports that carry their data and libraries with them.
_MOST_BYTES = 256_000
# Attributes of plain pages that hold code, and expressions in their text.
_HANDLERS = re.compile(
    rb"(?<=[\s\"'])(?:on|[@:]|v-|x-|ng-)[\w:.@-]*\s*=\s*(?:\"(?P<one>[^\"]*)\"|'(?P<two>[^']*)')|\{\{(?P<text>(?:(?!\{\{).)*?)\}\}",
    re.S,
)


class _Block(NamedTuple):
    """A script block: its bytes from `start` to `end`, its language as in the table, and the file that it takes or ''.

    `language` is '' for data and templates, None for a language that is not read.
    """

    start: int
    end: int
    language: str | None
    source: str


def code(data: bytes, row: Language) -> tuple[Language, bytes] | None:
    """The language of the script blocks of a page, and the view of them.

    None where a block has a language that is not read; in a page with an outline, also without any block.
    """
    blocks = [block for block in _blocks(data, row) if block.language != "" and not block.source]
    if row.outline:
        blocks = [block for block in blocks if block.language and _is_plain(data[block.start : block.end])]
        if not blocks or len(data) > _MOST_BYTES:
            return None
    names = {block.language for block in blocks}
    name = next((name for name in _WIDEST if name in names), "javascript")
    language = next(language for language in LANGUAGES if language.name == name)
    return None if None in names or not is_installed(language) else (language, _view(data, blocks))


def linked(data: bytes, row: Language) -> Iterator[tuple[str, tuple[str, ...], int, str]]:
    """The files of this repository that a page takes its scripts from, as imports."""
    for block in _blocks(data, row):
        if block.source and not re.match(r"[\w+.-]*:|//|.*[{<]", block.source):
            line = data.count(b"\n", 0, block.start) + 1
            yield block.source.partition("?")[0].removeprefix("./"), (), line, "script"


def unread(data: bytes, row: Language) -> bytes:
    """The view of what may use names and is not read: templates, of a page with an outline handlers alone.

    Without a grammar for its scripts it is all of the page.
    """
    if row.outline:
        found = (match for match in _HANDLERS.finditer(data))
        spans = (match.span(name) for match in found for name in ("one", "two", "text") if match[name])
        return _shown(data, spans)
    if code(data, row) is None:
        return data
    view = bytearray(data)
    pieces = [match.span("text") if match["tag"] else match.span() for match in _PIECE.finditer(data)]
    pieces += [match.span("text") for match in [_FRONT.match(data)] if match and row.front]
    for start, end in pieces:
        view[start:end] = data[start:end].translate(BLANK)
    return bytes(view)


def _blocks(data: bytes, row: Language) -> Iterator[_Block]:
    at = 0
    if row.front and (front := _FRONT.match(data)):
        at = front.end()
        yield _Block(*front.span("text"), row.front, "")
    for match in _PIECE.finditer(data, at):
        if (match["tag"] or b"").lower() == b"script":
            about = {
                one["name"].lower(): one[2] or one[3] or one[4] or b"" for one in _ATTRIBUTE.finditer(match["about"])
            }
            source = about.get(b"src", b"").decode("utf-8", "replace")
            yield _Block(*match.span("text"), _language(about, row), source)


def _language(about: Mapping[bytes, bytes], row: Language) -> str | None:
    if b"lang" in about:
        return _SCRIPTS.get(about[b"lang"].decode("utf-8", "replace").lower())
    kind = re.sub(r"^(?:text|application)/(?:x-)?", "", about.get(b"type", b"").decode("utf-8", "replace").lower())
    name = _SCRIPTS.get(kind, "")
    return row.front if row.front and name == "javascript" else name


def _is_plain(block: bytes) -> bool:
    return not _FILLED_IN.search(block) and not _MINIFIED.search(block)


def _view(data: bytes, blocks: Iterable[_Block]) -> bytes:
    view = bytearray(_shown(data, ((block.start, block.end) for block in blocks)))
    for _, end, _, _ in blocks:
        if end < len(data) and view[data.rfind(b"\n", 0, end) + 1 : end].strip():
            view[end] = ord(";")
    return bytes(view)


def _shown(data: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    view = bytearray(data.translate(BLANK))
    for start, end in spans:
        view[start:end] = data[start:end]
    return bytes(view)
