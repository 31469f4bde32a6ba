"""The weights that were learned: small trees and lines of plain numbers, and their sums for a row of signals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

TABLE = Path(__file__).with_name("learned.json")

Tree = tuple[int, float, Any, Any] | float
Trees = tuple[Tree, ...]


class Line(NamedTuple):
    """A weighted sum of columns, in their order, and what is added to it."""

    bias: float
    weights: tuple[float, ...]

    def total(self, row: Sequence[float]) -> float:
        """The weighted sum of a row."""
        return self.bias + sum(weight * value for weight, value in zip(self.weights, row, strict=True))


@cache
def line(kind: Literal["signals", "files", "units"], columns: tuple[str, ...]) -> Line:
    """The line over rows of these columns, from the same table; a column that it does not tell of weighs nothing."""
    weights = _table(TABLE)[kind]
    return Line(float(weights["bias"]), tuple(float(weights.get(name, 0.0)) for name in columns))


@cache
def trees(kind: Literal["around"], columns: tuple[str, ...]) -> Trees:
    """The trees over rows of these columns, from the table that `benchmarks/learn.py` writes."""
    numbers = {name: number for number, name in enumerate(columns)}
    return tuple(_tree(node, numbers) for node in _table(TABLE)[kind])


@cache
def _table(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _tree(node: Any, numbers: dict[str, int]) -> Tree:
    if isinstance(node, list):
        name, threshold, low, high = node
        return numbers[name], float(threshold), _tree(low, numbers), _tree(high, numbers)
    return float(node)


def total(trees: Trees, row: Sequence[float]) -> float:
    """The sum over the trees of the leaf that a row falls into."""
    found = 0.0
    for tree in trees:
        node: Any = tree
        while node.__class__ is tuple:
            node = node[2] if row[node[0]] <= node[1] else node[3]
        found += node
    return found
