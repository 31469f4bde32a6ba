"""How the indentation of quoted lines becomes that of the file: more or less of it, or tabs in place of spaces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import gcd

from optimizer.errors import EditRefused

WIDTHS = (2, 3, 4, 8)
"""Columns of a tab, as programs show it."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One indentation that is added before, or removed from, every line that is not blank."""

    added: str
    removed: str

    def lines(self, lines: list[str]) -> list[str]:
        """The lines as they are to stand in the file; raises EditRefused for one that is indented too little."""
        if self.added and set(self.added) == {"\t"}:
            depths = {len(indent) for line in lines if line.strip() and set(indent := indentation(line)) == {" "}}
            if gcd(*depths) in WIDTHS:
                return Tabs((("", self.added),), 0).lines(lines)
        return [self._line(line) for line in lines]

    def _line(self, line: str) -> str:
        if not line.strip():
            return line
        if self.removed:
            if not line.startswith(self.removed):
                raise EditRefused("the new text is indented less than the file allows", "indent it as the file is")
            return line[len(self.removed) :]
        return self.added + line


@dataclass(frozen=True, slots=True)
class Tabs:
    """Tabs in place of spaces, or spaces in place of tabs: `known` gives the file's indentation for a quoted one.

    `step` is how far blocks of the file are indented, 0 when that is not known.
    """

    known: tuple[tuple[str, str], ...]
    step: int

    def lines(self, lines: list[str]) -> list[str]:
        """The lines as they are to stand in the file; raises EditRefused where the width of a tab is not certain."""
        known = dict(self.known)
        fresh = {indentation(line) for line in lines if line.strip()} - known.keys()
        if fresh:
            width = self._width(fresh)
            by = _between(self.known[0], width)
            tabs = any("\t" in there for _, there in self.known)
            known |= {indent: _written(_columns(indent, width) + by, width if tabs else 0) for indent in fresh}
        return [known[indentation(line)] + line.lstrip(" \t") if line.strip() else line for line in lines]

    def _width(self, fresh: set[str]) -> int:
        possible = _widths(self.known)
        if len(possible) == 1 and len(self.known) > 1:
            return possible[0]
        quoted = {indent for indent, _ in self.known} | fresh
        as_is = [width for width in possible if _between(self.known[0], width) == 0]
        if not any("\t" in indent for indent in quoted):
            step = gcd(*(len(indent) - min(map(len, quoted)) for indent in quoted))
            if step in possible and (not as_is or step in as_is):
                return step
            if step == 1 and len(as_is) == 1:
                return as_is[0]
        elif all(set(indent) <= {"\t"} for indent in quoted) and self.step in possible:
            return self.step
        raise EditRefused(
            "the search text has other tabs and spaces than the file, and how wide a tab is stays unclear",
            "indent it exactly as the file is",
        )


AS_IT_IS = Shift("", "")
Carried = Shift | Tabs
Style = Callable[[list[str], list[str], int], Carried | None]


def indentation(line: str) -> str:
    """The spaces and tabs that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def same_style(wanted: list[str], lines: list[str], first: int) -> Shift | None:
    """The one indentation that takes the wanted lines to those from `first`; None when it varies."""
    found: Shift | None = None
    for number, want in enumerate(wanted, first):
        if not want.strip(" \t"):
            continue
        deep, deeper = indentation(want), indentation(lines[number])
        if deeper.endswith(deep):
            shift = Shift(deeper[: len(deeper) - len(deep)], "")
        elif deep.endswith(deeper):
            shift = Shift("", deep[: len(deep) - len(deeper)])
        else:
            return None
        if found not in (None, shift):
            return None
        found = shift
    spaced = [n for n, want in enumerate(wanted, first) if want.strip(" \t") and " " in indentation(want)]
    if found and found.added and spaced and all(set(indentation(lines[n])) == {"\t"} for n in spaced):
        return None
    return found


def tabs_for_spaces(wanted: list[str], lines: list[str], first: int) -> Tabs | None:
    """Tabs in place of spaces, or the reverse, that take the wanted lines to those from `first`; else None."""
    known: dict[str, str] = {}
    for number, want in enumerate(wanted, first):
        quoted, there = indentation(want), indentation(lines[number])
        if not want.strip(" \t") or known.get(quoted) == there:
            continue
        if known.setdefault(quoted, there) != there or not _widths(tuple(known.items())):
            return None
    if not any(("\t" in quoted) != ("\t" in there) for quoted, there in known.items()):
        return None
    return Tabs(tuple(known.items()), _step(lines))


def _widths(known: tuple[tuple[str, str], ...]) -> list[int]:
    return [width for width in WIDTHS if len({_between(pair, width) for pair in known}) == 1]


def _between(pair: tuple[str, str], width: int) -> int:
    return _columns(pair[1], width) - _columns(pair[0], width)


def _columns(indent: str, width: int) -> int:
    return len(indent.expandtabs(width))


def _written(columns: int, width: int) -> str:
    if columns < 0:
        raise EditRefused("the new text is indented less than the file allows", "indent it as the file is")
    return "\t" * (columns // width) + " " * (columns % width) if width else " " * columns


def _step(lines: list[str]) -> int:
    """By how many spaces the blocks of a file are indented most often; 0 when none are."""
    depths = [len(indentation(line)) for line in lines if line.strip() and "\t" not in indentation(line)]
    steps = Counter(after - before for before, after in pairwise(depths) if after > before)
    return steps.most_common(1)[0][0] if steps else 0
