"""BM25 over units and files in one pass over inverted lists; terms found nearly everywhere are skipped."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from optimizer.context.terms import Term

K1, B = 1.2, 0.75
B_NAMES, B_PATH = 0.5, 0.5
MOST_TERMS = 60
MOST_POSTINGS = 120_000
COMMON = 0.25
FEW = 50

Column = dict[int, float]
Postings = Callable[[str, str, int], tuple[Sequence[int], Sequence[int]]]


class Scores(NamedTuple):
    """Scores by file and by unit, for the whole request and for its title alone."""

    files: Column
    files_title: Column
    units: Column
    units_title: Column


class InvertedLists(NamedTuple):
    """Inverted lists over the units of the tree, the file of each unit, and the numbers of units and files.

    A term that more than the share `common` of them have says nothing.
    """

    postings: Postings
    file_of: Sequence[int]
    units: int
    files: int
    common: float = COMMON

    def find(self, field: str, term: str) -> tuple[Sequence[int], Sequence[int]]:
        """Where a term occurs and how often; nothing for a term that occurs nearly everywhere."""
        most = round(self.common * (self.files if field == "path" else self.units))
        return self.postings(field, term, max(FEW, most))

    def files_with(self, field: str, term: str) -> set[int]:
        """The files that have a term in one of their units."""
        return {self.file_of[unit] for unit in self.find(field, term)[0]}


class Lengths(NamedTuple):
    """The length of each unit and file in words, and the means."""

    units: Sequence[int]
    files: Sequence[int]
    mean_unit: float
    mean_file: float


def bm25(lists: InvertedLists, field: str, terms: Iterable[Term], lengths: Lengths) -> Scores:
    """Score all units and files that hold any of the terms in a field; without a mean all units count as one long."""
    file_of = lists.file_of
    unit_length, file_length, b = lengths.units, lengths.files, B if lengths.mean_unit else B_NAMES
    base, base_file = (K1 * (1 - B) if lengths.mean_unit else K1), K1 * (1 - b)
    per_unit, per_file = (K1 * B / lengths.mean_unit if lengths.mean_unit else 0.0), K1 * b / lengths.mean_file
    by_file, by_file_title, by_unit, by_unit_title = (defaultdict[int, float](float) for _ in range(4))
    for term, rare, numbers, counts in _best_terms(lists, field, terms):
        frequency: dict[int, int] = {}
        weight = term.weight * rare
        for unit, count in zip(numbers, counts, strict=True):
            score = weight * count / (count + base + per_unit * unit_length[unit])
            by_unit[unit] += score
            if term.in_title:
                by_unit_title[unit] += score
            file = file_of[unit]
            frequency[file] = frequency.get(file, 0) + count
        weight = term.weight * rarity(len(frequency), lists.files)
        for file, count in frequency.items():
            score = weight * count / (count + base_file + per_file * file_length[file])
            by_file[file] += score
            if term.in_title:
                by_file_title[file] += score
    return Scores(by_file, by_file_title, by_unit, by_unit_title)


def bm25_paths(lists: InvertedLists, terms: Iterable[Term], path_lengths: Sequence[int]) -> Scores:
    """Score files by the words of their paths."""
    mean = sum(path_lengths) / len(path_lengths)
    scores, title = defaultdict[int, float](float), defaultdict[int, float](float)
    for term in terms:
        numbers, counts = lists.find("path", term.text)
        weight = term.weight * rarity(len(numbers), lists.files)
        for file, count in zip(numbers, counts, strict=True):
            score = weight * count / (count + K1 * (1 - B_PATH + B_PATH * path_lengths[file] / mean))
            scores[file] += score
            if term.in_title:
                title[file] += score
    return Scores(scores, title, {}, {})


def rarity(count: int, total: int) -> float:
    """The inverse document frequency of a term in `count` of `total` texts, above 0."""
    return math.log(1.0 + (max(total, count) - count + 0.5) / (count + 0.5))


def _best_terms(
    lists: InvertedLists, field: str, terms: Iterable[Term]
) -> Iterator[tuple[Term, float, Sequence[int], Sequence[int]]]:
    found = []
    for term in terms:
        numbers, counts = lists.find(field, term.text)
        if len(numbers):
            found.append((term, rarity(len(numbers), lists.units), numbers, counts))
    found.sort(key=lambda item: -item[0].weight * item[1])
    left = MOST_POSTINGS
    for item in found[:MOST_TERMS]:
        left -= len(item[2])
        if left < 0:
            break
        yield item
