"""The signals that relate a request to each file and unit of the repository: named columns, before weights.

A column over all files or units is brought to 0…1 by its own maximum. The signals that need to know which files lead
are added after a first sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from heapq import nlargest
from typing import TYPE_CHECKING

from optimizer.context.bm25 import Column, InvertedLists, Lengths, bm25, bm25_paths, rarity
from optimizer.context.files import FileLines
from optimizer.context.mentions import PROSE, Mentions
from optimizer.context.paths import files_named, modules_named, whole
from optimizer.context.terms import Term, terms_of
from optimizer.languages.files_of_tests import named_after
from optimizer.languages.words import split, terms
from optimizer.retrieval import Signal

if TYPE_CHECKING:
    from optimizer.index.reader import Index, Words

TITLE_NAME, SPREAD = 1.5, 0.7
WITH_PARENT = 2.0
TOP_SOURCES = 12
TOP_QUOTED = 40
TOP_CHANGED = 6
MOST_DEFINING = 40
MOST_SEARCHED = 250
MOST_DOC_TERMS = 60
MOST_DOTTED = 40
MOST_READ = 60
FEW_HOLD = 10
TOP_TESTS = 10


@dataclass(frozen=True, slots=True)
class Sheet:
    """The signals of one request: columns over file numbers and over unit numbers, each with its largest at 1.

    `names` are the identifiers looked up with their strength, `notes` the signals that name what was found, `lines` the
    lines named in the request with their strength, `quoted_lines` the lines that contain a text quoted in it.
    """

    words: Words
    lists: InvertedLists
    terms: Mapping[str, Term]
    numbers: Mapping[str, int]
    lengths: Sequence[int]
    files: dict[str, Column] = field(default_factory=dict)
    units: dict[str, Column] = field(default_factory=dict)
    names: dict[str, float] = field(default_factory=dict)
    notes: dict[tuple[str, int], Signal] = field(default_factory=dict)
    lines: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    quoted_lines: dict[int, list[int]] = field(default_factory=dict)


def signals(mentions: Mentions, index: Index) -> Sheet:
    """The columns over all files and units for one request."""
    words = index.words()
    numbers = {path: number for number, path in enumerate(words.paths)}
    lists = InvertedLists(cache(words.postings), words.file_of, words.total_units, len(words.paths))
    lengths = [0] * len(numbers)
    for file, length in zip(words.file_of, words.length, strict=False):
        if file >= 0:
            lengths[file] += length
    sheet = Sheet(words, lists, {term.text: term for term in terms_of(mentions)}, numbers, lengths)
    if not numbers:
        return sheet
    _text(sheet)
    _definitions(mentions, index, sheet)
    _uses(mentions, sheet)
    _places(mentions, sheet)
    _messages(index, sheet)
    sheet.files.update({signal: normal(column) for signal, column in sheet.files.items()})
    sheet.units.update({signal: normal(column) for signal, column in sheet.units.items()})
    return sheet


def leading_signals(
    mentions: Mentions, index: Index, sheet: Sheet, totals: Column, tests: Column, source: FileLines
) -> None:
    """Add the columns that need to know which files lead: `totals` are their scores so far; `source` reads them.

    `tests` are the scores of tests for their text alone.
    """
    _quoted(mentions, sheet, nlargest(TOP_QUOTED, totals, key=totals.__getitem__), source)
    _neighbours(index, sheet, totals)
    _tested(index, sheet, tests)


def normal(column: Column) -> Column:
    """The column with its largest value at 1; empty when none is above 0."""
    largest = max(column.values(), default=0.0)
    return {number: value / largest for number, value in column.items()} if largest > 0.0 else {}


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def _text(sheet: Sheet) -> None:
    words, wanted = sheet.words, list(sheet.terms.values())
    mean_file = sum(sheet.lengths) / len(sheet.lengths)
    lengths = Lengths(words.length, sheet.lengths, words.mean_length or 1.0, mean_file or 1.0)
    code = bm25(sheet.lists, "body", wanted, lengths)
    in_files = Lengths(words.file_of, sheet.lengths, 0.0, mean_file or 1.0)
    names = bm25(sheet.lists, "name", wanted, in_files)
    documents = bm25(sheet.lists, "doc", wanted[:MOST_DOC_TERMS], in_files)
    paths = bm25_paths(sheet.lists, wanted, list(map(len, words.paths)))
    title = dict(code.files_title)
    for file, score in names.files_title.items():
        title[file] = title.get(file, 0.0) + score
    sheet.files.update(body=code.files, names=names.files, doc=documents.files, path=paths.files)
    sheet.files.update(unit=_best_unit(code.units, words), unit_names=_best_unit(names.units, words))
    sheet.files.update(title=title, title_unit=_best_unit(code.units_title, words), title_path=paths.files_title)
    sheet.files.update(title_names=_best_unit(names.units_title, words))
    sheet.units.update(body=code.units, names=names.units, title=code.units_title, doc=documents.units)
    sheet.units.update(title_names=names.units_title)


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
        sheet.files[signal] = {
            number: math.hypot(*(value for name, value in known.items() if (wanted[name] >= PROSE) == in_prose))
            for number, known in values.items()
        }


def _findable(wanted: Mapping[str, float], sheet: Sheet) -> Iterator[str]:
    """The strongest names that few enough files can define."""
    left = MOST_SEARCHED
    for name in sorted(wanted, key=lambda name: -wanted[name]):
        count = len(sheet.lists.files_with("name", name.lower()))
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
        units = sheet.lists.find("body", name.lower())[0]
        files = {sheet.words.file_of[unit] for unit in units}
        if not files or len(files) > max(10, 0.1 * total):
            continue
        value = weight * rarity(len(files), total) / math.sqrt(len(files))
        for unit in units:
            by_unit[unit] = by_unit.get(unit, 0.0) + value
        for file in files:
            column[file] = column.get(file, 0.0) + value
            if value > strongest.get(file, 0.0):
                strongest[file] = value
                sheet.notes["uses", file] = Signal("uses", name)
    sheet.files["uses"] = column
    sheet.units["uses"] = by_unit


def _places(mentions: Mentions, sheet: Sheet) -> None:
    named: Column = {}
    loosely: Column = {}
    frames: Column = {}
    module: Column = {}
    for mention in mentions.paths:
        found = files_named(mention.path, sheet.numbers)
        for number in map(sheet.numbers.__getitem__, found):
            path = sheet.words.paths[number]
            sure = whole(mention.path, path) or (not mention.in_code and "/" not in mention.path)
            column = named if sure else loosely
            column[number] = max(column.get(number, 0.0), 1.0 / len(found))
            sheet.lines.setdefault(number, []).extend([(mention.start, 1.0), (mention.end, 1.0)])
    for frame in mentions.frames:
        found = files_named(frame.path, sheet.numbers)
        for number in map(sheet.numbers.__getitem__, found):
            frames[number] = max(frames.get(number, 0.0), frame.weight / len(found))
            sheet.lines.setdefault(number, []).append((frame.line, frame.weight))
    for dotted in mentions.dotted[:MOST_DOTTED]:
        for number in map(sheet.numbers.__getitem__, modules_named(dotted, sheet.numbers)):
            module[number] = 1.0
            sheet.notes["module", number] = Signal("module", dotted)
    sheet.files.update(named=named, loosely=loosely, frame=frames, module=module)


def _messages(index: Index, sheet: Sheet) -> None:
    """Files of commits whose messages resemble the request, and how often each file changes."""
    history = index.history()
    title = history.similar({term.text: term.weight for term in sheet.terms.values() if term.in_title})
    similar = history.similar({term.text: term.weight for term in sheet.terms.values()})
    for signal, found in (("messages", similar), ("title_messages", title), ("churn", history.churn())):
        sheet.files[signal] = {sheet.numbers[path]: value for path, value in found.items() if path in sheet.numbers}


# ── around the files that lead ───────────────────────────────────────────────────────────────────


def _quoted(mentions: Mentions, sheet: Sheet, best: Iterable[int], source: FileLines) -> None:
    """Which files hold a text quoted in the request, or a fixed part of it, word for word."""
    column: Column = {}
    likely = dict.fromkeys(best)
    for quoted in mentions.quoted:
        likely.update(dict.fromkeys(_holding(quoted, sheet)))
    for number in list(likely)[:MOST_READ] if mentions.quoted else ():
        text = "\n".join(source.lines(sheet.words.paths[number]))
        found = [quoted for quoted in mentions.quoted if quoted in text]
        if found:
            column[number] = float(len(found))
            sheet.quoted_lines[number] = [text.count("\n", 0, text.index(quoted)) + 1 for quoted in found]
    sheet.files["quoted"] = normal(column)


def _holding(quoted: str, sheet: Sheet) -> set[int]:
    """The few files with a unit that has the rarest words of a text."""
    lists = sorted(
        (numbers for word in set(terms(quoted)) if len(word) > 2 and len(numbers := sheet.lists.find("body", word)[0])),
        key=len,
    )
    if len(lists) < 2:
        return set()
    files = {sheet.words.file_of[unit] for unit in set(lists[0]).intersection(*lists[1:4])}
    return files if len(files) <= FEW_HOLD else set()


def _tested(index: Index, sheet: Sheet, tests: Column) -> None:
    """The files tested by the tests that match the request: by name, and by changing together."""
    paths = sheet.words.paths
    best = nlargest(TOP_TESTS, tests, key=tests.__getitem__)
    twins: Column = {}
    for number in best:
        path = paths[number]
        for other, value in _twins(path, sheet).items():
            if value * tests[number] > twins.get(other, 0.0):
                twins[other] = value * tests[number]
                sheet.notes["tested", other] = Signal("tested", path)
    together = index.history().together([paths[number] for number in best[:TOP_CHANGED]])
    changed = {sheet.numbers[path]: value for path, value in together.items() if path in sheet.numbers}
    sheet.files.update(tested=normal(twins), tests_together=normal(changed))


def _twins(test: str, sheet: Sheet) -> dict[int, float]:
    """The files that a test is named after, with the share of the test's folders that they have too."""
    stem = named_after(test)
    if not stem:
        return {}
    wanted = stem.lower()
    parts = split(stem)
    numbers = sheet.lists.find("path", max(parts, key=len))[0] if parts else ()
    folders = set(test.rpartition("/")[0].lower().split("/"))
    found = {}
    for number in numbers:
        path = sheet.words.paths[number]
        own, _, other = path.rpartition("/")
        if path != test and other.partition(".")[0].lower() == wanted:
            shared = set(own.lower().split("/"))
            found[number] = (1.0 + len(folders & shared)) / (1.0 + len(shared))
    largest = max(found.values(), default=0.0)
    return {number: value / largest for number, value in found.items() if value > largest / 2}


def _neighbours(index: Index, sheet: Sheet, base: Column) -> None:
    """Files that the best files import, that import them, that change with them, or that are in the same folder."""
    paths = sheet.words.paths
    best = nlargest(TOP_SOURCES, base, key=base.__getitem__)
    imports: Column = {}
    folder: Column = {}
    leading: dict[str, int] = {}
    for number in best:
        path = paths[number]
        imported, importing = Signal("imported", path), Signal("imports", path)
        near = {edge.target: imported for edge in index.imports_of(path) if edge.target in sheet.numbers}
        near |= {edge.source: importing for edge in index.importers_of(path)}
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
    together = index.history().together([paths[number] for number in best[:TOP_CHANGED]])
    changed = {sheet.numbers[path]: value for path, value in together.items() if path in sheet.numbers}
    sheet.files.update(imports=normal(imports), folder=normal(folder), together=normal(changed))
