"""The weights that were learned: small trees of plain numbers, and the sum of their leaves for a row of signals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

TABLE = Path(__file__).with_name("learned.json")

Tree = tuple[int, float, Any, Any] | float
Trees = tuple[Tree, ...]


@cache
def trees(kind: Literal["files", "units"], columns: tuple[str, ...]) -> Trees:
    """The trees over rows of these columns, from the table that `benchmarks/learn.py` writes."""
    numbers = {name: number for number, name in enumerate(columns)}
    return tuple(_tree(node, numbers) for node in json.loads(TABLE.read_bytes())[kind])


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
