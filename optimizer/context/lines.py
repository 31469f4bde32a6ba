"""The lines of a report that say something of the code, and whether each is prose, code or output.

Left out are the parts of issue forms that ask for other things, and listings of versions, banners and empty answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

LONGEST_FORM = 70
FEWEST_LISTED = 3

LineKind = Literal["prose", "code", "output"]
"""Written by a person, quoted from a program's text, printed by a program or typed at a prompt."""

_FENCE = r"\s*(?:```|~~~)"
_CHECKBOX = r"\s*[-*]\s*\[[xX ]\]"
_HEADING = r"\s*(?:#{1,6} +(.{1,200}?)|\*\*([^*]{1,200})\*\*:?)\s*#*\s*\Z"
_FORM = (
    r"(?i)\b(?:environment|versions?|platform|operating system|system info\w*|checklist|(?:initial|first) checks?"
    r"|before asking|code of conduct|willing|who can help|contact details)\b"
)
_LOGGED = r"\s*(?:\[\w{1,20}\] |\[?\d{4}-\d\d-\d\d|\[?\d\d:\d\d:\d\d|(?:DEBUG|INFO|WARN|WARNING|ERROR)\b)"
_TYPED = r"\s{0,8}(?:[$%] \S|[\w.-]{1,40}@[\w.-]{1,60}[: ]\S{0,200}[$#%] |(?:PS )?[A-Z]:\\[^>\n]{0,200}> ?\S)"
_CODED = ("    ", "\t", ">>> ", "... ", "In [", "Out[")
_NO_ANSWER = r"(?i)\s*[_*]*(?:no response|n/?a|not applicable|none)[_*]*\.?\s*\Z"
_BANNER = (
    r"\s*(?:I?Python \d+\.\d+\.\d+\b|Type [\"'](?:help|copyright)|\[(?:GCC|Clang|MSC) |Welcome to |"
    r"For help, type |irb\(|node v\d|Copyright \(c\))"
)
_LISTED = (
    r"[\s|*+-]{0,10}[\w.@/()-]{1,60}(?: [\w.()-]{1,30}){0,3}\s{0,30}(?:[:=|@(,]|==|\s)\s{0,30}"
    r"[\"'(]?[v^~>=<]{0,3}(?:\d{1,5}(?:\.[\w+-]{1,30}){1,6}|None|nil|True|False)[\s|,;)\"']{0,10}\Z"
)


def useful(lines: Sequence[str]) -> Iterator[tuple[str, LineKind]]:
    """The lines worth reading with their kind; the first is always one of them."""
    in_code = in_comment = in_form = False
    listed = _listings(lines)
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    for number, line in enumerate(lines):
        if ("```" in line or "~~~" in line) and re.match(_FENCE, line):
            in_code = not in_code
            continue
        if not in_code:
            if in_comment or line.lstrip().startswith("<!--"):
                in_comment = "-->" not in line
                continue
            if ("#" in line or "**" in line) and (heading := re.match(_HEADING, line)):
                text = heading[1] or heading[2]
                in_form = len(text) <= LONGEST_FORM and re.search(_FORM, text) is not None
            if "[" in line and re.match(_CHECKBOX, line):
                continue
        if number == first or not (in_form or number in listed or _is_empty(line)):
            yield line, _kind(line, in_code)


def _kind(line: str, in_code: bool) -> LineKind:
    if re.match(_LOGGED, line) or re.match(_TYPED, line):
        return "output"
    return "code" if in_code or line.startswith(_CODED) else "prose"


def _is_empty(line: str) -> bool:
    return len(line) < LONGEST_FORM * 2 and (re.match(_NO_ANSWER, line) or re.match(_BANNER, line)) is not None


def _listings(lines: Sequence[str]) -> frozenset[int]:
    """The numbers of lines that belong to a listing of versions: three or more that follow each other."""
    found: set[int] = set()
    run: list[int] = []
    for number, line in enumerate((*lines, "end")):
        if len(line) < 2 * LONGEST_FORM and re.match(_LISTED, line):
            run.append(number)
        elif line.strip(" |-+=:"):
            if len(run) >= FEWEST_LISTED:
                found.update(run)
            run = []
    return frozenset(found)
