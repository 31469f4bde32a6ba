"""The signals that relate a request to each file and unit of the repository: named columns, before weights.

A column over all files or units is brought to 0…1 by its own maximum. The signals that need to know which files lead
are added after a first sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from optimizer.context.bm25 import COMMON, Column, InvertedLists, Scores, bm25, bm25_paths, rarity
from optimizer.context.mentions import PROSE, Mentions
from optimizer.context.paths import files_named, modules_named, name_of, whole
from optimizer.context.terms import Term, terms_of, variants
from optimizer.languages.words import split
from optimizer.retrieval import Signal

if TYPE_CHECKING:
    from optimizer.index.reader import Index
    from optimizer.index.words import Words

TITLE_NAME, SPREAD = 1.5, 0.7
WITH_PARENT = 2.0
MOST_DEFINING = 40
MOST_SEARCHED = 250
MOST_DOC_TERMS = 60
MOST_DOTTED = 40


class Shares(NamedTuple):
    """A column, whose values count as shares of its largest one."""

    column: Mapping[int, float]
    largest: float

    def of(self, number: int) -> float:
        """The share of a file or unit; 0 where it has none."""
        return self.column.get(number, 0.0) / self.largest


NONE = Shares({}, 1.0)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The signals of one request: columns over file numbers and over unit numbers, as shares of their largest values.

    `names` are the identifiers looked up with their strength, `notes` the signals that name what was found, `lines` the
    lines named in the request with their strength, `quoted_lines` the lines that contain a text quoted in it.
    """

    words: Words
    lists: InvertedLists
    terms: Mapping[str, Term]
    numbers: Mapping[str, int]
    lengths: Sequence[int]
    files: dict[str, Shares] = field(default_factory=dict)
    units: dict[str, Shares] = field(default_factory=dict)
    names: dict[str, float] = field(default_factory=dict)
    notes: dict[tuple[str, int], Signal] = field(default_factory=dict)
    lines: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    quoted_lines: dict[int, list[int]] = field(default_factory=dict)


def signals(mentions: Mentions, index: Index) -> Sheet:
    """The columns over all files and units for one request."""
    words = index.words()
    lists = InvertedLists(words, 1.0 if mentions.is_question else COMMON)
    terms = {term.text: term for term in terms_of(mentions)}
    sheet = Sheet(words, lists, terms, words.numbers, words.file_lengths)
    if not words.paths:
        return sheet
    _text(sheet)
    _definitions(mentions, index, sheet)
    _uses(mentions, sheet)
    _places(mentions, index, sheet)
    _messages(index, sheet)
    return sheet


def normal(column: Mapping[int, float]) -> Shares:
    """The column as shares of its largest value; empty when none is above 0."""
    largest = max(column.values(), default=0.0)
    return Shares(column, largest) if largest > 0.0 else NONE


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def _text(sheet: Sheet) -> None:
    words, wanted = sheet.words, list(sheet.terms.values())
    code, names = (bm25(sheet.lists, field, wanted) for field in ("body", "name"))
    documents = bm25(sheet.lists, "doc", wanted[:MOST_DOC_TERMS])
    paths = bm25_paths(sheet.lists, wanted)
    title = dict(code.files_title)
    for file, score in names.files_title.items():
        title[file] = title.get(file, 0.0) + score
    sheet.units.update({signal: normal(column) for signal, column in _columns_of_units(code, names, documents).items()})
    unit, unit_names = _best_unit(code.units, words), _best_unit(names.units, words)
    columns = {
        "body": code.files,
        "names": names.files,
        "doc": documents.files,
        "path": paths.files,
        "unit": unit,
        "unit_names": unit_names,
        "title": title,
        "title_unit": unit if code.units_title is code.units else _best_unit(code.units_title, words),
        "title_path": paths.files_title,
        "title_names": unit_names if names.units_title is names.units else _best_unit(names.units_title, words),
        "stem_said": _said(paths.files, sheet),
    }
    sheet.files.update({signal: normal(column) for signal, column in columns.items()})


def _columns_of_units(code: Scores, names: Scores, documents: Scores) -> dict[str, Column]:
    return {
        "body": code.units,
        "names": names.units,
        "title": code.units_title,
        "doc": documents.units,
        "title_names": names.units_title,
    }


def _said(files: Iterable[int], sheet: Sheet) -> Column:
    """The files with a name of which the first line of the request has every word, in some form."""
    known: dict[str, bool] = {}

    def is_said(word: str) -> bool:
        if word not in known:
            forms = (sheet.terms.get(form) for form in (word, *variants(word)))
            known[word] = any(term is not None and term.in_title for term in forms)
        return known[word]

    names = {file: split(name_of(sheet.words.paths[file])) for file in files}
    return {file: 1.0 for file, words in names.items() if words and all(map(is_said, words))}


def _best_unit(units: Column, words: Words) -> Column:
    best: Column = {}
    files = map(words.file_of.__getitem__, units)
    for file, score in zip(files, units.values(), strict=True):
        if score > best.get(file, 0.0):
            best[file] = score
    return best


# ── names and places ─────────────────────────────────────────────────────────────────────────────


def _definitions(mentions: Mentions, index: Index, sheet: Sheet) -> None:
    wanted = dict(mentions.identifiers)
    for frame in mentions.frames:
        if frame.function and not files_named(frame.path, sheet.numbers):
            wanted[frame.function] = max(wanted.get(frame.function, 0.0), frame.weight / 2)
    title, parents = set(mentions.title_words), parents_of(mentions)
    symbols = index.symbols_named(_findable(wanted, sheet))
    defining: dict[str, set[str]] = {}
    for symbol in symbols:
        defining.setdefault(symbol.name, set()).add(symbol.path)
    for name, paths in defining.items():
        sheet.names[name] = wanted[name] * (TITLE_NAME if name.lower() in title else 1.0) / len(paths) ** SPREAD
    values: dict[int, dict[str, float]] = {}
    for symbol in symbols:
        known = values.setdefault(sheet.numbers[symbol.path], {})
        value = sheet.names[symbol.name] * (WITH_PARENT if within(symbol.qualified, parents) else 1.0)
        if value > max(known.values(), default=0.0):
            for signal in ("defines", "defines_code"):
                sheet.notes[signal, sheet.numbers[symbol.path]] = Signal(signal, symbol.qualified)
        known[symbol.name] = max(value, known.get(symbol.name, 0.0))
    for signal, in_prose in (("defines", True), ("defines_code", False)):
        column = {
            number: math.hypot(*(value for name, value in known.items() if (wanted[name] >= PROSE) == in_prose))
            for number, known in values.items()
        }
        sheet.files[signal] = normal(column)


def _findable(wanted: Mapping[str, float], sheet: Sheet) -> Iterator[str]:
    """The strongest names that few enough files can define."""
    left = MOST_SEARCHED
    for name in sorted(wanted, key=lambda name: -wanted[name]):
        count = len(sheet.lists.impacts("name", name.lower()).files)
        if 0 < count <= min(left, MOST_DEFINING):
            left -= count
            yield name


def parents_of(mentions: Mentions) -> frozenset[str]:
    """The last two parts of each dotted name."""
    return frozenset(".".join(dotted.split(".")[-2:]) for dotted in mentions.dotted)


def within(qualified: str, parents: frozenset[str]) -> bool:
    """Whether a qualified name ends as one of the dotted names does."""
    return ".".join(qualified.split(".")[-2:]) in parents


def _uses(mentions: Mentions, sheet: Sheet) -> None:
    column: Column = {}
    strongest: Column = {}
    by_unit: Column = {}
    total = len(sheet.words.paths)
    for name, weight in mentions.identifiers.items():
        units, _, files, _ = sheet.lists.impacts("body", name.lower())
        if not files or len(files) > max(10, 0.1 * total):
            continue
        value, note = weight * rarity(len(files), total) / math.sqrt(len(files)), Signal("uses", name)
        for unit in units:
            by_unit[unit] = by_unit.get(unit, 0.0) + value
        for file in files:
            column[file] = column.get(file, 0.0) + value
            if value > strongest.get(file, 0.0):
                strongest[file] = value
                sheet.notes["uses", file] = note
    sheet.files["uses"] = normal(column)
    sheet.units["uses"] = normal(by_unit)


def _files_of(named: str, index: Index, sheet: Sheet) -> tuple[Sequence[str], bool]:
    """The files that a path in a request refers to, and whether with its folders; it may be an earlier name of one."""
    found = [path for path in files_named(named, sheet.numbers) if whole(named, path)]
    if found or "/" not in named:
        return found or files_named(named, sheet.numbers), bool(found)
    renamed = index.history().renamed
    moved = [renamed[old] for old in files_named(named, renamed) if whole(named, old) or whole(old, named)]
    moved = [path for path in moved if path in sheet.numbers]
    return moved or files_named(named, sheet.numbers), bool(moved)


def _places(mentions: Mentions, index: Index, sheet: Sheet) -> None:
    named: Column = {}
    loosely: Column = {}
    frames: Column = {}
    module: Column = {}
    for mention in mentions.paths:
        found, in_full = _files_of(mention.path, index, sheet)
        sure = (mention.kind == "prose" and "/" not in mention.path) or (mention.kind != "output" and in_full)
        column = named if sure else loosely
        for number in map(sheet.numbers.__getitem__, found):
            column[number] = max(column.get(number, 0.0), 1.0 / len(found))
            sheet.lines.setdefault(number, []).extend([(mention.start, 1.0), (mention.end, 1.0)])
    for frame in mentions.frames:
        found, _ = _files_of(frame.path, index, sheet)
        for number in map(sheet.numbers.__getitem__, found):
            frames[number] = max(frames.get(number, 0.0), frame.weight / len(found))
            sheet.lines.setdefault(number, []).append((frame.line, frame.weight))
    for dotted in mentions.dotted[:MOST_DOTTED]:
        for number in map(sheet.numbers.__getitem__, modules_named(dotted, sheet.numbers)):
            module[number] = 1.0
            sheet.notes["module", number] = Signal("module", dotted)
    columns = {"named": named, "loosely": loosely, "frame": frames, "module": module}
    sheet.files.update({signal: normal(column) for signal, column in columns.items()})


def _messages(index: Index, sheet: Sheet) -> None:
    """Files of commits whose messages resemble the request, and how often each file changes."""
    history = index.history()
    weights = {term.text: term.weight for term in sheet.terms.values()}
    of_title = {term.text: term.weight for term in sheet.terms.values() if term.in_title}
    similar = history.similar(weights)
    title = similar if len(of_title) == len(weights) else history.similar(of_title)
    for signal, found in (("messages", similar), ("title_messages", title)):
        column = {sheet.numbers[path]: value for path, value in found.items() if path in sheet.numbers}
        sheet.files[signal] = normal(column)
    sheet.files["churn"] = normal(history.churn)
