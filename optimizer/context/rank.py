"""All scoring: how much each file and each unit of the repository has to do with a request.

Every signal is a column over the files, brought to 0…1 by its own maximum; a file's score is the weighted sum, times a
factor for what kind of file it is. The units (functions, class heads, the rest of a file) of the best files are scored
alike.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from optimizer.context.kinds import asks_for_tests, kind_of
from optimizer.context.mentions import Mentions
from optimizer.context.places import files_named, modules_named, places
from optimizer.context.terms import Term, terms_of
from optimizer.index.units import Extent, extents
from optimizer.types import RankedFile

if TYPE_CHECKING:
    from optimizer.index.snapshot import Words
    from optimizer.index.store import Index

FILE_WEIGHTS: Mapping[str, float] = {
    "named": 4.0,
    "frame": 2.0,
    "module": 0.6,
    "defines": 1.5,
    "uses": 0.5,
    "body": 1.0,
    "names": 0.7,
    "doc": 0.2,
    "path": 0.9,
    "unit": 0.8,
    "title": 0.8,
    "title_path": 0.4,
    "imports": 0.35,
    "folder": 0.2,
}
UNIT_WEIGHTS: Mapping[str, float] = {
    "file": 1.5,
    "line": 3.0,
    "defines": 1.5,
    "body": 1.0,
    "names": 0.6,
    "title": 0.4,
}
KIND_FACTORS: Mapping[str, float] = {
    "source": 1.0,
    "init": 0.75,
    "data": 0.4,
    "test": 0.3,
    "docs": 0.3,
    "generated": 0.25,
    "vendored": 0.2,
    "minified": 0.05,
}
REASONS: Mapping[str, str] = {
    "named": "named in the request",
    "frame": "in the stack trace",
    "body": "its code matches the request",
    "names": "defines names like the request's",
    "doc": "its documentation matches",
    "path": "its path matches the request",
    "unit": "holds a closely matching function",
    "title": "matches the first line",
    "title_path": "its path matches the first line",
    "folder": "beside other matching files",
    "file": "in a matching file",
    "line": "on a line named in the request",
}

K1, B = 1.2, 0.75
MOST_TERMS = 60
MOST_POSTINGS = 120_000
COMMON = 0.25
FEW_UNITS = 50
TITLE_NAME = 1.5
WITH_PARENT = 2.0
REST_OF_FILE = 0.5
TOP_SOURCES = 12
TOP_FILES = 40
MOST_UNITS = 400
MOST_DEFINING = 30
REASONS_SHOWN = 3
TELLING_SHARE = 0.12

Column = dict[int, float]
Postings = Callable[[str, str, int], tuple[Sequence[int], Sequence[int]]]


@dataclass(frozen=True, slots=True)
class RankedUnit:
    """A unit of a file and how likely it is wanted; `spans` are its own lines, from 1, both ends included."""

    path: str
    symbol: str
    kind: str
    spans: tuple[tuple[int, int], ...]
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """Files and units, best first; only those with a score above 0."""

    files: tuple[RankedFile, ...]
    units: tuple[RankedUnit, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The signals of one request: columns over file numbers and over unit numbers, each with its largest at 1.

    `names` are the identifiers looked for with their strength, `notes` the reasons that name what was found, `lines`
    what lines of a file are named, with their strength.
    """

    words: Words
    postings: Postings
    numbers: Mapping[str, int]
    factors: list[float]
    files: dict[str, Column]
    units: dict[str, Column]
    names: dict[str, float]
    notes: dict[tuple[str, int], str]
    lines: dict[int, list[tuple[int, float]]]


def rank(mentions: Mentions, index: Index) -> Ranking:
    """Order the files and units of the index by what the request names and says."""
    sheet = signals(mentions, index)
    totals = _totals(sheet)
    best = sorted(totals, key=lambda number: (-totals[number], number))
    if not best:
        return Ranking((), ())
    paths = sheet.words.paths
    files = tuple(RankedFile(paths[number], round(totals[number], 4), _why_file(sheet, number)) for number in best)
    return Ranking(files, _rank_units(sheet, mentions, index, {number: totals[number] for number in best[:TOP_FILES]}))


def signals(mentions: Mentions, index: Index) -> Sheet:
    """All columns for one request, before weights."""
    words = index.words()
    numbers = {path: number for number, path in enumerate(words.paths)}
    wants_tests = asks_for_tests(mentions.title_words)
    factors = [1.0 if (kind := kind_of(path)) == "test" and wants_tests else KIND_FACTORS[kind] for path in numbers]
    sheet = Sheet(words, cache(words.postings), numbers, factors, {}, {}, {}, {}, {})
    if not numbers:
        return sheet
    _text(mentions, sheet)
    _definitions(mentions, index, sheet)
    _uses(mentions, sheet)
    _places(mentions, sheet)
    for column in (*sheet.files.values(), *sheet.units.values()):
        _normalise(column)
    _neighbours(index, sheet)
    return sheet


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def _text(mentions: Mentions, sheet: Sheet) -> None:
    words, terms = sheet.words, terms_of(mentions)
    lengths = [0] * len(words.paths)
    for file, length in zip(words.file_of, words.length, strict=False):
        if file >= 0:
            lengths[file] += length
    mean_unit, mean_file = words.mean_length or 1.0, sum(lengths) / len(lengths) or 1.0
    unit_norm = [K1 * (1 - B + B * length / mean_unit) for length in words.length]
    file_norm = [K1 * (1 - B + B * length / mean_file) for length in lengths]
    flat_units, flat_files = [K1] * len(words.file_of), [K1] * len(file_norm)
    body, title, units, units_title = _bm25(sheet, "body", terms, unit_norm, file_norm)
    names, names_title, unit_names, _ = _bm25(sheet, "name", terms, flat_units, flat_files)
    documents, _, _, _ = _bm25(sheet, "doc", terms, flat_units, flat_files)
    best: Column = {}
    for unit, score in units.items():
        if score > best.get(file := words.file_of[unit], 0.0):
            best[file] = score
    for file, score in names_title.items():
        title[file] = title.get(file, 0.0) + score
    paths, paths_title = _path_words(sheet, terms)
    sheet.files.update(
        body=body, names=names, doc=documents, path=paths, unit=best, title=title, title_path=paths_title
    )
    sheet.units.update(body=units, names=unit_names, title=units_title)


def _bm25(
    sheet: Sheet, field: str, terms: Iterable[Term], unit_norm: list[float], file_norm: list[float]
) -> tuple[Column, Column, Column, Column]:
    """BM25 over files, over files for the title alone, over units, over units for the title alone."""
    file_of = sheet.words.file_of
    by_file, by_file_title, by_unit, by_unit_title = (defaultdict[int, float](float) for _ in range(4))
    for term, rarity, numbers, counts in _best_terms(sheet, field, terms):
        frequency: dict[int, int] = {}
        weight = term.weight * rarity
        for unit, count in zip(numbers, counts, strict=True):
            if (file := file_of[unit]) >= 0:
                score = weight * count / (count + unit_norm[unit])
                by_unit[unit] += score
                if term.in_title:
                    by_unit_title[unit] += score
                frequency[file] = frequency.get(file, 0) + count
        weight = term.weight * _rarity(len(frequency), len(file_norm))
        for file, count in frequency.items():
            score = weight * count / (count + file_norm[file])
            by_file[file] += score
            if term.in_title:
                by_file_title[file] += score
    return by_file, by_file_title, by_unit, by_unit_title


def _best_terms(
    sheet: Sheet, field: str, terms: Iterable[Term]
) -> Iterator[tuple[Term, float, Sequence[int], Sequence[int]]]:
    total = sheet.words.total_units
    most = max(FEW_UNITS, round(COMMON * total))
    found = []
    for term in terms:
        numbers, counts = sheet.postings(field, term.text, most)
        if len(numbers):
            found.append((term, _rarity(len(numbers), total), numbers, counts))
    found.sort(key=lambda item: -item[0].weight * item[1])
    room = MOST_POSTINGS
    for item in found[:MOST_TERMS]:
        room -= len(item[2])
        if room < 0:
            break
        yield item


def _path_words(sheet: Sheet, terms: Iterable[Term]) -> tuple[Column, Column]:
    scores: Column = {}
    title: Column = {}
    total = len(sheet.words.paths)
    for term in terms:
        numbers, counts = sheet.postings("path", term.text, max(FEW_UNITS, round(COMMON * total)))
        weight = term.weight * _rarity(len(numbers), total)
        for file, count in zip(numbers, counts, strict=True):
            score = weight * count / (count + K1)
            scores[file] = scores.get(file, 0.0) + score
            if term.in_title:
                title[file] = title.get(file, 0.0) + score
    return scores, title


def _rarity(count: int, total: int) -> float:
    return math.log(1.0 + (max(total, count) - count + 0.5) / (count + 0.5))


def _normalise(column: Column) -> None:
    largest = max(column.values(), default=0.0)
    if largest > 0.0:
        for number in column:
            column[number] /= largest


# ── names and places ─────────────────────────────────────────────────────────────────────────────


def _definitions(mentions: Mentions, index: Index, sheet: Sheet) -> None:
    wanted = dict(mentions.identifiers)
    for frame in mentions.frames:
        if frame.function:
            wanted[frame.function] = max(wanted.get(frame.function, 0.0), frame.weight / 2)
    title = set(mentions.title_words)
    for name, strength in wanted.items():
        count = len(sheet.words.files_defining(name))
        if 0 < count <= MOST_DEFINING:
            sheet.names[name] = strength * (TITLE_NAME if name.lower() in title else 1.0) / math.sqrt(count)
    parents = _parents(mentions)
    values: dict[tuple[int, str], float] = {}
    for symbol in index.symbols_named(sheet.names):
        number = sheet.numbers[symbol.path]
        value = sheet.names[symbol.name] * (WITH_PARENT if _within(symbol.qualified, parents) else 1.0)
        if value > values.get((number, symbol.name), 0.0):
            values[number, symbol.name] = value
            if value >= max((other for (file, _), other in values.items() if file == number), default=0.0):
                sheet.notes["defines", number] = f"defines {symbol.qualified}"
    column = sheet.files.setdefault("defines", {})
    for (number, _), value in values.items():
        column[number] = column.get(number, 0.0) + value


def _parents(mentions: Mentions) -> frozenset[str]:
    return frozenset(".".join(dotted.split(".")[-2:]) for dotted in mentions.dotted)


def _within(qualified: str, parents: frozenset[str]) -> bool:
    return ".".join(qualified.split(".")[-2:]) in parents


def _uses(mentions: Mentions, sheet: Sheet) -> None:
    column: Column = {}
    strongest: Column = {}
    total = len(sheet.words.paths)
    for name, weight in mentions.identifiers.items():
        found, _ = sheet.postings("body", name.lower(), max(FEW_UNITS, round(COMMON * sheet.words.total_units)))
        files = {sheet.words.file_of[number] for number in found} - {-1}
        if not files or len(files) > max(10, 0.1 * total):
            continue
        value = weight * _rarity(len(files), total) / math.sqrt(len(files))
        for file in files:
            column[file] = column.get(file, 0.0) + value
            if value > strongest.get(file, 0.0):
                strongest[file] = value
                sheet.notes["uses", file] = f"uses {name}"
    sheet.files["uses"] = column


def _places(mentions: Mentions, sheet: Sheet) -> None:
    among = places(sheet.numbers)
    named: Column = {}
    frames: Column = {}
    module: Column = {}
    for mention in mentions.paths:
        found = files_named(mention.path, among)
        for number in map(sheet.numbers.__getitem__, found):
            named[number] = max(named.get(number, 0.0), 1.0 / len(found))
            sheet.lines.setdefault(number, []).extend([(mention.start, 1.0), (mention.end, 1.0)])
    for frame in mentions.frames:
        found = files_named(frame.path, among)
        for number in map(sheet.numbers.__getitem__, found):
            frames[number] = max(frames.get(number, 0.0), frame.weight / len(found))
            sheet.lines.setdefault(number, []).append((frame.line, frame.weight))
    for dotted in mentions.dotted:
        for number in map(sheet.numbers.__getitem__, modules_named(dotted, among)):
            module[number] = 1.0
            sheet.notes["module", number] = f"is the module of {dotted}"
    sheet.files.update(named=named, frame=frames, module=module)


def _neighbours(index: Index, sheet: Sheet) -> None:
    """What the best files import, what imports them, and what stands beside them."""
    base, paths = _totals(sheet), sheet.words.paths
    best = sorted(base, key=lambda number: (-base[number], number))[:TOP_SOURCES]
    imports: Column = {}
    folder: Column = {}
    leading: dict[str, int] = {}
    for number in best:
        path = paths[number]
        near = {edge.target: f"imported by {path}" for edge in index.imports_of(path) if edge.target in sheet.numbers}
        near |= {edge.source: f"imports {path}" for edge in index.importers_of(path)}
        for other, note in near.items():
            target = sheet.numbers[str(other)]
            if target not in imports:
                sheet.notes["imports", target] = note
            imports[target] = imports.get(target, 0.0) + base[number] / math.sqrt(len(near))
        leading.setdefault(path.rpartition("/")[0], number)
    for number in base:
        first = leading.get(paths[number].rpartition("/")[0], number)
        if first != number:
            folder[number] = base[first]
    sheet.files.update(imports=imports, folder=folder)
    _normalise(imports)
    _normalise(folder)


# ── sums ─────────────────────────────────────────────────────────────────────────────────────────


def _totals(sheet: Sheet) -> Column:
    totals: Column = {}
    for signal, column in sheet.files.items():
        weight = FILE_WEIGHTS[signal]
        for number, value in column.items():
            totals[number] = totals.get(number, 0.0) + weight * value
    named = sheet.files.get("named", {})
    return {
        number: total if number in named else total * sheet.factors[number] for number, total in totals.items() if total
    }


def _why_file(sheet: Sheet, number: int) -> tuple[str, ...]:
    shares = {
        signal: FILE_WEIGHTS[signal] * column[number] for signal, column in sheet.files.items() if number in column
    }
    least = TELLING_SHARE * sum(shares.values())
    best = sorted(shares, key=lambda signal: -shares[signal])[:REASONS_SHOWN]
    return tuple(
        sheet.notes.get((signal, number)) or REASONS[signal]
        for place, signal in enumerate(best)
        if not place or shares[signal] >= least
    )


def _rank_units(sheet: Sheet, mentions: Mentions, index: Index, files: Mapping[int, float]) -> tuple[RankedUnit, ...]:
    numbers: dict[int, list[int]] = {file: [] for file in files}
    for number, file in enumerate(sheet.words.file_of):
        if file in numbers:
            numbers[file].append(number)
    parents = _parents(mentions)
    largest, strongest = max(files.values()), max(sheet.names.values(), default=1.0)
    units: list[RankedUnit] = []
    for file, score in files.items():
        path = sheet.words.paths[file]
        data = index.read(path)
        for number, unit in zip(numbers[file], extents(index.symbols_in(path), _count(data)), strict=False):
            if not unit.spans:
                continue
            shares = {signal: column[number] for signal, column in sheet.units.items() if number in column}
            shares["file"] = score / largest
            name = unit.symbol.rpartition(".")[2]
            if name in sheet.names:
                shares["defines"] = (
                    sheet.names[name] / strongest * (WITH_PARENT if _within(unit.symbol, parents) else 1.0)
                )
            for line, weight in sheet.lines.get(file, ()):
                if any(start <= line <= end for start, end in unit.spans):
                    shares["line"] = max(shares.get("line", 0.0), weight)
            units.append(_ranked(path, unit, shares))
    units.sort(key=lambda unit: -unit.score)
    return tuple(units[:MOST_UNITS])


def _ranked(path: str, unit: Extent, shares: Mapping[str, float]) -> RankedUnit:
    weighted = {signal: UNIT_WEIGHTS[signal] * share for signal, share in shares.items()}
    score = sum(weighted.values()) * (1.0 if unit.symbol else REST_OF_FILE)
    best = sorted(weighted, key=lambda signal: -weighted[signal])[:2]
    why = [f"defines {unit.symbol}" if signal == "defines" else REASONS[signal] for signal in best]
    return RankedUnit(path, unit.symbol, unit.kind, unit.spans, round(score, 4), ", ".join(why))


def _count(data: bytes) -> int:
    return data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
