"""The vectors of all candidates of an issue, for benchmarks that order them by meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.context.files import FileLines
from optimizer.context.mentions import find_mentions
from optimizer.context.rank import rank
from optimizer.context.semantic import Reranker, candidates
from optimizer.index.embed import Embedder, ModelChoice, open_model
from optimizer.index.reader import Index
from optimizer.index.vectors import fill, missing, open_vectors

_loaded: dict[ModelChoice, Embedder] = {}


def with_vectors(choice: ModelChoice, issue: Mapping[str, Any], index: Index) -> Reranker:
    """A reranker that has the vectors of all candidates of an issue."""
    if choice not in _loaded:
        _loaded[choice] = open_model(choice)
    embedder, vectors = _loaded[choice], open_vectors(index.file, choice.id)
    source = FileLines(index)
    pieces = candidates(rank(find_mentions(issue["query"]), index, source), source)
    fill(missing(pieces.values(), vectors), embedder, vectors, lambda _: None)
    return Reranker(lambda: embedder, vectors, choice.id)
