"""The text of a file's bytes and back: strict decoding, lines with the endings they have, nothing normalised."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import lru_cache

from optimizer.errors import EditRefused, SafetyRefused

MAX_BYTES = 50_000_000
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text; unless `utf8`, each character is one byte of an unknown encoding."""

    text: str
    utf8: bool
    bom: bool


def decode(path: str, data: bytes) -> Decoded:
    """Text of `data`; raises SafetyRefused for binary (a NUL byte), UTF-16/32, and files over 50 MB."""
    if len(data) > MAX_BYTES:
        raise SafetyRefused(f"{path} is too large to edit ({len(data):,} bytes)")
    if b"\0" in data or data.startswith(_WIDE_MARKS):
        raise SafetyRefused(f"{path} is a binary file or UTF-16: it is not edited")
    bom = data.startswith(codecs.BOM_UTF8)
    try:
        return Decoded(data[3 * bom :].decode("utf-8"), utf8=True, bom=bom)
    except UnicodeDecodeError:
        return Decoded(data.decode("latin-1"), utf8=False, bom=False)


def encode(path: str, text: str, like: Decoded) -> bytes:
    """Bytes of `text` in the encoding of `like`; raises EditRefused for what has no bytes (a lone surrogate)."""
    try:
        return codecs.BOM_UTF8 * like.bom + text.encode("utf-8" if like.utf8 else "latin-1")
    except UnicodeEncodeError as error:
        raise EditRefused(f"the new text of {path} cannot be written: {error.reason}") from error


def terminator(text: str) -> str:
    """What ends the lines of `text`: `\\n` (perhaps after a `\\r`), or a lone `\\r` in a text without `\\n`."""
    return "\r" if "\r" in text and "\n" not in text else "\n"


def split_lines(text: str, end: str) -> list[str]:
    """Lines of `text` with their endings, `end` being its terminator."""
    parts = text.split(end)
    last = parts.pop()
    lines = [part + end for part in parts]
    if last:
        lines.append(last)
    return lines


def ending(line: str, end: str) -> str:
    """The line ending that `line` carries in a text with the terminator `end`, '' when it has none."""
    if not line.endswith(end):
        return ""
    return "\r\n" if line.endswith("\r\n") else end


@lru_cache(maxsize=4)
def plain(text: str) -> str:
    """`text` with each line ending as `\\n`."""
    return text.replace("\r", "\n") if terminator(text) == "\r" else text.replace("\r\n", "\n")


@lru_cache(maxsize=4)
def line_starts(text: str) -> list[int]:
    """Offset of each line of `text`, and last the length of the text."""
    end = terminator(text)
    starts = [0]
    for part in text.split(end):
        starts.append(starts[-1] + len(part) + 1)
    starts.pop()
    if starts[-1] != len(text):
        starts.append(len(text))
    return starts
