"""The signals that need to know which files lead: what they quote, import, change with and are tested by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from typing import TYPE_CHECKING

from optimizer.context.bm25 import Column
from optimizer.context.files import FileLines
from optimizer.context.mentions import Mentions
from optimizer.context.messages import share_printed, words_of
from optimizer.context.signals import Sheet, normal
from optimizer.languages.files_of_tests import named_after
from optimizer.languages.words import split, terms
from optimizer.retrieval import Signal

if TYPE_CHECKING:
    from optimizer.index.reader import Index

TOP_SOURCES = 12
TOP_QUOTED = 40
TOP_CHANGED = 6
MOST_READ = 60
FEW_HOLD = 10
MOST_RARE = 3
TOP_TESTS = 10


def leading_signals(
    mentions: Mentions, index: Index, sheet: Sheet, totals: Column, tests: Column, source: FileLines
) -> None:
    """Add the columns that need to know which files lead: `totals` are their scores so far; `source` reads them.

    `tests` are the scores of tests for their text alone.
    """
    _quoted(mentions, sheet, nlargest(TOP_QUOTED, totals, key=totals.__getitem__), source)
    _neighbours(index, sheet, totals)
    _tested(index, sheet, tests)


def _quoted(mentions: Mentions, sheet: Sheet, best: Iterable[int], source: FileLines) -> None:
    """Which files hold a text quoted in the request, or a fixed part of it, word for word."""
    column: Column = {}
    likely = dict.fromkeys(best)
    for quoted in mentions.quoted:
        likely.update(dict.fromkeys(_holding(quoted, sheet)))
    printed = [(words, rare) for words in map(words_of, mentions.messages) if (rare := _rarest(words, sheet))]
    for number in list(likely)[:MOST_READ] if mentions.quoted or printed else ():
        lines = source.lines(sheet.words.paths[number])
        text = "\n".join(lines)
        found = [quoted for quoted in mentions.quoted if quoted in text]
        held = {text.count("\n", 0, text.index(quoted)) + 1: 1.0 for quoted in found}
        held.update(_printing(lines, printed) if not found else ())
        if held:
            column[number] = sum(held.values())
            sheet.quoted_lines[number] = list(held)
    sheet.files["quoted"] = normal(column)


def _printing(
    lines: Sequence[str], printed: Sequence[tuple[Sequence[str], Sequence[str]]]
) -> Iterator[tuple[int, float]]:
    """The line, from 1, that holds most of each message, and how sure that is."""
    for words, rare in printed:
        shares = {
            number: share
            for number, line in enumerate(lines, 1)
            if any(word in line for word in rare) and (share := share_printed(words, line))
        }
        if shares:
            yield max(shares.items(), key=lambda pair: pair[1])


def _rarest(words: Sequence[str], sheet: Sheet) -> list[str]:
    """The few words of a message that fewest units have; none for a message without a rare one."""
    counts = {word: len(sheet.lists.find("body", word.lower())[0]) for word in words if len(word) > 2}
    held = sorted((word for word, count in counts.items() if count), key=counts.__getitem__)
    return held[:MOST_RARE]


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
