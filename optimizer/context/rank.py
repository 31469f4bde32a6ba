"""All scoring: how much each file and each unit of the repository has to do with a request.

Every signal is a column over the files, brought to 0…1 by its own maximum; a file's score is the weighted sum, times a
factor for what kind of file it is. The units (functions, class heads, the rest of a file) of the best files are scored
alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from heapq import nlargest
from typing import TYPE_CHECKING

from optimizer.context.bm25 import K1, Column, Lists, bm25, bm25_paths, norms, rarity
from optimizer.context.files import Files
from optimizer.context.kinds import asks_for_tests, kind_of
from optimizer.context.mentions import PROSE, Mentions
from optimizer.context.places import files_named, modules_named
from optimizer.context.terms import terms_of
from optimizer.index.units import Extent, extents
from optimizer.types import RankedFile

if TYPE_CHECKING:
    from optimizer.index.snapshot import Words
    from optimizer.index.store import Index

FILE_WEIGHTS: Mapping[str, float] = {
    "named": 4.0,
    "frame": 2.0,
    "module": 0.6,
    "defines": 0.7,
    "defines_code": 0.25,
    "uses": 0.4,
    "quoted": 0.5,
    "body": 1.0,
    "names": 0.4,
    "unit_names": 0.3,
    "doc": 0.2,
    "path": 0.5,
    "unit": 0.8,
    "title": 1.1,
    "title_unit": 0.4,
    "title_path": 0.85,
    "imports": 0.2,
    "folder": 0.2,
}
UNIT_WEIGHTS: Mapping[str, float] = {
    "line": 3.0,
    "defines": 1.5,
    "body": 1.0,
    "names": 0.6,
    "title": 0.6,
}
KIND_FACTORS: Mapping[str, float] = {
    "source": 1.0,
    "init": 0.8,
    "declarations": 0.5,
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
    "unit_names": "defines a name much like the request's",
    "quoted": "holds a text quoted in the request",
    "title": "matches the first line",
    "title_unit": "holds a function that matches the first line",
    "title_path": "its path matches the first line",
    "folder": "beside other matching files",
    "file": "in a matching file",
    "line": "on a line named in the request",
}

TITLE_NAME, WITH_PARENT, SPREAD = 1.5, 2.0, 0.7
REST_OF_FILE, FILE_POWER, ANY_UNIT = 0.5, 1.0, 0.2
TOP_SOURCES = 12
TOP_FILES = 40
MOST_RANKED = 120
MOST_UNITS = 400
MOST_DEFINING = 40
MOST_SEARCHED = 250
MOST_DOC_TERMS = 60
MOST_DOTTED = 40
REASONS_SHOWN, TELLING_SHARE, NAMING = 3, 0.06, 2.0


@dataclass(frozen=True, slots=True)
class RankedUnit:
    """A unit of a file and how likely it is wanted; `spans` are its own lines, from 1, both ends included.

    `shares` are its signals before weights.
    """

    path: str
    symbol: str
    kind: str
    spans: tuple[tuple[int, int], ...]
    score: float
    why: str
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best files and units, best first; only those with a score above 0."""

    files: tuple[RankedFile, ...]
    units: tuple[RankedUnit, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The signals of one request: columns over file numbers and over unit numbers, each with its largest at 1.

    `names` are the identifiers looked for with their strength, `notes` the reasons that name what was found, `lines`
    what lines of a file are named, with their strength.
    """

    words: Words
    lists: Lists
    numbers: Mapping[str, int]
    factors: list[float]
    files: dict[str, Column]
    units: dict[str, Column]
    names: dict[str, float]
    notes: dict[tuple[str, int], str]
    lines: dict[int, list[tuple[int, float]]]


def rank(mentions: Mentions, index: Index, source: Files) -> Ranking:
    """Order the files and units of the index by what the request names and says; `source` reads the files."""
    sheet = signals(mentions, index, source)
    totals = _totals(sheet)
    best = _best(totals, MOST_RANKED)
    if not best:
        return Ranking((), ())
    paths = sheet.words.paths
    files = tuple(RankedFile(paths[number], round(totals[number], 4), _why_file(sheet, number)) for number in best)
    sources = {number: source.lines(paths[number]) for number in best[:TOP_FILES]}
    return Ranking(files, _rank_units(sheet, totals, sources, mentions, index))


def signals(mentions: Mentions, index: Index, source: Files) -> Sheet:
    """All columns for one request, before weights; `source` reads the files."""
    words = index.words()
    numbers = {path: number for number, path in enumerate(words.paths)}
    wants_tests = asks_for_tests(mentions.title_words)
    factors = [1.0 if (kind := kind_of(path)) == "test" and wants_tests else KIND_FACTORS[kind] for path in numbers]
    lists = Lists(cache(words.postings), words.file_of, words.total_units, len(words.paths))
    sheet = Sheet(words, lists, numbers, factors, {}, {}, {}, {}, {})
    if not numbers:
        return sheet
    _text(mentions, sheet)
    _definitions(mentions, index, sheet)
    _uses(mentions, sheet)
    _places(mentions, sheet)
    sheet.files.update({signal: _normal(column) for signal, column in sheet.files.items()})
    sheet.units.update({signal: _normal(column) for signal, column in sheet.units.items()})
    _quoted(mentions, sheet, source)
    _neighbours(index, sheet)
    return sheet


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def _text(mentions: Mentions, sheet: Sheet) -> None:
    words, terms = sheet.words, terms_of(mentions)
    lengths = [0] * len(words.paths)
    for file, length in zip(words.file_of, words.length, strict=False):
        if file >= 0:
            lengths[file] += length
    flat_units, flat_files = [K1] * len(words.file_of), [K1] * len(lengths)
    code = bm25(sheet.lists, "body", terms, norms(words.length), norms(lengths))
    names = bm25(sheet.lists, "name", terms, flat_units, flat_files)
    documents = bm25(sheet.lists, "doc", terms[:MOST_DOC_TERMS], flat_units, flat_files)
    paths = bm25_paths(sheet.lists, terms)
    title = dict(code.files_title)
    for file, score in names.files_title.items():
        title[file] = title.get(file, 0.0) + score
    sheet.files.update(body=code.files, names=names.files, doc=documents.files, path=paths.files)
    sheet.files.update(unit=_best_unit(code.units, words), unit_names=_best_unit(names.units, words))
    sheet.files.update(title=title, title_unit=_best_unit(code.units_title, words), title_path=paths.files_title)
    sheet.units.update(body=code.units, names=names.units, title=code.units_title)


def _best_unit(units: Column, words: Words) -> Column:
    best: Column = {}
    for unit, score in units.items():
        if score > best.get(file := words.file_of[unit], 0.0):
            best[file] = score
    return best


# ── names and places ─────────────────────────────────────────────────────────────────────────────


def _definitions(mentions: Mentions, index: Index, sheet: Sheet) -> None:
    wanted = dict(mentions.identifiers)
    for frame in mentions.frames:
        if frame.function:
            wanted[frame.function] = max(wanted.get(frame.function, 0.0), frame.weight / 2)
    title, parents = set(mentions.title_words), _parents(mentions)
    symbols = index.symbols_named(_findable(wanted, sheet))
    defining: dict[str, set[str]] = {}
    for symbol in symbols:
        defining.setdefault(symbol.name, set()).add(symbol.path)
    for name, paths in defining.items():
        sheet.names[name] = wanted[name] * (TITLE_NAME if name.lower() in title else 1.0) / len(paths) ** SPREAD
    values: dict[int, dict[str, float]] = {}
    for symbol in symbols:
        known = values.setdefault(sheet.numbers[symbol.path], {})
        value = sheet.names[symbol.name] * (WITH_PARENT if _within(symbol.qualified, parents) else 1.0)
        if value > max(known.values(), default=0.0):
            for signal in ("defines", "defines_code"):
                sheet.notes[signal, sheet.numbers[symbol.path]] = f"defines {symbol.qualified}"
        known[symbol.name] = max(value, known.get(symbol.name, 0.0))
    for signal, in_prose in (("defines", True), ("defines_code", False)):
        sheet.files[signal] = {
            number: math.hypot(*(value for name, value in known.items() if (wanted[name] >= PROSE) == in_prose))
            for number, known in values.items()
        }


def _findable(wanted: Mapping[str, float], sheet: Sheet) -> Iterator[str]:
    """The strongest names that few enough files can define."""
    room = MOST_SEARCHED
    for name in sorted(wanted, key=lambda name: -wanted[name]):
        count = len(sheet.lists.files_with("name", name.lower()))
        if 0 < count <= min(room, MOST_DEFINING):
            room -= count
            yield name


def _parents(mentions: Mentions) -> frozenset[str]:
    return frozenset(".".join(dotted.split(".")[-2:]) for dotted in mentions.dotted)


def _within(qualified: str, parents: frozenset[str]) -> bool:
    return ".".join(qualified.split(".")[-2:]) in parents


def _uses(mentions: Mentions, sheet: Sheet) -> None:
    column: Column = {}
    strongest: Column = {}
    total = len(sheet.words.paths)
    for name, weight in mentions.identifiers.items():
        files = sheet.lists.files_with("body", name.lower())
        if not files or len(files) > max(10, 0.1 * total):
            continue
        value = weight * rarity(len(files), total) / math.sqrt(len(files))
        for file in files:
            column[file] = column.get(file, 0.0) + value
            if value > strongest.get(file, 0.0):
                strongest[file] = value
                sheet.notes["uses", file] = f"uses {name}"
    sheet.files["uses"] = column


def _places(mentions: Mentions, sheet: Sheet) -> None:
    named: Column = {}
    frames: Column = {}
    module: Column = {}
    for mention in mentions.paths:
        found = files_named(mention.path, sheet.numbers)
        for number in map(sheet.numbers.__getitem__, found):
            named[number] = max(named.get(number, 0.0), 1.0 / len(found))
            sheet.lines.setdefault(number, []).extend([(mention.start, 1.0), (mention.end, 1.0)])
    for frame in mentions.frames:
        found = files_named(frame.path, sheet.numbers)
        for number in map(sheet.numbers.__getitem__, found):
            frames[number] = max(frames.get(number, 0.0), frame.weight / len(found))
            sheet.lines.setdefault(number, []).append((frame.line, frame.weight))
    for dotted in mentions.dotted[:MOST_DOTTED]:
        for number in map(sheet.numbers.__getitem__, modules_named(dotted, sheet.numbers)):
            module[number] = 1.0
            sheet.notes["module", number] = f"is the module of {dotted}"
    sheet.files.update(named=named, frame=frames, module=module)


def _quoted(mentions: Mentions, sheet: Sheet, source: Files) -> None:
    """Which of the best files hold a text quoted in the request, or a fixed part of it, word for word."""
    column: Column = {}
    if mentions.quoted:
        for number in _best(_totals(sheet), TOP_FILES):
            text = "\n".join(source.lines(sheet.words.paths[number]))
            column[number] = float(sum(quoted in text for quoted in mentions.quoted))
    sheet.files["quoted"] = _normal({number: value for number, value in column.items() if value})


def _best(totals: Column, most: int) -> list[int]:
    return nlargest(most, totals, key=totals.__getitem__)


def _neighbours(index: Index, sheet: Sheet) -> None:
    """What the best files import, what imports them, and what stands beside them."""
    base, paths = _totals(sheet), sheet.words.paths
    best = _best(base, TOP_SOURCES)
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
    sheet.files.update(imports=_normal(imports), folder=_normal(folder))


# ── sums ─────────────────────────────────────────────────────────────────────────────────────────


def _normal(column: Column) -> Column:
    largest = max(column.values(), default=0.0)
    return {number: value / largest for number, value in column.items()} if largest > 0.0 else {}


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
    telling = {signal: share * (NAMING if (signal, number) in sheet.notes else 1.0) for signal, share in shares.items()}
    best = sorted(telling, key=lambda signal: -telling[signal])[:REASONS_SHOWN]
    return tuple(
        sheet.notes.get((signal, number)) or REASONS[signal]
        for place, signal in enumerate(best)
        if not place or shares[signal] >= least
    )


def _rank_units(
    sheet: Sheet, totals: Column, sources: Mapping[int, Sequence[str]], mentions: Mentions, index: Index
) -> tuple[RankedUnit, ...]:
    numbers: dict[int, list[int]] = {file: [] for file in sources}
    for number, file in enumerate(sheet.words.file_of):
        if file in numbers:
            numbers[file].append(number)
    parents = _parents(mentions)
    largest, strongest = max(totals.values()), max(sheet.names.values(), default=1.0)
    units: list[RankedUnit] = []
    for file, lines in sources.items():
        path = sheet.words.paths[file]
        for number, unit in zip(numbers[file], extents(index.symbols_in(path), len(lines)), strict=False):
            if not unit.spans:
                continue
            shares = {signal: column[number] for signal, column in sheet.units.items() if number in column}
            name = unit.symbol.rpartition(".")[2]
            if name in sheet.names:
                shares["defines"] = (
                    sheet.names[name] / strongest * (WITH_PARENT if _within(unit.symbol, parents) else 1.0)
                )
            for line, weight in sheet.lines.get(file, ()):
                if any(start <= line <= end for start, end in unit.spans):
                    shares["line"] = max(shares.get("line", 0.0), weight)
            units.append(_ranked(path, unit, shares, (totals[file] / largest) ** FILE_POWER))
    units.sort(key=lambda unit: -unit.score)
    return tuple(units[:MOST_UNITS])


def _ranked(path: str, unit: Extent, shares: Mapping[str, float], file: float) -> RankedUnit:
    weighted = {signal: UNIT_WEIGHTS[signal] * share for signal, share in shares.items()}
    score = file * (ANY_UNIT + sum(weighted.values())) * (1.0 if unit.symbol else REST_OF_FILE)
    best = sorted(weighted, key=lambda signal: -weighted[signal])[:2]
    why = [f"defines {unit.symbol}" if signal == "defines" else REASONS[signal] for signal in best] or [REASONS["file"]]
    return RankedUnit(path, unit.symbol, unit.kind, unit.spans, round(score, 4), ", ".join(why), shares)
