"""Reorder the candidates found by words, by words and meaning together.

A cosine measures how much a unit resembles the request; it counts by its distance from the mean of all candidates (in
standard deviations), so that the same weights serve models with other ranges of cosines. A score is multiplied by
exp(weight × that); a candidate without a vector keeps its score. `benchmarks/semantic.py` compares weights on issues;
these small ones lost no function at any budget, and what larger ones added was within chance
(docs/concepts/semantic-search.md).
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from optimizer.context.paths import kind_of
from optimizer.context.rank import RankedUnit, Ranking
from optimizer.index.vectors import Piece, piece
from optimizer.languages.units import extents
from optimizer.retrieval import RankedFile, Signal

if TYPE_CHECKING:
    from optimizer.context.files import FileLines
    from optimizer.index.embed import Embedder
    from optimizer.index.reader import Index
    from optimizer.index.vectors import Vectors

Key = TypeVar("Key", bound=Hashable)

MEANING = Signal("meaning")
TELLING = 1.0
ALIKE = 1e-6
MOST_CANDIDATES = 40
MOST_CHARACTERS = 2000
KINDS_IN_ORDER = ("source", "init", "declarations", "test", "docs")


@dataclass(frozen=True, slots=True)
class Weights:
    """What one standard deviation of likeness adds to the logarithm of a score."""

    units: float
    files: float


WEIGHTS = Weights(units=0.25, files=0.5)


@dataclass(frozen=True, slots=True)
class Reranker:
    """A model and the vectors there are; the model is loaded when first needed."""

    embedder: Callable[[], Embedder]
    vectors: Vectors
    model: str
    weights: Weights = WEIGHTS

    def state(self) -> str:
        """A text that changes whenever the same ranking may get another order."""
        return f"{self.model} {self.vectors.count()} {self.weights}"

    def rerank(self, text: str, ranking: Ranking, source: FileLines) -> Ranking:
        """Reorder files and units by words and meaning; `source` reads the files.

        Only the request is embedded. Raises NotFound or ConfigError when the model cannot be used, StorageError.
        """
        pieces = candidates(ranking, source)
        bodies = self.vectors.get([piece.key for piece in pieces.values()])
        if not bodies:
            return ranking
        request = next(iter(self.embedder().embed([" ".join(text.split())[:MOST_CHARACTERS]])))
        cosine = _cosines(request, bodies)
        likeness = {place: cosine[piece.key] for place, piece in pieces.items() if piece.key in cosine}
        return _ordered(ranking, likeness, self.weights)


def candidates(ranking: Ranking, source: FileLines) -> dict[int, Piece]:
    """The pieces to compare with the request, by place among the ranked units: the best units that have a name."""
    named = [place for place, unit in enumerate(ranking.units) if unit.symbol][:MOST_CANDIDATES]
    units = {place: ranking.units[place] for place in named}
    return {place: piece(unit.symbol, source.lines(unit.path), unit.spans) for place, unit in units.items()}


def pieces_of(index: Index, source: FileLines) -> Iterator[Piece]:
    """The pieces of a whole tree to embed, the most wanted kinds of files first."""
    paths = [(KINDS_IN_ORDER.index(kind), path) for path in index.paths() if (kind := kind_of(path)) in KINDS_IN_ORDER]
    for _, path in sorted(paths):
        lines = source.lines(path)
        for unit in extents(index.symbols_in(path), len(lines)):
            if unit.symbol and unit.spans:
                yield piece(unit.symbol, lines, unit.spans)
        source.known.pop(path)


def _cosines(request: bytes, bodies: Mapping[bytes, bytes]) -> dict[bytes, float]:
    """The cosine of each vector with the request's; a vector of another length is left out."""
    numpy: Any = importlib.import_module("numpy")
    usable = {key: body for key, body in bodies.items() if len(body) == len(request)}
    wanted = numpy.frombuffer(request, "<f2").astype("f4")
    cosines = numpy.frombuffer(b"".join(usable.values()), "<f2").astype("f4").reshape(len(usable), len(wanted)) @ wanted
    return dict(zip(usable, map(float, cosines), strict=True))


def _ordered(ranking: Ranking, likeness: Mapping[int, float], weights: Weights) -> Ranking:
    best: dict[str, float] = {}
    for place, value in likeness.items():
        path = ranking.units[place].path
        best[path] = max(value, best.get(path, -1.0))
    of_units, of_files = _standard(likeness), _standard(best)
    units = [
        _unit(unit, of_units[place], weights.units) if place in of_units else unit
        for place, unit in enumerate(ranking.units)
    ]
    files = [
        _file(file, of_files[file.path], weights.files) if file.path in of_files else file for file in ranking.files
    ]
    units.sort(key=lambda unit: -unit.score)
    files.sort(key=lambda file: -file.score)
    return ranking._replace(files=tuple(files), units=tuple(units))


def _standard(values: Mapping[Key, float]) -> dict[Key, float]:
    """Each value as standard deviations above the mean; 0 where all are alike."""
    mean = sum(values.values()) / max(1, len(values))
    spread = math.sqrt(sum((value - mean) ** 2 for value in values.values()) / max(1, len(values)))
    return {key: (value - mean) / spread if spread > ALIKE else 0.0 for key, value in values.items()}


def _unit(unit: RankedUnit, likeness: float, weight: float) -> RankedUnit:
    why = (*unit.why, MEANING) if likeness >= TELLING else unit.why
    return unit._replace(score=unit.score * math.exp(weight * likeness), why=why)


def _file(file: RankedFile, likeness: float, weight: float) -> RankedFile:
    why = (*file.why, MEANING) if likeness >= TELLING else file.why
    return file._replace(score=round(file.score * math.exp(weight * likeness), 4), why=why)
