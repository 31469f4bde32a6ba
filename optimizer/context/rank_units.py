"""How likely each unit (a function, a class head, the rest of a file) of the best files is wanted by a request.

A weighted sum picks the candidates. A learned line over their signals tells how likely each is by itself; small learned
trees then look at that together with the units around it: those beside it, of its class and with names like its own.
Both are in `learned.json`, written by `benchmarks/learn.py`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from heapq import nlargest
from typing import TYPE_CHECKING, NamedTuple

from optimizer.context import learned
from optimizer.context.signals import WITH_PARENT, parents_of, within
from optimizer.context.terms import said_of
from optimizer.context.weights import AROUND_COLUMNS, REASONS, UNIT_COLUMNS, UNIT_WEIGHTS
from optimizer.languages.units import FUNCTIONS, Extent, extents
from optimizer.languages.words import split

if TYPE_CHECKING:
    from optimizer.context.files import Files
    from optimizer.context.mentions import Mentions
    from optimizer.context.rank import Scored
    from optimizer.context.signals import Sheet
    from optimizer.index.store import Index

ANY_UNIT = 0.2
TOP_FILES = 12
MOST_UNITS = 240
REST_OF_FILE = 0.05
TOKENS_PER_CHARACTER, TOKENS_PER_LINE = 0.25, 1.5
CHARACTERS_PER_LINE = 4
LEAST_SUM, LEAST_SIGNAL = 0.003, 0.02
ALIKE, TELLING_IN_FILE = 0.3, 5
BESIDE, FALLOFF = 3, 0.5
SHARED = ("body", "title", "uses")


class RankedUnit(NamedTuple):
    """A unit of a file, how likely it is wanted (0…1) and about how many tokens it costs.

    `spans` are its own lines, from 1, both ends included.
    """

    path: str
    symbol: str
    kind: str
    spans: tuple[tuple[int, int], ...]
    score: float
    why: str
    row: tuple[float, ...]
    cost: int


class UnitCandidate(NamedTuple):
    """A unit of a leading file: its signals, their weighted sum, its size, and what is largest in its file or class."""

    file: int
    unit: Extent
    shares: Mapping[str, float]
    sum: float
    characters: int
    best_in_file: Mapping[str, float]
    best_in_class: float
    units_in_file: int


def rank_units(scored: Scored, mentions: Mentions, index: Index, source: Files) -> tuple[RankedUnit, ...]:
    """The units of the best files, most likely first."""
    candidates = unit_candidates(scored, mentions, index, source)
    rows = list(unit_rows(scored, mentions, candidates))
    line = learned.line("units", UNIT_COLUMNS)
    alone = [line.total(row) for row in rows]
    trees = learned.trees("around", AROUND_COLUMNS)
    paths = scored.sheet.words.paths
    units = []
    around = around_rows(candidates, rows, [chance(total) for total in alone])
    for candidate, row, total, near in zip(candidates, rows, alone, around, strict=True):
        unit = candidate.unit
        sure = chance(learned.total(trees, (total, *near))) if unit.symbol else REST_OF_FILE * chance(total)
        score = round(sure + candidate.sum / 1e6, 6)
        units.append(
            RankedUnit(
                paths[candidate.file], unit.symbol, unit.kind, unit.spans, score, _why(candidate), row, _cost(candidate)
            )
        )
    units.sort(key=lambda unit: -unit.score)
    return tuple(units)


def chance(total: float) -> float:
    """A sum of weights as a probability."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def unit_candidates(scored: Scored, mentions: Mentions, index: Index, source: Files) -> list[UnitCandidate]:
    """The units of the best files that a weighted sum puts first, and the rest of each of these files."""
    sheet = scored.sheet
    numbers: dict[int, list[int]] = {file: [] for file in scored.best[:TOP_FILES]}
    for number, file in enumerate(sheet.words.file_of):
        if file in numbers:
            numbers[file].append(number)
    parents, strongest = parents_of(mentions), max(sheet.names.values(), default=1.0)
    largest = max(scored.sums.values())
    found: list[UnitCandidate] = []
    for file, own in numbers.items():
        lines = source.lines(sheet.words.paths[file])
        units = extents(index.symbols_in(sheet.words.paths[file]), len(lines))
        shares = [_shares(sheet, file, number, unit, parents) for number, unit in zip(own, units, strict=False)]
        for share in shares:
            if "defines" in share:
                share["defines"] /= strongest
        best = {signal: max((share.get(signal, 0.0) for share in shares), default=0.0) for signal in SHARED}
        in_class: dict[str, float] = defaultdict(float)
        for unit, share in zip(units, shares, strict=False):
            in_class[_class(unit)] = max(in_class[_class(unit)], share.get("title", 0.0))
        for unit, share in zip(units, shares, strict=False):
            if characters := sum(sum(map(len, lines[start - 1 : end])) for start, end in unit.spans):
                total = ANY_UNIT + sum(UNIT_WEIGHTS[signal] * value for signal, value in share.items())
                total *= scored.sums[file] / largest
                title = in_class[_class(unit)]
                found.append(UnitCandidate(file, unit, share, total, characters, best, title, len(units)))
    named = nlargest(MOST_UNITS, (each for each in found if each.unit.symbol), key=lambda each: each.sum)
    return [*named, *(each for each in found if not each.unit.symbol)]


def _class(unit: Extent) -> str:
    return unit.symbol.rpartition(".")[0] if unit.kind in FUNCTIONS else unit.symbol


def _shares(sheet: Sheet, file: int, number: int, unit: Extent, parents: frozenset[str]) -> dict[str, float]:
    shares = {signal: column[number] for signal, column in sheet.units.items() if number in column}
    name = unit.symbol.rpartition(".")[2]
    if name in sheet.names:
        shares["defines"] = sheet.names[name] * (WITH_PARENT if within(unit.symbol, parents) else 1.0)
    for line, weight in sheet.lines.get(file, ()):
        if any(start <= line <= end for start, end in unit.spans):
            shares["line"] = max(shares.get("line", 0.0), weight)
    if any(start <= line <= end for line in sheet.said.get(file, ()) for start, end in unit.spans):
        shares["quoted"] = 1.0
    return shares


def unit_rows(scored: Scored, mentions: Mentions, candidates: Sequence[UnitCandidate]) -> Iterator[tuple[float, ...]]:
    """What the learned line looks at, in the order of `UNIT_COLUMNS`."""
    sheet = scored.sheet
    place = {number: at for at, number in enumerate(scored.best)}
    titles, named = frozenset(mentions.title_words), frozenset(name.lower() for name in mentions.identifiers)
    for candidate in candidates:
        file, unit, shares, best = candidate.file, candidate.unit, candidate.shares, candidate.best_in_file
        parent, _, name = unit.symbol.rpartition(".")
        parent = parent.rpartition(".")[2]
        yield (
            *[shares.get(signal, 0.0) for signal in UNIT_WEIGHTS],
            *said_of(name, sheet.terms),
            float(name.lower() in titles),
            float(parent.lower() in named),
            *said_of(parent, sheet.terms),
            float(unit.kind in FUNCTIONS),
            float(name.startswith("_") and not name.startswith("__")),
            float(name.startswith("__")),
            math.log(1.0 + candidate.characters + CHARACTERS_PER_LINE * _lines(unit)),
            math.log(1.0 + candidate.units_in_file),
            *of_file(scored.scores[file], place[file]),
            math.log(LEAST_SUM + candidate.sum),
            math.log(LEAST_SIGNAL + shares.get("body", 0.0)),
            math.log(LEAST_SIGNAL + shares.get("title", 0.0)),
            *[shares.get(signal, 0.0) / (best[signal] or 1.0) for signal in SHARED],
            candidate.best_in_class,
        )


def of_file(score: float, place: int) -> tuple[float, float, float]:
    """What tells of a unit's file: how it scored, its place among the files (from 0), and whether it is the first."""
    return math.log(max(score, 1e-9)), math.log(1.0 + place), float(not place)


def around_rows(
    candidates: Sequence[UnitCandidate], rows: Sequence[Sequence[float]], alone: Sequence[float]
) -> list[tuple[float, ...]]:
    """What the learned trees look at, in the order of `AROUND_COLUMNS` but for the first; `alone` are chances."""
    own = [[row[UNIT_COLUMNS.index(column)] for column in ("size", "file", "behind")] for row in rows]
    found = [(*some, 0.0, 0.0, 0.0, 0.0) for some in own]
    files: dict[int, list[int]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        if candidate.unit.symbol:
            files[candidate.file].append(number)
    for numbers in files.values():
        numbers.sort(key=lambda number: candidates[number].unit.spans[0][0])
        chances = [alone[number] for number in numbers]
        units = [candidates[number].unit for number in numbers]
        for number, tells in zip(numbers, _around(units, chances), strict=True):
            found[number] = (*own[number], *tells)
    return found


def _around(units: Sequence[Extent], chances: Sequence[float]) -> Iterator[tuple[float, float, float, float]]:
    """Of units in the order of lines: the best alike in name, the best near it, sums over its class and its file."""
    parts = [frozenset(split(unit.symbol.rpartition(".")[2])) for unit in units]
    telling = nlargest(TELLING_IN_FILE, range(len(units)), key=chances.__getitem__)
    in_class: dict[str, float] = defaultdict(float)
    for unit, own in zip(units, chances, strict=True):
        in_class[_class(unit)] += own
    in_file = sum(chances)
    for at, (unit, own) in enumerate(zip(units, chances, strict=True)):
        alike = near = 0.0
        for other in telling:
            if other != at and parts[at] and parts[other]:
                same = len(parts[at] & parts[other]) / len(parts[at] | parts[other])
                alike = max(alike, same * chances[other]) if same >= ALIKE else alike
        for other in range(max(0, at - BESIDE), min(len(units), at + BESIDE + 1)):
            if other != at:
                near = max(near, chances[other] * FALLOFF ** (abs(other - at) - 1))
        yield alike, near, in_class[_class(unit)] - own, in_file - own


def _lines(unit: Extent) -> int:
    return sum(end - start + 1 for start, end in unit.spans)


def _cost(candidate: UnitCandidate) -> int:
    return 1 + round(TOKENS_PER_CHARACTER * candidate.characters + TOKENS_PER_LINE * _lines(candidate.unit))


def _why(candidate: UnitCandidate) -> str:
    weighted = {signal: UNIT_WEIGHTS[signal] * share for signal, share in candidate.shares.items()}
    best = sorted(weighted, key=lambda signal: -weighted[signal])[:2]
    return ", ".join(
        [f"defines {candidate.unit.symbol}" if signal == "defines" else REASONS[signal] for signal in best]
        or [REASONS["file"]]
    )
