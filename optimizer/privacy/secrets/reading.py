"""A text as a person or a machine reads it: without escapes of a terminal, and with its encodings decoded one level."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONG_RUN = 20
_SHORTEST = 20  # bytes of base64 or hex that are decoded
_RUNS = bytes(97 if chr(c).isascii() and (chr(c).isalnum() or chr(c) in "_-") else 32 for c in range(256))
_USUAL = bytes(range(0x20, 0x7F)) + b"\t\n\r"
# of a terminal, also where something else stands for the escape character
_ANSI = (
    rb"(?:\x1b|\xef\xbf\xbd|\xe2\x90\x9b)(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,500}?(?:\x07|(?:\x1b|\xef\xbf\xbd)\\)"
    rb"|[()*+][0-9A-B]|[@-Z\\^_=>])"
    rb"|\xc2\x9b[0-?]*[ -/]*[@-~]"
)
# also what takes no space: controls, overstrikes, soft hyphens, marks of direction, joiners, tags
_NOISE = re.compile(
    _ANSI + rb"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2\xad|\xcd\x8f|\xd8\x9c|\xe1\xa0\x8e"
    rb"|\xef\xbf\xbd|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xef\xb8[\x80-\x8f]|\xf3\xa0[\x80-\x87][\x80-\xbf]"
)
_UNSEEN_BYTES = re.compile(  # whether there is any of it, in a text without its usual letters: that is sooner asked
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\xad\x9b]|\xcd\x8f|\xd8\x9c|\xe1\xa0\x8e"
    rb"|\xe2(?:\x80[\x8b-\x8f\xaa-\xae]|\x81[\xa0-\xaf]|\x90\x9b)|\xef[\xb8\xbb\xbf]|\xf3\xa0"
)
_OVERSTRUCK = re.compile(rb"[^\n]\x08|" + _NOISE.pattern)
_CONTROLS = [bytes([code]) for code in (*range(9), 11, 12, *range(14, 32), 127)]
_COLOURS = re.compile(_ANSI)
# runs of escapes that stand for printable ASCII, and colours as programs write them
_UNSEEN = rb"(?:x00|u0000|u00[aA][dD]|u20[06][0-9a-fA-F]|u202[a-eA-E]|u[fF][eE][fF][fF])"
_SLASHED = (
    rb"\\(?:u\{?0{0,4}[2-7][0-9a-fA-F]\}?|x[2-7][0-9a-fA-F]|1[0-7]{2}|0[4-7][0-7]|(?:u001[bB]|x1[bB]|033|e)\[[0-9;]*m"
    rb"|" + _UNSEEN + rb")"
)
_FOLD = re.compile(rb"\\+[nrt\"'/]")  # in lines that hold several lines, as in JSON
_UNFOLDED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_ENTITY = rb"&(?:#(?:x0{0,4}[2-7][0-9a-fA-F]|0{0,4}[0-9]{2,3})|quot|amp);"
_PERCENT = rb"%[2-7][0-9a-fA-F]"
_ESCAPES = tuple(re.compile(one + rb"(?:" + one + rb")*") for one in (_SLASHED, _ENTITY, _PERCENT))
_ONE_ESCAPE = re.compile(
    rb"\\"
    + _UNSEEN
    + rb"|\\e?(?:x1[bB]|u001[bB]|033)?\[[0-9;]*m|\\u\{?0*(?P<u>[2-7][0-9a-fA-F])\}?|\\x(?P<x>..)|\\(?P<octal>[0-7]{3})"
    rb"|%(?P<p>..)|&#x0*(?P<h>[0-9a-fA-F]{2});|&#0*(?P<decimal>\d+);|&(?P<name>\w+);"
)
_DIGIT = re.compile(rb"[0-9]")
_ODD = re.compile(rb"[a-z][A-Z]{1,3}[a-z][A-Z]|[A-Z][a-z][A-Z][a-z]?[A-Z]")  # unlike words, even in camel case
_ENTITIES = {b"quot": b'"', b"amp": b"&", b"apos": b"'", b"lt": b"<", b"gt": b">"}
_ENCODED = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_NEVER_FIRST = b"+/_-"  # in the base64 of a text; before it they belong to a diff or a path
_HEX_DUMP = re.compile(
    rb"(?:(?:0x)?[0-9a-fA-F]{2}(?:[ :]|, ?)){11,}(?:0x)?[0-9a-fA-F]{2}|(?:[0-9a-fA-F]{4} ){5,}[0-9a-fA-F]{2,4}"
)
_HEX = bytes(
    104 if chr(c) in "0123456789abcdefABCDEF" else 32 if chr(c) in " :," else 120 if c == 120 else 46
    for c in range(256)
)
_HEX_DUMPS = (b"hh " * 8, b"hhhh " * 5, b"hxhh  " * 4, b"hxhh " * 4)
_STANDARD = bytes.maketrans(b"-_", b"+/")
_WINDOW = 400  # bytes around an escape that are read with it, at most


class Piece(NamedTuple):
    """A part of a view that begins at `at`, and where it stands in the text; `exact`: byte for byte."""

    at: int
    start: int
    end: int
    exact: bool


class View(NamedTuple):
    """A text made from another one, piece by piece."""

    data: bytes
    pieces: tuple[Piece, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of the view stands in the text that it was made from."""
        first, last = (bisect_right(self.pieces, at, key=lambda piece: piece.at) - 1 for at in (start, end - 1))
        a, b = self.pieces[max(first, 0)], self.pieces[max(last, 0)]
        return (a.start + start - a.at if a.exact else a.start), (b.start + end - b.at if b.exact else b.end)


class Run(NamedTuple):
    """Where a run of letters, digits, _ and - stands, that is long and unlike words."""

    start: int
    end: int


def runs(data: bytes) -> list[Run]:
    """The long runs of a text that are unlike words: what looks like a token, or is encoded."""
    marked, wanted, found = data.translate(_RUNS), b"a" * LONG_RUN, []
    at = marked.find(wanted)
    while at >= 0:
        end = marked.find(b" ", at)
        end = len(data) if end < 0 else end
        text = data[at:end]
        if _DIGIT.search(text) or (not text.islower() and not text.isupper() and _ODD.search(text)):
            found.append(Run(at, end))
        at = marked.find(wanted, end)
    return found


def readings(data: bytes) -> Iterator[View]:
    """The text itself, and where it has escapes of a terminal or invisible characters, the text without them.

    It is also read with blanks in place of colours, which end a word for a person.
    """
    yield View(data, (Piece(0, 0, len(data), True),))
    usual = data.isascii() and not any(control in data for control in _CONTROLS)
    if usual or not _UNSEEN_BYTES.search(data.translate(None, _USUAL)) or not _NOISE.search(data):
        return
    yield view(without(data, _OVERSTRUCK if b"\b" in data else _NOISE, b""))
    if b"\x1b" in data or b"\xc2\x9b" in data:
        yield view(without(data, _COLOURS, b" "))


def decoded(data: bytes, found: list[Run]) -> View | None:
    """What is encoded in a text: base64 and hex, escapes of programs, addresses and markup, several lines in one."""
    parts = [*_encoded(data, found), *_dumps(data), *_unescaped(data), *_unfolded(data)]
    return view(parts) if parts else None


def view(parts: Iterable[tuple[bytes, int, int, bool]]) -> View:
    """A view of parts: each a text, where it stands in the text that the view is of, and whether byte for byte."""
    pieces, texts, at = [], [], 0
    for text, start, end, exact in parts:
        if text:
            pieces.append(Piece(at, start, end, exact))
            texts.append(text)
            at += len(text)
    return View(b"".join(texts), tuple(pieces or (Piece(0, 0, 0, False),)))


def without(data: bytes, noise: re.Pattern[bytes], blank: bytes) -> Iterator[tuple[bytes, int, int, bool]]:
    """The parts of a text, with `blank` for what is noise."""
    at = 0
    for match in noise.finditer(data):
        yield data[at : match.start()], at, match.start(), True
        yield blank, match.start(), match.end(), False
        at = match.end()
    yield data[at:], at, len(data), True


def _encoded(data: bytes, found: list[Run]) -> Iterator[tuple[bytes, int, int, bool]]:
    """Runs of base64 or hex that are text when they are decoded, lines of the same width together."""
    after = 0
    for run in found:
        if run.start < after:
            continue
        start = run.start
        while start > after and data[start - 1] in _BASE64 and run.start - start < 4096:
            start -= 1
        while data[start] in _NEVER_FIRST:
            start += 1
        first = data.rfind(b"\n", 0, start) + 1
        added = data[first : first + 1] == b"+"
        lines = [(start, _end(data, start))]
        while len(data[slice(*lines[-1])]) >= 60 and (more := _next_line(data, lines[-1], added)):
            lines.append(more)
        after = lines[-1][1]
        text = b"".join(data[slice(*line)] for line in lines)
        if len(text) >= _SHORTEST and (plain := _plain(text)):
            yield plain + b"\n", start, after, False


def _end(data: bytes, start: int) -> int:
    match = _ENCODED.match(data, start)
    return match.end() if match else start


_LINE_START = re.compile(rb"\r?\n(?:[ \t]*\d{1,6}\t)?[ \t#*>|;\"'-]{0,16}")


def _next_line(data: bytes, line: tuple[int, int], added: bool) -> tuple[int, int] | None:
    """The line below, where it is the next one of a block of encoded lines; `added`: in a diff, after a +."""
    gap = _LINE_START.match(data, line[1]) if data[line[1] - 1 : line[1]] != b"=" else None
    if not gap:
        return None
    start = gap.end() + (added and data[gap.end() : gap.end() + 1] == b"+")
    end = _end(data, start)
    return (start, end) if 0 < end - start <= line[1] - line[0] and b"\n" in (data[end : end + 3] or b"\n") else None


def is_text(encoded: bytes) -> bool:
    """Whether base64 or hex stands for a text."""
    return _plain(encoded) != b""


def _plain(encoded: bytes) -> bytes:
    """The text that base64 or hex stands for; b'' where it is none."""
    bare = encoded.rstrip(b"=")
    for decode in (_from_hex, _from_base64):
        data = decode(bare)
        if len(data) >= 8 and (text := _text(data)):
            return text
    return b""


def _from_hex(bare: bytes) -> bytes:
    try:
        return binascii.unhexlify(bare)
    except (binascii.Error, ValueError):
        return b""


def _from_base64(bare: bytes) -> bytes:
    if _text(base64.b64decode(bare[:16].translate(_STANDARD))) == b"":
        return b""
    try:
        return base64.b64decode(
            bare[: len(bare) // 4 * 4 + (len(bare) % 4 if len(bare) % 4 > 1 else 0)].translate(_STANDARD) + b"=="
        )
    except (binascii.Error, ValueError):
        return b""


def _text(data: bytes) -> bytes:
    """Bytes without the zeros of UTF-16, where nearly all of them can be read; else b''."""
    plain = data.replace(b"\0", b"") if 0.4 < data.count(b"\0") / max(len(data), 1) < 0.6 else data
    plain = plain.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    return plain if len(plain.translate(None, _USUAL)) * 20 <= len(plain) else b""


def _dumps(data: bytes) -> Iterator[tuple[bytes, int, int, bool]]:
    """Bytes in hex with something between them, as dumps and arrays of bytes show them."""
    marked = data.translate(_HEX)
    for dump in _HEX_DUMPS:
        at = marked.find(dump)
        while at >= 0:
            match = _HEX_DUMP.match(data, at)
            if match and (plain := _text(_from_hex(re.sub(rb"0x|[ ,:]", b"", match[0])))):
                yield plain + b"\n", *match.span(), False
            at = marked.find(dump, max(at + len(dump), match.end() if match else 0))


def _unescaped(data: bytes) -> Iterator[tuple[bytes, int, int, bool]]:
    """The lines with escapes in them, at most so much of them, with the characters that escapes stand for."""
    spans = sorted(match.span() for pattern in _ESCAPES for match in pattern.finditer(data))
    at = -1
    for number, (start, end) in enumerate(spans):
        if start < at:
            continue
        line = max(data.rfind(b"\n", max(0, start - _WINDOW), start) + 1, start - _WINDOW, 0)
        if line > at:
            yield b"\n\n", line, line, False
        yield data[max(line, at) : start], max(line, at), start, True
        yield _characters(data[start:end]), start, end, False
        limit = min(end + _WINDOW, spans[number + 1][0] if number + 1 < len(spans) else len(data))
        stop = data.find(b"\n", end, limit)
        at = stop if stop >= 0 else limit
        yield data[end:at], end, at, True


def _unfolded(data: bytes) -> Iterator[tuple[bytes, int, int, bool]]:
    """The lines that hold several lines, each with a line of its own."""
    first = data.find(b"\\n")
    while first >= 0:
        second, end = data.find(b"\\n", first + 2), data.find(b"\n", first)
        end = end if end >= 0 else len(data)
        if first < second < end:
            at = data.rfind(b"\n", 0, first) + 1
            yield b"\n\n", at, at, False
            for fold in _FOLD.finditer(data, at, end):
                yield data[at : fold.start()], at, fold.start(), True
                letter = fold[0][-1:]
                yield _UNFOLDED.get(letter, letter), *fold.span(), False
                at = fold.end()
            yield data[at:end], at, end, True
            second = data.find(b"\\n", end)
        first = second


def _characters(escapes: bytes) -> bytes:
    """What a run of escapes stands for."""
    return _ONE_ESCAPE.sub(_character, escapes)


def _character(match: re.Match[bytes]) -> bytes:
    if name := match["name"]:
        return _ENTITIES.get(name, b"")
    if number := match["u"] or match["x"] or match["p"] or match["h"]:
        return bytes([int(number, 16)])
    if match["octal"] or match["decimal"]:
        return bytes([(int(match["octal"], 8) if match["octal"] else int(match["decimal"])) & 0x7F])
    return b""
