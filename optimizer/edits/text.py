"""The text of a file's bytes and back, and where a search text stands in it.

Decoding is strict, lines keep the endings they have, nothing is normalised. A search text is found exactly, or by one
tolerant rule that must match a single place: whole lines that are equal but for spaces and tabs at their ends, and for
one and the same indentation put before, or taken from, every line that is not blank. Nothing else is guessed.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from optimizer.errors import Conflict, EditRefused, SafetyRefused

MAX_BYTES = 50_000_000
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
MAX_PLACES = 10_000
MAX_TOLERANT = 100
"""Places compared line by line once that many were found: no reply means that many."""
MAX_SHOWN_LINES = 16
SHOWN_AROUND = 2
MAX_SHOWN_COLUMNS = 160
_WORD = re.compile(r"\w{2,60}")


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


@dataclass(frozen=True, slots=True)
class Match:
    """Offsets `start`..`end` (not included) in the haystack and the lines they cover (from 1, included).

    A tolerant match covers whole lines; `added` or `removed` is the indentation that takes the needle to the file.
    """

    start: int
    end: int
    first: int
    last: int
    exact: bool
    added: str = ""
    removed: str = ""


def locate(haystack: str, needle: str, line: int | None = None) -> Match:
    """Find the one place of `needle` (lines end with `\\n`) in `haystack` (lines end as they do in the file).

    A needle that ends with a newline means whole lines; otherwise it may also be a part of lines. Of several
    exact places the one that begins on `line` counts. Raises Conflict when several remain, naming their lines, and
    EditRefused when there is none, showing the nearest region.
    """
    found = find(haystack, needle, line)
    if found is None:
        raise EditRefused(_nearest(haystack, needle), "quote the lines as they are in the file")
    return found


@lru_cache(maxsize=4)
def find(haystack: str, needle: str, line: int | None = None) -> Match | None:
    """Like `locate`, but None when there is no place: finding the nearest one takes long."""
    if not needle:
        raise EditRefused("the search text is empty", "give the lines that are to be replaced")
    places = _exact(haystack, needle)
    if places:
        start = _chosen(plain(haystack), places, line)
        first, start_offset = _offset(haystack, start)
        last, end_offset = _offset(haystack, start + len(needle))
        return Match(start_offset, end_offset, first, max(first, last - needle.endswith("\n")), exact=True)
    tolerant = _tolerant(haystack, needle)
    if len(tolerant) == 1:
        return tolerant[0]
    if tolerant:
        raise _ambiguous([match.first for match in tolerant])
    return None


def _exact(haystack: str, needle: str) -> list[int]:
    text = plain(haystack)
    if not text:
        return []
    framed = _framed(text)
    if needle.endswith("\n"):
        return _find_all(framed, "\n" + needle)
    return _find_all(framed, f"\n{needle}\n") or _find_all(text, needle)


@lru_cache(maxsize=4)
def _framed(plain: str) -> str:
    return f"\n{plain}" if plain.endswith("\n") else f"\n{plain}\n"


def _find_all(text: str, part: str) -> list[int]:
    places: list[int] = []
    place = text.find(part)
    while place >= 0 and len(places) < MAX_PLACES:
        places.append(place)
        place = text.find(part, place + 1)
    return places


def _chosen(plain: str, places: list[int], line: int | None) -> int:
    if len(places) == 1:
        return places[0]
    numbers: list[int] = []
    number, before = 1, 0
    for place in places:
        number += plain.count("\n", before, place)
        before = place
        numbers.append(number)
    hinted = [place for place, found in zip(places, numbers, strict=True) if found == line]
    if len(hinted) == 1:
        return hinted[0]
    raise _ambiguous(numbers)


def _ambiguous(numbers: list[int]) -> Conflict:
    shown = ", ".join(str(number) for number in numbers[:8]) + (", …" if len(numbers) > 8 else "")
    many = f"{len(numbers)} places" if len(numbers) < MAX_TOLERANT else f"{MAX_TOLERANT} places or more"
    return Conflict(f"the search text is in {many}, on lines {shown}", "add lines around it that make it unique")


def _offset(haystack: str, place: int) -> tuple[int, int]:
    """Line number (from 1) and offset in `haystack` of a place in its plain text."""
    text = plain(haystack)
    line = text.count("\n", 0, place)
    if place > len(text):  # a needle's newline that the last line lacks
        return line + 1, len(haystack)
    if len(text) == len(haystack):
        return line + 1, place
    column = place - (text.rfind("\n", 0, place) + 1)
    return line + 1, line_starts(haystack)[line] + column


@lru_cache(maxsize=4)
def _stripped(haystack: str) -> str:
    return "\n" + "\n".join(line.strip(" \t") for line in _plain_lines(haystack)) + "\n"


def _tolerant(haystack: str, needle: str) -> list[Match]:
    wanted = needle.removesuffix("\n").split("\n")
    bare = "\n".join(line.strip(" \t") for line in wanted)
    if not bare.strip("\n") or not haystack:
        return []
    stripped, lines = _stripped(haystack), _plain_lines(haystack)
    starts = line_starts(haystack)
    matches: list[Match] = []
    for place in _find_all(stripped, f"\n{bare}\n"):
        first = stripped.count("\n", 0, place)
        last = first + len(wanted)
        shift = _shift(wanted, lines, first)
        if shift is not None:
            added, removed = shift
            matches.append(Match(starts[first], starts[last], first + 1, last, False, added, removed))
        if len(matches) == MAX_TOLERANT:
            break
    return matches


@lru_cache(maxsize=4)
def _plain_lines(haystack: str) -> list[str]:
    return plain(haystack).removesuffix("\n").split("\n")


def _shift(wanted: list[str], lines: list[str], first: int) -> tuple[str, str] | None:
    """The one indentation (added, removed) that turns the wanted lines into those from `first`; None when it varies."""
    found: tuple[str, str] | None = None
    for number, want in enumerate(wanted, first):
        if not want.strip(" \t"):
            continue
        deep, deeper = _indentation(want), _indentation(lines[number])
        if deeper.endswith(deep):
            shift = deeper[: len(deeper) - len(deep)], ""
        elif deep.endswith(deeper):
            shift = "", deep[: len(deep) - len(deeper)]
        else:
            return None
        if found not in (None, shift):
            return None
        found = shift
    return found


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _nearest(haystack: str, needle: str) -> str:
    """A message with the region of the file that shares most lines, or else most words, with the needle."""
    lines = _plain_lines(haystack)
    wanted = needle.removesuffix("\n").split("\n")
    at = _by_lines(lines, wanted)
    if at is None:
        at = _by_words(lines, wanted)
    if at is None:
        return "the search text is not in the file, and nothing there resembles it"
    stop = min(at + len(wanted), len(lines))
    first, last = max(0, at - SHOWN_AROUND), min(len(lines), stop + SHOWN_AROUND)
    shown = [f"{n + 1}: {lines[n][:MAX_SHOWN_COLUMNS]}" for n in range(first, min(last, first + MAX_SHOWN_LINES))]
    where = f"line {stop}" if stop == at + 1 else f"lines {at + 1}-{stop}"
    return f"the search text is not in the file; the nearest region is {where}:\n" + "\n".join(shown)


def _by_lines(lines: list[str], wanted: list[str]) -> int | None:
    places: dict[str, list[int]] = {line.strip(): [] for line in wanted if line.strip()}
    for number, line in enumerate(lines):
        found = places.get(line.strip())
        if found is not None and len(found) < 50:
            found.append(number)
    votes = Counter(number - offset for offset, line in enumerate(wanted) for number in places.get(line.strip(), ()))
    best = max(votes.items(), key=lambda vote: (vote[1], -vote[0]), default=None)
    return None if best is None else max(0, best[0])


def _by_words(lines: list[str], wanted: list[str]) -> int | None:
    offset = max(range(len(wanted)), key=lambda n: len(set(_WORD.findall(wanted[n]))))
    words = set(_WORD.findall(wanted[offset]))
    if not words:
        return None
    shared = [len(words.intersection(_WORD.findall(line))) for line in lines]
    best = max(range(len(lines)), key=shared.__getitem__)
    return max(0, best - offset) if shared[best] else None
