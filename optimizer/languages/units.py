"""The units of a file: each function, each class without its methods, and the rest; every line is in exactly one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from optimizer.retrieval import Symbol

FUNCTIONS = frozenset({"function", "method", "macro"})
HOLDERS = frozenset({"class", "interface", "struct", "enum", "trait", "module", "type"})
UNITS = FUNCTIONS | HOLDERS
Share = tuple[int, "list[tuple[int, int]]"]


class Extent(NamedTuple):
    """One unit within its file: its own lines as spans (from 1, both ends included); `symbol` is '' for the rest."""

    symbol: str
    kind: str
    spans: tuple[tuple[int, int], ...]


def extents(symbols: Sequence[Symbol], lines: int) -> list[Extent]:
    """Share the lines of a file among its definitions; the rest of the file always comes first, perhaps empty."""
    shared = share(((symbol.kind, symbol.start, symbol.end) for symbol in symbols), lines)
    return [
        Extent("", "", tuple(spans))
        if number < 0
        else Extent(symbols[number].qualified, symbols[number].kind, tuple(spans))
        for number, spans in shared
    ]


def share(definitions: Iterable[tuple[str, int, int]], lines: int) -> list[Share]:
    """Kinds, first and last lines of definitions → for each unit the number of its definition (-1: the rest), spans."""
    units: list[Share] = [(-1, [])]
    spans, limit, is_code = units[0][1], lines, False
    outer: list[tuple[list[tuple[int, int]], int, bool]] = []
    at = 1
    for number, (kind, start, end) in enumerate(definitions):
        if kind not in UNITS:
            continue
        while outer and limit < start:
            if at <= limit:
                spans.append((at, limit))
                at = limit + 1
            spans, limit, is_code = outer.pop()
        if end > limit:
            end = limit
        if start < at:
            start = at
        if start > end or is_code:
            continue
        if at < start:
            spans.append((at, start - 1))
            at = start
        outer.append((spans, limit, is_code))
        spans, limit, is_code = [], end, kind in FUNCTIONS
        units.append((number, spans))
    while True:
        if at <= limit:
            spans.append((at, limit))
            at = limit + 1
        if not outer:
            return units
        spans, limit, is_code = outer.pop()
