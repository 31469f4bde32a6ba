"""Search/replace blocks: `<<<<<<< SEARCH`, `=======`, `>>>>>>> REPLACE`."""

from __future__ import annotations

import re

from optimizer.edits.formats.found import Excerpt, Found
from optimizer.types import Replace

_SEARCH = re.compile(r"(?:<{5,9} ?(?:SEARCH|ORIGINAL)>?|-{5,9} ?SEARCH)[ \t]*")
_REPLACE = re.compile(r"(?:>{5,9} ?(?:REPLACE|UPDATED)|\+{5,9} ?REPLACE)[ \t]*")
_DIVIDER = re.compile(r"={5,9}[ \t]*")
_CONFLICT_BEGINS = re.compile(r"<{7}(?: .*)?")
_CONFLICT_ENDS = re.compile(r">{7}(?: .*)?")


def starts_block(line: str) -> bool:
    """Whether a line opens a search/replace block (markers count at the start of a line only)."""
    return line[:5] in ("<<<<<", "-----") and _SEARCH.fullmatch(line) is not None


def ends_block(line: str) -> bool:
    """Whether a line closes a search/replace block."""
    return line[:5] in (">>>>>", "+++++") and _REPLACE.fullmatch(line) is not None


def read_block(excerpt: Excerpt, at: int, path: str) -> Found:
    """Read the block that opens on line `at`; one that is cut off, nested or without a path is a problem.

    Conflict markers of git inside a block are content; so is a divider of another length than the opening marker.
    """
    dividers: list[int] = []
    in_conflict = False
    here = at + 1
    while here < excerpt.stop:
        line = excerpt.lines[here]
        if starts_block(line):
            return Found(here, problems=(f"the edit block on line {at + 1} of the reply is never closed",))
        if ends_block(line):
            return _finished(excerpt, at, here, dividers, path)
        if _CONFLICT_BEGINS.fullmatch(line):
            in_conflict = True
        elif _CONFLICT_ENDS.fullmatch(line):
            in_conflict = False
        elif not in_conflict and _DIVIDER.fullmatch(line):
            dividers.append(here)
        here += 1
    return Found(excerpt.stop, problems=(f"the edit block on line {at + 1} of the reply is never closed",))


def _finished(excerpt: Excerpt, at: int, end: int, dividers: list[int], path: str) -> Found:
    size = len(excerpt.lines[at]) - len(excerpt.lines[at].lstrip("<-"))
    same = [number for number in dividers if len(excerpt.lines[number].rstrip()) == size] or dividers
    if len(same) != 1:
        many = "several dividers; use longer markers" if same else "no divider"
        return Found(end + 1, problems=(f"the edit block on line {at + 1} of the reply has {many}",))
    if not path:
        return Found(end + 1, problems=(f"the edit block on line {at + 1} of the reply names no file",))
    search = _joined(excerpt.lines[at + 1 : same[0]])
    replace = _joined(excerpt.lines[same[0] + 1 : end])
    return Found(end + 1, (Replace(path, search, replace),))


def _joined(lines: tuple[str, ...]) -> str:
    return "".join(line + "\n" for line in lines)
