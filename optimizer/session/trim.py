"""Fewer lines of a block: those that say most, as they are, and a line for each run that was dropped or shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence, Set
from difflib import SequenceMatcher
from functools import lru_cache

from optimizer.agent.excerpt import FAILURE_LINE
from optimizer.session.blocks import Block

HEAD, TAIL = 5, 5  # lines of an output that stay at its beginning and its end
FAILURES = 12  # lines of an output that report a failure, and stay
LONGEST_LINE = 300  # characters of a line that may stay
LEAST_RUN = 4  # lines that were shown before, from which they are not shown again
LONGEST_VALUE = 200  # characters of an argument of a call that stays
MOST_LINES = 4_000  # of a text that is compared with another
LEFT_OUT = "[… {count} lines left out here …]"
NAMES = "[… names in them: {names} …]"
BEFORE = "[… {count} lines as they were shown before …]"

_NAME = re.compile(r"[A-Za-z_][\w-]*(?:[./][\w-]+)*")
_TELLING = re.compile(r"\w_\w|[a-z][A-Z]|\d|[./]\w")
_NUMBER = re.compile(r"\d+\t")
_FILE = re.compile(r"## \S.*")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_CONFLICT = re.compile(r"<{5,} SEARCH|>{5,} REPLACE")
_DEFINES = re.compile(
    r"\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub(?:\(\w+\))?|unsafe|"
    r"override|inline|virtual|const|open|data|sealed)\s+)*"
    r"(?:def|class|func|fn|function|interface|struct|enum|trait|impl|type|module|namespace|object|record|protocol|"
    r"let|var|const|val|macro_rules!|#define)\s+\S"
    r"|[A-Za-z_]\w*(?::[^=]+)?\s*=[^=]"
)


@lru_cache(maxsize=8192)
def names_in(text: str) -> frozenset[str]:
    """The names in a text that mean something of their own, paths among them."""
    return frozenset(filter(_telling, set(_NAME.findall(text))))


@lru_cache(maxsize=1 << 15)
def _telling(name: str) -> bool:
    return len(name) > 3 and _TELLING.search(name) is not None


@lru_cache(maxsize=4096)
def trimmed(kind: str, text: str) -> str:
    """The lines of a text that say most; the text itself where no shorter one says as much."""
    lines = text.split("\n")
    if any(_FILE.fullmatch(line) for line in lines[:3]):
        kept = _outline(lines)
    elif kind == "assistant":
        kept = _prose(lines)
    else:
        kept = _reports(lines)
    short = "\n".join(_with_gaps(lines, kept, LEFT_OUT))
    return short if len(short) < len(text) else text


def with_names(short: str, text: str, known: Set[str]) -> str:
    """A trimmed text with a line of the names that only its dropped lines hold, and that are not known otherwise."""
    left = sorted(names_in(text) - names_in(short) - known)
    return f"{short}\n{NAMES.format(names=' '.join(left))}" if left else short


@lru_cache(maxsize=4096)
def folded(text: str, before: str) -> str:
    """A text with a line in place of each run of lines that `before` holds in the same order; '' where they are few.

    The numbers at the beginning of lines of files play no part: what moved was shown before.
    """
    lines, known = text.split("\n"), before.split("\n")
    if len(lines) > MOST_LINES or len(known) > MOST_LINES:
        return ""
    plain, earlier = ([_NUMBER.sub("", line, count=1) for line in one] for one in (lines, known))
    matcher = SequenceMatcher(None, earlier, plain, autojunk=False)
    same: set[int] = set()
    for _, start, size in matcher.get_matching_blocks():
        if size >= LEAST_RUN:
            same.update(range(start, start + size))
    same -= {number for number, line in enumerate(lines) if _FILE.fullmatch(line)}
    short = "\n".join(_with_gaps(lines, set(range(len(lines))) - same, BEFORE))
    return short if len(short) * 2 < len(text) else ""


def shortened(arguments: str) -> str:
    """The arguments of a call, with a line in place of each long text."""
    found = json.loads(arguments)
    long = {
        key: LEFT_OUT.format(count=value.count("\n") + 1)
        for key, value in found.items()
        if isinstance(value, str) and len(value) > LONGEST_VALUE
    }
    return json.dumps({**found, **long}) if long else arguments


def stub(block: Block) -> str:
    """The line that stands for a block which is not sent."""
    count = block.text.count("\n") + 1
    what = f"{block.path}, lines {block.start}-{block.end}" if block.path and block.end else block.path or block.tool
    return f"[{what}: left out here, read again if needed]" if what else f"[{count} lines left out here]"


def _with_gaps(lines: Sequence[str], kept: set[int], word: str) -> Iterator[str]:
    """The lines that are kept, and one for each run between them; a run of one line is kept."""
    dropped: list[str] = []
    for number, line in enumerate([*lines, ""]):
        last = number == len(lines)
        if not last and number not in kept:
            dropped.append(line)
            continue
        if len(dropped) == 1 and len(dropped[0]) <= LONGEST_LINE:
            yield dropped[0]
        elif dropped:
            yield word.format(count=len(dropped))
        dropped = []
        if not last:
            yield line


def _outline(lines: Sequence[str]) -> set[int]:
    """The names of files and the lines that define something."""
    return {
        number
        for number, line in enumerate(lines)
        if number == 0 or _FILE.fullmatch(line) or _DEFINES.match(_NUMBER.sub("", line, count=1))
        if len(line) <= LONGEST_LINE
    }


def _prose(lines: Sequence[str]) -> set[int]:
    """What is said, without the code that is shown: it stands in the edits and in later reads."""
    kept: set[int] = set()
    inside = False
    for number, line in enumerate(lines):
        if _FENCE.match(line) or _CONFLICT.match(line):
            inside = not inside
        elif not inside and line.strip():
            kept.add(number)
    return kept if len(kept) < len(lines) else _reports(lines)


def _reports(lines: Sequence[str]) -> set[int]:
    """The beginning and the end of an output, and lines that report a failure."""
    ends = {*range(HEAD), *range(len(lines) - TAIL, len(lines))}
    failing = [number for number, line in enumerate(lines) if FAILURE_LINE.search(line)][:FAILURES]
    return {
        number
        for number in (*ends, *failing)
        if number >= 0 and len("".join(lines[number : number + 1])) <= LONGEST_LINE
    }
