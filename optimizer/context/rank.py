"""Score how likely a request wants each file, and each unit of the best files (a function, a class head, the rest).

Files: a weighted sum of the signals, times a factor for the kind of file, picks the candidates; the same sum with
learned weights, together with name and length, puts them in order. Units: a weighted sum picks the candidates, a
learned line over their signals scores each by itself, and small learned trees then look at that score together with
the units around it: its neighbours, its class and those with similar names. `benchmarks/learn.py` writes what is
learned to `learned.json`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from heapq import nlargest
from typing import TYPE_CHECKING, NamedTuple

from optimizer.context import weights
from optimizer.context.bm25 import Column
from optimizer.context.files import FileLines
from optimizer.context.kinds import Kinds
from optimizer.context.leading import leading_signals
from optimizer.context.mentions import Mentions, find_mentions
from optimizer.context.paths import asks_for_tests, files_named, name_of
from optimizer.context.signals import NONE, WITH_PARENT, Shares, Sheet, parents_of, signals, within
from optimizer.context.terms import mentioned_share
from optimizer.context.weights import (
    FILE_COLUMNS,
    FILE_WEIGHTS,
    KIND_FACTORS,
    UNIT_COLUMNS,
    UNIT_WEIGHTS,
    Line,
)
from optimizer.languages.units import FUNCTIONS, Extent, extents
from optimizer.languages.words import split
from optimizer.retrieval import RankedFile, Signal

if TYPE_CHECKING:
    from optimizer.index.reader import Index

TOP_FILES, MOST_UNITS = 12, 240
ANY_UNIT, REST_OF_FILE = 0.2, 0.05
TOKENS_PER_CHARACTER, TOKENS_PER_LINE = 0.25, 1.5
CHARACTERS_PER_LINE = 4
LEAST_SUM, LEAST_SIGNAL = 0.003, 0.02
ALIKE, TELLING_IN_FILE = 0.3, 5
NEAR_UNITS, FALLOFF = 3, 0.5
SHARED = ("body", "title", "uses")
MOST_LEADING, MOST_RANKED = 500, 120
REASONS_SHOWN, TELLING_SHARE, NAMING = 3, 0.06, 2.0


class ExplainedFile(NamedTuple):
    """A ranked file with every signal it was ranked by, in 0…1 but for a few that count."""

    path: str
    score: float
    columns: Mapping[str, float]


class RankedUnit(NamedTuple):
    """A unit of a file, how likely it is wanted (0…1) and about how many tokens it costs.

    `spans` are its own lines, from 1, both ends included.
    """

    path: str
    symbol: str
    kind: str
    spans: tuple[tuple[int, int], ...]
    score: float
    why: tuple[Signal, ...]
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


class Ranking(NamedTuple):
    """The best files and units, best first; only those with a score above 0."""

    files: tuple[RankedFile, ...]
    units: tuple[RankedUnit, ...]


class ScoredFiles(NamedTuple):
    """The candidates among the files, best first, with their scores in 0…1, sums before learning, and rows."""

    sheet: Sheet
    best: list[int]
    scores: Mapping[int, float]
    sums: Column
    rows: Mapping[int, tuple[float, ...]]


def rank(mentions: Mentions, index: Index, source: FileLines) -> Ranking:
    """Rank the files and units of the index for a request; `source` reads the files."""
    scored = score_files(mentions, index, source)
    if not scored.best:
        return Ranking((), ())
    paths = scored.sheet.words.paths
    files = tuple(
        RankedFile(paths[number], round(scored.scores[number], 4), why)
        for number, why in zip(scored.best, _why_files(scored), strict=True)
    )
    return Ranking(files, rank_units(scored, mentions, index, source))


def explain(text: str, index: Index) -> tuple[ExplainedFile, ...]:
    """The ranked files of a request with all their signals, best first."""
    scored = score_files(find_mentions(text), index, FileLines(index))
    return tuple(
        ExplainedFile(
            scored.sheet.words.paths[number],
            round(scored.scores[number], 4),
            dict(zip(FILE_COLUMNS, scored.rows[number], strict=True)),
        )
        for number in scored.best
    )


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def score_files(mentions: Mentions, index: Index, source: FileLines) -> ScoredFiles:
    """The best candidates by the weighted sum, in the order of the learned weights."""
    sheet = signals(mentions, index)
    tests = 1.0 if asks_for_tests(mentions.title_words) else KIND_FACTORS["test"]
    kinds = Kinds(sheet, _asked_for(mentions, sheet), tests)
    all_sums: Column = {}
    first = dict(sheet.files)
    _add_weighted(all_sums, first)
    plain = _leading(all_sums, sheet)
    of_tests = {number: total for number, total in plain.items() if kinds.of(number) == "test"}
    leading_signals(mentions, index, sheet, kinds.weighted(plain), of_tests, source)
    _add_weighted(all_sums, {signal: shares for signal, shares in sheet.files.items() if signal not in first})
    sums = kinds.weighted(_leading(all_sums, sheet))
    candidates = nlargest(MOST_RANKED, sums, key=sums.__getitem__)
    rows = dict(zip(candidates, _file_rows(sheet, sums, candidates, kinds), strict=True))
    has_history = "churn" in sheet.files and bool(sheet.files["churn"].column)
    evidence, shape = weights.file_lines(is_question=mentions.is_question, has_history=has_history)
    totals = {number: file_total(evidence, shape, row) for number, row in rows.items()}
    largest = max(totals.values(), default=0.0)
    scores = {number: math.exp(total - largest) for number, total in totals.items()}
    return ScoredFiles(sheet, sorted(candidates, key=lambda number: -totals[number]), scores, sums, rows)


def file_total(evidence: Line, shape: Line, row: Sequence[float]) -> float:
    """The learned score of a row of `FILE_COLUMNS`; comparable between the files of one request."""
    total = math.log(evidence.total(row[: len(FILE_WEIGHTS)]))
    return shape.total((total, math.log(row[weights.FACTOR]), *row[len(FILE_WEIGHTS) :]))


def _asked_for(mentions: Mentions, sheet: Sheet) -> frozenset[int]:
    """The files named in the first line of the request; they are wanted whatever their kind."""
    named = [mention.path for mention in mentions.paths if mention.path in mentions.title]
    return frozenset(sheet.numbers[path] for name in named for path in files_named(name, sheet.numbers))


def _add_weighted(sums: Column, columns: Mapping[str, Shares]) -> None:
    """Add the weighted shares of the signals that not nearly every file has."""
    weighted: dict[int, tuple[Mapping[int, float], float]] = {}
    for signal, (column, largest) in columns.items():
        if signal not in weights.EVERYWHERE:
            before = weighted[id(column)][1] if id(column) in weighted else 0.0
            weighted[id(column)] = column, before + FILE_WEIGHTS[signal] / largest
    for column, weight in weighted.values():
        for number, value in column.items():
            sums[number] = sums.get(number, 0.0) + weight * value


def _leading(sums: Column, sheet: Sheet) -> Column:
    """The highest sums, with the signals that nearly every file has."""
    leading = {number: sums[number] for number in nlargest(MOST_LEADING, sums, key=sums.__getitem__)}
    for signal in weights.EVERYWHERE:
        if signal in sheet.files:
            (column, largest), weight = sheet.files[signal], FILE_WEIGHTS[signal]
            for number in leading:
                leading[number] += weight * column.get(number, 0.0) / largest
    return leading


def _file_rows(sheet: Sheet, sums: Column, candidates: Sequence[int], kinds: Kinds) -> Iterator[tuple[float, ...]]:
    """The row of each candidate, in the order of `FILE_COLUMNS`."""
    columns = (_shares_of(sheet, signal, candidates) for signal in FILE_WEIGHTS)
    for number, *signals_of_file in zip(candidates, *columns, strict=True):
        path = sheet.words.paths[number]
        mentioned, in_title = mentioned_share(name_of(path), sheet.terms)
        kind = kinds.of(number)
        yield (
            *signals_of_file,
            sums[number] / sums[candidates[0]],
            mentioned,
            in_title,
            math.log(1.0 + sheet.lengths[number]),
            float(path.count("/")),
            kinds.factor(number),
            float(kind == "init"),
            float(kind == "declarations"),
        )


def _shares_of(sheet: Sheet, signal: str, numbers: Sequence[int]) -> list[float]:
    column, largest = sheet.files.get(signal, NONE)
    return [column.get(number, 0.0) / largest for number in numbers]


def _why_files(scored: ScoredFiles) -> Iterator[tuple[Signal, ...]]:
    """The most telling signals of each file."""
    notes = scored.sheet.notes
    order = [(signal, FILE_WEIGHTS[signal], FILE_COLUMNS.index(signal)) for signal in scored.sheet.files]
    for number in scored.best:
        row = scored.rows[number]
        shares = {signal: weight * row[place] for signal, weight, place in order if row[place]}
        least = TELLING_SHARE * sum(shares.values())
        telling = {signal: share * (NAMING if (signal, number) in notes else 1.0) for signal, share in shares.items()}
        best = nlargest(REASONS_SHOWN, telling, key=telling.__getitem__)
        yield tuple(
            notes.get((signal, number)) or Signal(signal)
            for place, signal in enumerate(best)
            if not place or shares[signal] >= least
        )


# ── units ────────────────────────────────────────────────────────────────────────────────────────


def rank_units(scored: ScoredFiles, mentions: Mentions, index: Index, source: FileLines) -> tuple[RankedUnit, ...]:
    """The units of the best files, most likely first."""
    candidates = unit_candidates(scored, mentions, index, source)
    rows = list(unit_rows(scored, mentions, candidates))
    line = weights.line("units", UNIT_COLUMNS)
    alone = [line.total(row) for row in rows]
    trees = weights.trees("around", weights.AROUND_COLUMNS)
    paths = scored.sheet.words.paths
    units = []
    around = around_rows(candidates, rows, [weights.chance(total) for total in alone])
    for candidate, row, total, near in zip(candidates, rows, alone, around, strict=True):
        unit = candidate.unit
        sure = weights.chance(trees.total((total, *near)) if unit.symbol else total)
        sure *= 1.0 if unit.symbol else REST_OF_FILE
        score = round(sure + candidate.sum / 1e6, 6)
        units.append(
            RankedUnit(
                paths[candidate.file], unit.symbol, unit.kind, unit.spans, score, _why(candidate), row, _cost(candidate)
            )
        )
    units.sort(key=lambda unit: -unit.score)
    return tuple(units)


def unit_candidates(scored: ScoredFiles, mentions: Mentions, index: Index, source: FileLines) -> list[UnitCandidate]:
    """The units of the best files with the highest weighted sums, and the rest of each of these files."""
    sheet = scored.sheet
    parents, strongest = parents_of(mentions), max(sheet.names.values(), default=1.0)
    largest = max(scored.sums.values())
    found: list[UnitCandidate] = []
    for file in scored.best[:TOP_FILES]:
        lines = source.lines(sheet.words.paths[file])
        units = extents(index.symbols_in(sheet.words.paths[file]), len(lines))
        own = zip(sheet.words.units_of.get(file, ()), units, strict=False)
        shares = [_shares(sheet, file, number, unit, parents) for number, unit in own]
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
    shares = {signal: values.of(number) for signal, values in sheet.units.items() if number in values.column}
    name = unit.symbol.rpartition(".")[2]
    if name in sheet.names:
        shares["defines"] = sheet.names[name] * (WITH_PARENT if within(unit.symbol, parents) else 1.0)
    for line, weight in sheet.lines.get(file, ()):
        if any(start <= line <= end for start, end in unit.spans):
            shares["line"] = max(shares.get("line", 0.0), weight)
    if any(start <= line <= end for line in sheet.quoted_lines.get(file, ()) for start, end in unit.spans):
        shares["quoted"] = 1.0
    return shares


def unit_rows(
    scored: ScoredFiles, mentions: Mentions, candidates: Sequence[UnitCandidate]
) -> Iterator[tuple[float, ...]]:
    """The features for the learned line, in the order of `UNIT_COLUMNS`."""
    sheet = scored.sheet
    place = {number: at for at, number in enumerate(scored.best)}
    titles, named = frozenset(mentions.title_words), frozenset(name.lower() for name in mentions.identifiers)
    for candidate in candidates:
        file, unit, shares, best = candidate.file, candidate.unit, candidate.shares, candidate.best_in_file
        parent, _, name = unit.symbol.rpartition(".")
        parent = parent.rpartition(".")[2]
        yield (
            *[shares.get(signal, 0.0) for signal in UNIT_WEIGHTS],
            *mentioned_share(name, sheet.terms),
            float(name.lower() in titles),
            float(parent.lower() in named),
            *mentioned_share(parent, sheet.terms),
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
    """The features of a unit's file: its score, its rank (from 0), and whether it is the first."""
    return math.log(max(score, 1e-9)), math.log(1.0 + place), float(not place)


def around_rows(
    candidates: Sequence[UnitCandidate], rows: Sequence[Sequence[float]], alone: Sequence[float]
) -> list[tuple[float, ...]]:
    """The features for the learned trees, in the order of `AROUND_COLUMNS` without the first; `alone` are chances."""
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
        for number, features in zip(numbers, _around(units, chances), strict=True):
            found[number] = (*own[number], *features)
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
        for other in range(max(0, at - NEAR_UNITS), min(len(units), at + NEAR_UNITS + 1)):
            if other != at:
                near = max(near, chances[other] * FALLOFF ** (abs(other - at) - 1))
        yield alike, near, in_class[_class(unit)] - own, in_file - own


def _lines(unit: Extent) -> int:
    return sum(end - start + 1 for start, end in unit.spans)


def _cost(candidate: UnitCandidate) -> int:
    return 1 + round(TOKENS_PER_CHARACTER * candidate.characters + TOKENS_PER_LINE * _lines(candidate.unit))


def _why(candidate: UnitCandidate) -> tuple[Signal, ...]:
    weighted = {signal: UNIT_WEIGHTS[signal] * share for signal, share in candidate.shares.items()}
    best = sorted(weighted, key=lambda signal: -weighted[signal])[:2]
    return tuple(Signal(signal, candidate.unit.symbol if signal == "defines" else "") for signal in best or ["file"])
