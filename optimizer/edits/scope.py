"""The block of lines that a heading, such as `class B` or `def f():`, begins."""

from __future__ import annotations

from collections.abc import Sequence

_CLOSING = (")", "]", "}", "{", "end")


def within(lines: Sequence[str], anchors: Sequence[str]) -> tuple[int, int] | None:
    """First line (from 0) and end of the block that the anchors lead to, each within the one before.

    None when an anchor is not there, or there more than once.
    """
    start, stop = 0, len(lines)
    for anchor in anchors:
        found = _headings(lines, start, stop, anchor.strip())
        if len(found) != 1:
            return None
        start = found[0]
        stop = _end(lines, start, stop)
    return start, stop


def _headings(lines: Sequence[str], start: int, stop: int, anchor: str) -> list[int]:
    if not anchor:
        return []
    same = [n for n in range(start, stop) if lines[n].strip() == anchor]
    return same or [
        n
        for n in range(start, stop)
        if (text := lines[n].strip()).startswith(anchor)
        and not (text[len(anchor)].isalnum() or text[len(anchor)] == "_")
    ]


def _end(lines: Sequence[str], start: int, stop: int) -> int:
    depth = _depth(lines[start])
    for number in range(start + 1, stop):
        line = lines[number]
        if line.strip() and _depth(line) <= depth and not line.lstrip().startswith(_CLOSING):
            return number
    return stop


def _depth(line: str) -> int:
    wide = line.expandtabs(8)
    return len(wide) - len(wide.lstrip())
