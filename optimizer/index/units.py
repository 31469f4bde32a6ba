"""The units of a file: each function, each class outside its methods, and the rest; every line is in exactly one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimizer.types import Symbol

FUNCTIONS = frozenset({"function", "method", "macro"})
HOLDERS = frozenset({"class", "interface", "struct", "enum", "trait", "module", "type"})


@dataclass(frozen=True, slots=True)
class Extent:
    """One unit within its file: its own lines as spans (from 1, both ends included); `symbol` is '' for the rest."""

    symbol: str
    kind: str
    spans: tuple[tuple[int, int], ...]


def extents(symbols: Sequence[Symbol], lines: int) -> list[Extent]:
    """Share the lines of a file among its definitions; the rest of the file always comes first, perhaps empty."""
    owners: list[Symbol | None] = [None]
    spans: list[list[tuple[int, int]]] = [[]]
    open_units = [(0, lines)]
    at = 1
    for symbol in symbols:
        if symbol.kind not in FUNCTIONS and symbol.kind not in HOLDERS:
            continue
        start, end = max(symbol.start, 1), min(symbol.end, lines)
        while len(open_units) > 1 and open_units[-1][1] < start:
            at = _close(open_units, spans, at)
        unit, limit = open_units[-1]
        owner = owners[unit]
        end = min(end, limit)
        start = max(start, at)
        if start > end or (owner is not None and owner.kind in FUNCTIONS):
            continue
        if at < start:
            spans[unit].append((at, start - 1))
        at = start
        open_units.append((len(owners), end))
        owners.append(symbol)
        spans.append([])
    while open_units:
        at = _close(open_units, spans, at)
    return [
        Extent(owner.qualified if owner else "", owner.kind if owner else "", tuple(own))
        for owner, own in zip(owners, spans, strict=True)
    ]


def _close(open_units: list[tuple[int, int]], spans: list[list[tuple[int, int]]], at: int) -> int:
    unit, end = open_units.pop()
    if at <= end:
        spans[unit].append((at, end))
        at = end + 1
    return at
