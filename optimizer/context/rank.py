"""How much each file of the repository has to do with a request.

A weighted sum of the signals, times a factor for what kind of file it is, picks the candidates; the same sum with
learned weights, and what its name and length tell, puts them in order. What was learned is in `learned.json`, written
by `benchmarks/learn.py`. The units of the best files are scored in `rank_units.py`.
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
from optimizer.context.learned import Line
from optimizer.context.mentions import Mentions, find_mentions
from optimizer.context.places import PACKAGE_STEMS, files_named
from optimizer.context.rank_units import RankedUnit, rank_units
from optimizer.context.signals import Sheet, leading_signals, signals
from optimizer.context.terms import said_of
from optimizer.context.weights import (
    EVERYWHERE,
    FACTOR,
    FILE_COLUMNS,
    FILE_WEIGHTS,
    KIND_FACTORS,
    REASONS,
    SHAPE_COLUMNS,
)
from optimizer.retrieval import RankedFile

if TYPE_CHECKING:
    from optimizer.index.store import Index

MOST_LEADING = 500
MOST_RANKED = 120
REASONS_SHOWN, TELLING_SHARE, NAMING = 3, 0.06, 2.0


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
    return Ranking(files, rank_units(scored, mentions, index, source))


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
    """The best candidates by the weighted sum, in the order of the learned weights."""
    sheet = signals(mentions, index)
    tests = 1.0 if asks_for_tests(mentions.title_words) else KIND_FACTORS["test"]
    asked = _asked_for(mentions, sheet)
    plain = _plain_sums(sheet)
    of_tests = {number: total for number, total in plain.items() if _kind(sheet, number) == "test"}
    leading_signals(mentions, index, sheet, _by_kind(sheet, plain, tests, asked), of_tests, source)
    sums = _by_kind(sheet, _plain_sums(sheet), tests, asked)
    candidates = nlargest(MOST_RANKED, sums, key=sums.__getitem__)
    factors = {number: 1.0 if number in asked else _factor(sheet, number, tests) for number in candidates}
    rows = dict(zip(candidates, _file_rows(sheet, sums, candidates, factors), strict=True))
    evidence, shape = learned.line("signals", tuple(FILE_WEIGHTS)), learned.line("files", SHAPE_COLUMNS)
    totals = {number: file_total(evidence, shape, row) for number, row in rows.items()}
    largest = max(totals.values(), default=0.0)
    scores = {number: math.exp(total - largest) for number, total in totals.items()}
    return Scored(sheet, sorted(candidates, key=lambda number: -totals[number]), scores, sums, rows)


def file_total(evidence: Line, shape: Line, row: Sequence[float]) -> float:
    """What the learned weights make of a row of `FILE_COLUMNS`: the higher, the likelier among those of a request."""
    said = math.log(evidence.total(row[: len(FILE_WEIGHTS)]))
    return shape.total((said, math.log(row[FACTOR]), *row[len(FILE_WEIGHTS) :]))


def _asked_for(mentions: Mentions, sheet: Sheet) -> frozenset[int]:
    """The files that the first line of the request names: no matter of what kind they are, they are wanted."""
    named = [mention.path for mention in mentions.paths if mention.path in mentions.title]
    return frozenset(sheet.numbers[path] for name in named for path in files_named(name, sheet.numbers))


def _plain_sums(sheet: Sheet) -> Column:
    """Weighted sums of the files that lead."""
    sums: Column = {}
    for signal, column in sheet.files.items():
        if signal not in EVERYWHERE:
            weight = FILE_WEIGHTS[signal]
            for number, value in column.items():
                sums[number] = sums.get(number, 0.0) + weight * value
    leading = {number: sums[number] for number in nlargest(MOST_LEADING, sums, key=sums.__getitem__)}
    for signal in EVERYWHERE:
        column, weight = sheet.files.get(signal, {}), FILE_WEIGHTS[signal]
        for number in leading:
            leading[number] += weight * column.get(number, 0.0)
    return leading


def _by_kind(sheet: Sheet, sums: Column, tests: float, asked: Collection[int]) -> Column:
    """The sums, each times the factor of its kind; `tests` is that of tests."""
    return {
        number: total * (1.0 if number in asked else _factor(sheet, number, tests)) for number, total in sums.items()
    }


def _factor(sheet: Sheet, number: int, tests: float) -> float:
    kind = _kind(sheet, number)
    return tests if kind == "test" else KIND_FACTORS[kind]


def _kind(sheet: Sheet, number: int) -> FileKind:
    return kind_of(sheet.words.paths[number], sheet.words.origins.get(number, ""))


def _file_rows(
    sheet: Sheet, sums: Column, candidates: Sequence[int], factors: Mapping[int, float]
) -> Iterator[tuple[float, ...]]:
    """What the learned weights are for, in the order of `FILE_COLUMNS`."""
    columns = [sheet.files.get(signal, {}) for signal in FILE_WEIGHTS]
    for number in candidates:
        path = sheet.words.paths[number]
        said, said_title = said_of(_stem(path), sheet.terms)
        kind = _kind(sheet, number)
        yield (
            *[column.get(number, 0.0) for column in columns],
            sums[number] / sums[candidates[0]],
            said,
            said_title,
            math.log(1.0 + sheet.lengths[number]),
            float(path.count("/")),
            factors[number],
            float(kind == "init"),
            float(kind == "declarations"),
        )


def _stem(path: str) -> str:
    """What a file is called; for the one that stands for its folder, the folder's name."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    return folder.rpartition("/")[2] if stem in PACKAGE_STEMS else stem


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
