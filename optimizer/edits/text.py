"""The text of a file's bytes and back, and where a search text stands in it.

Decoding is strict, lines keep the endings they have, nothing is normalised. A search text is found exactly, or by one
tolerant rule that must match a single place: whole lines that are equal but for spaces and tabs at their ends, and for
one and the same indentation put before, or taken from, every line that is not blank. Nothing else is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from optimizer.edits.indent import AS_IT_IS, Carried, Style, same_style, tabs_for_spaces
from optimizer.edits.nearest import nearest
from optimizer.edits.scope import within
from optimizer.encodings import Encoding, candidates, marked
from optimizer.errors import Conflict, EditRefused, SafetyRefused

MAX_BYTES = 50_000_000
MAX_PLACES = 10_000
MAX_TOLERANT = 100
"""Places compared line by line once that many were found: no reply means that many."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text and its encoding; with `ascii_only` each character is one byte, and only ASCII may be added."""

    text: str
    encoding: Encoding
    ascii_only: bool = False


def decode(path: str, data: bytes, quoted: str = "", written: str = "") -> tuple[Decoded, ...]:
    """The text of `data` in each encoding that it may have, the most plausible first; most files have one.

    `quoted` is what edits look for in it, and `written` what they put there. Raises SafetyRefused for binary files
    and files over 50 MB, and EditRefused when letters are to be written in an encoding that is not certain.
    """
    if len(data) > MAX_BYTES:
        raise SafetyRefused(f"{path} is too large to edit ({len(data):,} bytes)")
    encoding = marked(data)
    try:
        text = data[len(encoding.mark) :].decode(encoding.name)
    except UnicodeDecodeError:
        text = "\0" if encoding.mark else ""
    if "\0" in text or (b"\0" in data and encoding.name == "utf-8"):
        raise SafetyRefused(f"{path} is a binary file: it is not edited")
    if text or not data[len(encoding.mark) :]:
        return (Decoded(text, encoding),)
    if (quoted + written).isascii():
        return (Decoded(data.decode("latin-1"), Encoding("latin-1"), ascii_only=True),)
    found = candidates(data)
    if quoted.isascii():
        found = found[:1]
        if not found[0].sure:
            raise EditRefused(
                f"{path} is not UTF-8, and its encoding is not certain: only plain ASCII can be put into it",
                "convert the file to UTF-8 first",
            )
    return tuple(Decoded(data.decode(one.name), one) for one in found)


def encode(path: str, text: str, like: Decoded) -> bytes:
    """Bytes of `text` in the encoding of `like`; raises EditRefused for letters that it does not have."""
    try:
        return like.encoding.mark + text.encode(like.encoding.name)
    except UnicodeEncodeError as error:
        letter = text[error.start : error.start + 1].encode("unicode_escape").decode()
        raise EditRefused(
            f"the new text of {path} cannot be written in {like.encoding.name}: it has no {letter}",
            "use letters that the file's encoding has",
        ) from error


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

    A tolerant match covers whole lines; `carried` takes the indentation of the needle to that of the file.
    """

    start: int
    end: int
    first: int
    last: int
    exact: bool
    carried: Carried = AS_IT_IS


class Hint(NamedTuple):
    """Which of several places is meant: as in a Replace."""

    line: int | None = None
    anchors: tuple[str, ...] = ()
    at_end: bool = False


ANYWHERE = Hint()


def locate(haystack: str, needle: str, hint: Hint = ANYWHERE) -> Match:
    """Find the one place of `needle` (lines end with `\\n`) in `haystack` (lines end as they do in the file).

    A needle that ends with a newline means whole lines; otherwise it may also be a part of lines. Of several
    exact places the one that the hint names counts. Raises Conflict when several remain, naming their lines, and
    EditRefused when there is none, showing the nearest region.
    """
    found = find(haystack, needle, hint)
    if found is None:
        raise EditRefused(nearest(_plain_lines(haystack), needle), "quote the lines as they are in the file")
    return found


@lru_cache(maxsize=4)
def find(haystack: str, needle: str, hint: Hint = ANYWHERE) -> Match | None:
    """Like `locate`, but None when there is no place: finding the nearest one takes long."""
    if not needle:
        raise EditRefused("the search text is empty", "give the lines that are to be replaced")
    places = _exact(haystack, needle)
    if places:
        start = _chosen(haystack, places, needle, hint)
        first, start_offset = _offset(haystack, start)
        last, end_offset = _offset(haystack, start + len(needle))
        return Match(start_offset, end_offset, first, max(first, last - needle.endswith("\n")), exact=True)
    for style in (same_style, tabs_for_spaces) if "\t" in haystack or "\t" in needle else (same_style,):
        if matches := _tolerant(haystack, needle, style):
            numbers = [match.first for match in matches]
            ends = [match.end == len(haystack) for match in matches]
            return matches[_pick(haystack, numbers, ends, hint._replace(line=None))]
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


def _chosen(haystack: str, places: list[int], needle: str, hint: Hint) -> int:
    if len(places) == 1:
        return places[0]
    text = plain(haystack)
    numbers: list[int] = []
    number, before = 1, 0
    for place in places:
        number += text.count("\n", before, place)
        before = place
        numbers.append(number)
    ends = [place + len(needle) >= len(text) for place in places]
    return places[_pick(haystack, numbers, ends, hint)]


def _pick(haystack: str, numbers: list[int], ends: list[bool], hint: Hint) -> int:
    """Which of the places on these lines is meant; raises Conflict when that is not certain."""
    left = list(range(len(numbers)))
    if len(left) > 1 and hint.anchors and (block := within(_plain_lines(haystack), hint.anchors)):
        left = [n for n in left if block[0] < numbers[n] <= block[1]]
    if len(left) > 1 and hint.at_end:
        left = [n for n in left if ends[n]]
    if len(left) > 1:
        left = [n for n in left if numbers[n] == hint.line]
    if len(left) != 1:
        raise _ambiguous(numbers)
    return left[0]


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


def _tolerant(haystack: str, needle: str, style: Style) -> list[Match]:
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
        carried = style(wanted, lines, first)
        if carried is not None:
            matches.append(Match(starts[first], starts[last], first + 1, last, False, carried))
        if len(matches) == MAX_TOLERANT:
            break
    return matches


@lru_cache(maxsize=4)
def _plain_lines(haystack: str) -> list[str]:
    return plain(haystack).removesuffix("\n").split("\n")
