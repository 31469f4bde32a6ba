"""All scoring: how much each file and each unit of the repository has to do with a request.

A weighted sum of the signals, times a factor for what kind of file it is, picks the candidates; small learned trees
over the same signals put them in order. The units (functions, class heads, the rest of a file) of the best files are
scored alike. The trees are in `learned.json`, written by `benchmarks/learn.py`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import nlargest
from typing import TYPE_CHECKING, NamedTuple

from optimizer.context import learned
from optimizer.context.bm25 import Column
from optimizer.context.files import Files
from optimizer.context.kinds import FileKind, asks_for_tests, kind_of
from optimizer.context.mentions import Mentions, find_mentions
from optimizer.context.places import PACKAGE_STEMS, files_named
from optimizer.context.signals import WITH_PARENT, Sheet, leading_signals, parents_of, signals, within
from optimizer.context.weights import (
    EVERYWHERE,
    FILE_COLUMNS,
    FILE_WEIGHTS,
    FIRST,
    KIND_FACTORS,
    REASONS,
    UNIT_COLUMNS,
    UNIT_WEIGHTS,
)
from optimizer.index.units import FUNCTIONS, Extent, extents
from optimizer.index.words import split
from optimizer.retrieval import RankedFile

if TYPE_CHECKING:
    from optimizer.index.store import Index

REST_OF_FILE, ANY_UNIT = 0.5, 0.2
TOP_FILES = 16
MOST_LEADING = 500
MOST_RANKED = 120
MOST_UNITS = 200
REASONS_SHOWN, TELLING_SHARE, NAMING = 3, 0.06, 2.0


class RankedUnit(NamedTuple):
    """A unit of a file and how likely it is wanted; `spans` are its own lines, from 1, both ends included."""

    path: str
    symbol: str
    kind: str
    spans: tuple[tuple[int, int], ...]
    score: float
    why: str
    row: tuple[float, ...]


class ExplainedFile(NamedTuple):
    """A ranked file with every signal it was ranked by, in 0…1 but for a few that count."""

    path: str
    score: float
    columns: Mapping[str, float]


class Ranking(NamedTuple):
    """The best files and units, best first; only those with a score above 0."""

    files: tuple[RankedFile, ...]
    units: tuple[RankedUnit, ...]


class Scored(NamedTuple):
    """The candidates among the files, best first, with their scores in 0…1, sums before learning, and rows."""

    sheet: Sheet
    best: list[int]
    scores: Mapping[int, float]
    sums: Column
    rows: Mapping[int, tuple[float, ...]]


def rank(mentions: Mentions, index: Index, source: Files) -> Ranking:
    """Order the files and units of the index by what the request names and says; `source` reads the files."""
    scored = score_files(mentions, index, source)
    if not scored.best:
        return Ranking((), ())
    sheet, paths = scored.sheet, scored.sheet.words.paths
    files = tuple(
        RankedFile(paths[number], round(scored.scores[number], 4), _why_file(sheet, number)) for number in scored.best
    )
    return Ranking(files, _rank_units(scored, mentions, index, source))


def explain(text: str, index: Index) -> tuple[ExplainedFile, ...]:
    """The ranked files of a request with all their signals, best first."""
    scored = score_files(find_mentions(text), index, Files(index))
    return tuple(
        ExplainedFile(
            scored.sheet.words.paths[number],
            round(scored.scores[number], 4),
            dict(zip(FILE_COLUMNS, scored.rows[number], strict=True)),
        )
        for number in scored.best
    )


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def score_files(mentions: Mentions, index: Index, source: Files) -> Scored:
    """The best candidates by the weighted sum, in the order of the learned trees."""
    sheet = signals(mentions, index)
    tests = 1.0 if asks_for_tests(mentions.title_words) else KIND_FACTORS["test"]
    asked = _asked_for(mentions, sheet)
    leading_signals(mentions, index, sheet, _sums(sheet, tests, asked), source)
    sums = _sums(sheet, tests, asked)
    candidates = nlargest(MOST_RANKED, sums, key=sums.__getitem__)
    rows = dict(zip(candidates, _file_rows(sheet, sums, candidates, tests), strict=True))
    trees = learned.trees("files", FILE_COLUMNS)
    totals = {number: learned.total(trees, row) + row[FIRST] for number, row in rows.items()}
    largest = max(totals.values(), default=0.0)
    scores = {number: math.exp(total - largest) for number, total in totals.items()}
    return Scored(sheet, sorted(candidates, key=lambda number: -totals[number]), scores, sums, rows)


def _asked_for(mentions: Mentions, sheet: Sheet) -> frozenset[int]:
    """The files that the first line of the request names: no matter of what kind they are, they are wanted."""
    named = [mention.path for mention in mentions.paths if mention.path in mentions.title]
    return frozenset(sheet.numbers[path] for name in named for path in files_named(name, sheet.numbers))


def _sums(sheet: Sheet, tests: float, asked: Collection[int]) -> Column:
    """Weighted sums of the files that lead, each times the factor of its kind; `tests` is that of tests."""
    sums: Column = {}
    for signal, column in sheet.files.items():
        if signal not in EVERYWHERE:
            weight = FILE_WEIGHTS[signal]
            for number, value in column.items():
                sums[number] = sums.get(number, 0.0) + weight * value
    leading = nlargest(MOST_LEADING, sums, key=sums.__getitem__)
    for signal in EVERYWHERE:
        column, weight = sheet.files.get(signal, {}), FILE_WEIGHTS[signal]
        for number in leading:
            sums[number] += weight * column.get(number, 0.0)
    return {number: sums[number] * (1.0 if number in asked else _factor(sheet, number, tests)) for number in leading}


def _factor(sheet: Sheet, number: int, tests: float) -> float:
    kind = _kind(sheet, number)
    return tests if kind == "test" else KIND_FACTORS[kind]


def _kind(sheet: Sheet, number: int) -> FileKind:
    return kind_of(sheet.words.paths[number], sheet.words.origins.get(number, ""))


def _file_rows(sheet: Sheet, sums: Column, candidates: Sequence[int], tests: float) -> Iterator[tuple[float, ...]]:
    """The learned trees look at these, in the order of `FILE_COLUMNS`."""
    columns = [sheet.files.get(signal, {}) for signal in FILE_WEIGHTS]
    for place, number in enumerate(candidates):
        path = sheet.words.paths[number]
        said, said_title = _said(_stem(path), sheet)
        kind = _kind(sheet, number)
        yield (
            *[column.get(number, 0.0) for column in columns],
            sums[number] / sums[candidates[0]],
            1.0 / (1.0 + place),
            said,
            said_title,
            math.log(1.0 + sheet.lengths[number]),
            float(path.count("/")),
            _factor(sheet, number, tests),
            float(kind == "init"),
            float(kind == "declarations"),
        )


def _stem(path: str) -> str:
    """What a file is called; for the one that stands for its folder, the folder's name."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    return folder.rpartition("/")[2] if stem in PACKAGE_STEMS else stem


def _said(name: str, sheet: Sheet) -> tuple[float, float]:
    """The share of a name's parts that the request says, and that its first line says."""
    parts = split(name)
    if not parts:
        return 0.0, 0.0
    terms = [sheet.terms.get(part) for part in parts]
    return (
        sum(term is not None for term in terms) / len(parts),
        sum(term is not None and term.in_title for term in terms) / len(parts),
    )


def _why_file(sheet: Sheet, number: int) -> tuple[str, ...]:
    shares = {
        signal: FILE_WEIGHTS[signal] * column[number] for signal, column in sheet.files.items() if number in column
    }
    least = TELLING_SHARE * sum(shares.values())
    telling = {signal: share * (NAMING if (signal, number) in sheet.notes else 1.0) for signal, share in shares.items()}
    best = sorted(telling, key=lambda signal: -telling[signal])[:REASONS_SHOWN]
    return tuple(
        sheet.notes.get((signal, number)) or REASONS[signal]
        for place, signal in enumerate(best)
        if not place or shares[signal] >= least
    )


# ── units ────────────────────────────────────────────────────────────────────────────────────────


class UnitCandidate(NamedTuple):
    """A unit of a leading file with its signals, their weighted sum, and the largest of some signals in the file."""

    file: int
    unit: Extent
    shares: Mapping[str, float]
    sum: float
    best_in_file: Mapping[str, float]
    units_in_file: int


def _rank_units(scored: Scored, mentions: Mentions, index: Index, source: Files) -> tuple[RankedUnit, ...]:
    candidates = unit_candidates(scored, mentions, index, source)
    trees = learned.trees("units", UNIT_COLUMNS)
    paths = scored.sheet.words.paths
    units = []
    for candidate, row in zip(candidates, unit_rows(scored, candidates), strict=True):
        unit, total = candidate.unit, learned.total(trees, row) + candidate.sum / 1000
        score = round(1.0 / (1.0 + math.exp(-total)), 5)
        why = _why_unit(candidate)
        units.append(RankedUnit(paths[candidate.file], unit.symbol, unit.kind, unit.spans, score, why, row))
    units.sort(key=lambda unit: -unit.score)
    return tuple(units)


def unit_candidates(scored: Scored, mentions: Mentions, index: Index, source: Files) -> list[UnitCandidate]:
    """The units of the best files that a weighted sum puts first."""
    sheet = scored.sheet
    numbers: dict[int, list[int]] = {file: [] for file in scored.best[:TOP_FILES]}
    for number, file in enumerate(sheet.words.file_of):
        if file in numbers:
            numbers[file].append(number)
    parents, strongest = parents_of(mentions), max(sheet.names.values(), default=1.0)
    largest = max(scored.sums.values())
    found: list[UnitCandidate] = []
    for file, own in numbers.items():
        path = sheet.words.paths[file]
        units = extents(index.symbols_in(path), len(source.lines(path)))
        shares = [_shares(sheet, file, number, unit, parents) for number, unit in zip(own, units, strict=False)]
        for share in shares:
            if "defines" in share:
                share["defines"] /= strongest
        best = {signal: max((share.get(signal, 0.0) for share in shares), default=0.0) for signal in ("body", "title")}
        for unit, share in zip(units, shares, strict=False):
            if unit.spans:
                total = ANY_UNIT + sum(UNIT_WEIGHTS[signal] * value for signal, value in share.items())
                total *= scored.sums[file] / largest * (1.0 if unit.symbol else REST_OF_FILE)
                found.append(UnitCandidate(file, unit, share, total, best, len(units)))
    return nlargest(MOST_UNITS, found, key=lambda candidate: candidate.sum)


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


def unit_rows(scored: Scored, candidates: Sequence[UnitCandidate]) -> Iterator[tuple[float, ...]]:
    """The learned trees look at these, in the order of `UNIT_COLUMNS`."""
    sheet = scored.sheet
    place = {number: 1.0 / (1.0 + at) for at, number in enumerate(scored.best)}
    largest = candidates[0].sum if candidates else 1.0
    seen: dict[int, int] = {}
    for candidate in candidates:
        file, unit, shares = candidate.file, candidate.unit, candidate.shares
        seen[file] = seen.get(file, 0) + 1
        parent, _, name = unit.symbol.rpartition(".")
        said, said_title = _said(name, sheet)
        yield (
            *[shares.get(signal, 0.0) for signal in UNIT_WEIGHTS],
            scored.scores[file],
            place[file],
            candidate.sum / largest,
            1.0 / seen[file],
            shares.get("body", 0.0) / (candidate.best_in_file["body"] or 1.0),
            shares.get("title", 0.0) / (candidate.best_in_file["title"] or 1.0),
            said,
            said_title,
            max((sheet.names.get(part, 0.0) for part in parent.split(".")), default=0.0),
            float(unit.kind in FUNCTIONS),
            float(bool(unit.symbol) and unit.kind not in FUNCTIONS),
            float(not unit.symbol),
            math.log(1.0 + sum(end - start + 1 for start, end in unit.spans)),
            float(name.startswith("_")),
            math.log(1.0 + candidate.units_in_file),
        )


def _why_unit(candidate: UnitCandidate) -> str:
    weighted = {signal: UNIT_WEIGHTS[signal] * share for signal, share in candidate.shares.items()}
    best = sorted(weighted, key=lambda signal: -weighted[signal])[:2]
    return ", ".join(
        [f"defines {candidate.unit.symbol}" if signal == "defines" else REASONS[signal] for signal in best]
        or [REASONS["file"]]
    )
