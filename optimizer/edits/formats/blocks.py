"""Search/replace blocks: `<<<<<<< SEARCH`, `=======`, `>>>>>>> REPLACE`."""

from __future__ import annotations

import re

from optimizer.edits.edit import Edit, Replace
from optimizer.edits.formats import naming
from optimizer.edits.formats.found import Excerpt, Found

_SEARCH = re.compile(r"(?:<{5,9} ?(?:SEARCH|ORIGINAL)>?|-{5,9} ?SEARCH>?)(?:[ \t]+(\S.*?))?[ \t]*")
_REPLACE = re.compile(r"(?:>{5,9} ?(?:REPLACE|UPDATED)|\+{5,9} ?REPLACE>?)[ \t]*")
_AT_LINE = re.compile(r":start_line:[ \t]*(\d{1,7})[ \t]*")
_END_LINE = re.compile(r":end_line:[ \t]*\d{1,7}[ \t]*")
_DIVIDER = re.compile(r"={5,9}[ \t]*")
_CONFLICT_BEGINS = re.compile(r"<{7}(?: .*)?")
_CONFLICT_ENDS = re.compile(r">{7}(?: .*)?")


def starts_block(line: str) -> bool:
    """Whether a line opens a search/replace block (markers count at the start of a line only)."""
    found = _SEARCH.fullmatch(line) if line[:5] in ("<<<<<", "-----") else None
    return found is not None and (found[1] is None or bool(naming.file_named_by(found[1])))


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
    marker = _SEARCH.fullmatch(excerpt.lines[at])
    path = (naming.file_named_by(marker[1]) if marker and marker[1] else "") or path
    line, begin = _numbered(excerpt.lines, at + 1)
    search = _joined(excerpt.lines[begin : same[0]])
    if not search and (not path or naming.is_sentence(path)):
        return Found(end + 1, problems=(f"the edit block on line {at + 1} of the reply names no file",))
    return Found(end + 1, (Replace(path, search, _joined(excerpt.lines[same[0] + 1 : end]), line),))


def _numbered(lines: tuple[str, ...], at: int) -> tuple[int | None, int]:
    """The line number that a block may give before its text, and the line where that text begins."""
    number = _AT_LINE.fullmatch(lines[at])
    if number is None:
        return None, at
    at += 2 if _END_LINE.fullmatch(lines[at + 1]) else 1
    return int(number[1]), at + (lines[at].rstrip() == "-------")


def read_blocks(excerpt: Excerpt, here: int, path: str) -> Found:
    """Read one block after the other, of the file `path`; anything else between them is a problem."""
    edits: list[Edit] = []
    while here < excerpt.stop:
        if starts_block(excerpt.lines[here]):
            found = read_block(excerpt, here, path)
            if found.problems:
                return found
            edits.extend(found.edits)
            here = found.end
        elif excerpt.lines[here].strip() and not excerpt.lines[here].startswith("```"):
            return Found(here, problems=("the text between the edit blocks of a call is no edit",))
        else:
            here += 1
    return Found(here, tuple(edits))


def _joined(lines: tuple[str, ...]) -> str:
    return "".join(line + "\n" for line in lines)
