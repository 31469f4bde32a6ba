"""BM25 over units and files in one pass over inverted lists; terms found nearly everywhere are skipped."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from optimizer.context.terms import Term
from optimizer.index.kept import Kept
from optimizer.index.words import Postings, Words

K1, B = 1.2, 0.75
B_NAMES, B_PATH = 0.5, 0.5
MOST_TERMS = 60
MOST_POSTINGS = 120_000
MOST_KEPT = 600_000  # numbers of units and files of terms whose impacts are kept
COMMON = 0.25
FEW = 50

Column = dict[int, float]


class Scores(NamedTuple):
    """Scores by file and by unit, for the whole request and for its title alone."""

    files: Column
    files_title: Column
    units: Column
    units_title: Column


class Impacts(NamedTuple):
    """How much a term counts in each unit and in each file that holds it, before its weight; files are ascending.

    For the field 'path' there are only files.
    """

    units: Sequence[int]
    in_units: Sequence[float]
    files: Sequence[int]
    in_files: Sequence[float]


class Saturation:
    """How much terms count by how often they occur and by how long the texts are, for one tree; the last are kept."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._kept: Kept[tuple[str, str], Impacts] = Kept(MOST_KEPT)
        self._mean_file = sum(words.file_lengths) / (len(words.paths) or 1) or 1.0
        self._mean_path = sum(map(len, words.paths)) / (len(words.paths) or 1)

    def of(self, field: str, term: str, postings: Postings) -> Impacts:
        """The impacts of a term that has these postings."""
        found = self._kept.get((field, term))
        if found is None:
            found = self._in_paths(*postings) if field == "path" else self._in_texts(field, *postings)
            self._kept.put((field, term), found, 1 + len(found.units) + len(found.files))
        return found

    def _in_paths(self, files: Sequence[int], counts: Sequence[int]) -> Impacts:
        paths, mean = self._words.paths, self._mean_path
        impacts = [
            count / (count + K1 * (1 - B_PATH + B_PATH * len(paths[file]) / mean))
            for file, count in zip(files, counts, strict=True)
        ]
        return Impacts((), (), files, array("d", impacts))

    def _in_texts(self, field: str, units: Sequence[int], counts: Sequence[int]) -> Impacts:
        words = self._words
        if field == "body":
            b, base, by_length = B, K1 * (1 - B), K1 * B / (words.mean_length or 1.0)
            sizes = map(words.length.__getitem__, units)
            in_units = [count / (count + base + by_length * size) for count, size in zip(counts, sizes, strict=True)]
        else:
            b, in_units = B_NAMES, [count / (count + K1) for count in counts]
        frequency: dict[int, int] = {}
        for file, count in zip(map(words.file_of.__getitem__, units), counts, strict=True):
            frequency[file] = frequency.get(file, 0) + count
        lengths, base, by_length = words.file_lengths, K1 * (1 - b), K1 * b / self._mean_file
        in_files = [count / (count + base + by_length * lengths[file]) for file, count in frequency.items()]
        return Impacts(units, array("d", in_units), array("I", frequency), array("d", in_files))


class InvertedLists(NamedTuple):
    """The inverted lists of a tree; a term that more than the share `common` of its units have says nothing."""

    words: Words
    common: float = COMMON

    def find(self, field: str, term: str) -> Postings:
        """Where a term occurs and how often; nothing for a term that occurs nearly everywhere."""
        words = self.words
        most = round(self.common * (len(words.paths) if field == "path" else words.total_units))
        return words.postings(field, term, max(FEW, most))

    def impacts(self, field: str, term: str) -> Impacts:
        """How much a term counts where it occurs; nothing for a term that occurs nearly everywhere."""
        postings = self.find(field, term)
        return self.words.once(Saturation).of(field, term, postings) if postings.numbers else _NOWHERE


_NOWHERE = Impacts((), (), (), ())
_Found = tuple[Term, float, Impacts]


def bm25(lists: InvertedLists, field: str, terms: Iterable[Term]) -> Scores:
    """Score all units and files that hold any of the terms in a field, as if all units were one long but in bodies."""
    return _scores(lists, _best_terms(lists, field, terms))


def bm25_paths(lists: InvertedLists, terms: Iterable[Term]) -> Scores:
    """Score files by the words of their paths."""
    return _scores(lists, [(term, 0.0, lists.impacts("path", term.text)) for term in terms])


def _scores(lists: InvertedLists, found: Sequence[_Found]) -> Scores:
    files, units = _sums(lists, found)
    titled = [each for each in found if each[0].in_title]
    if len(titled) == len(found):
        return Scores(files, files, units, units)
    files_title, units_title = _sums(lists, titled)
    return Scores(files, files_title, units, units_title)


def _sums(lists: InvertedLists, found: Sequence[_Found]) -> tuple[Column, Column]:
    files, units = defaultdict[int, float](float), defaultdict[int, float](float)
    total = len(lists.words.paths)
    for term, rare, impacts in found:
        weight = term.weight * rare
        for unit, impact in zip(impacts.units, impacts.in_units, strict=True):
            units[unit] += weight * impact
        weight = term.weight * rarity(len(impacts.files), total)
        for file, impact in zip(impacts.files, impacts.in_files, strict=True):
            files[file] += weight * impact
    return files, units


def rarity(count: int, total: int) -> float:
    """The inverse document frequency of a term in `count` of `total` texts, above 0."""
    return math.log(1.0 + (max(total, count) - count + 0.5) / (count + 0.5))


def _best_terms(lists: InvertedLists, field: str, terms: Iterable[Term]) -> list[_Found]:
    """The terms that say most, with their rarity among the units and where they occur."""
    found = []
    for term in terms:
        impacts = lists.impacts(field, term.text)
        if impacts.files:
            found.append((term, rarity(len(impacts.units), lists.words.total_units), impacts))
    found.sort(key=lambda item: -item[0].weight * item[1])
    sizes = accumulate(len(impacts.units) for _, _, impacts in found[:MOST_TERMS])
    return [item for item, size in zip(found, sizes, strict=False) if size <= MOST_POSTINGS]
