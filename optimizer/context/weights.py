"""The weights of the ranking, by hand and learned: columns, factors by kind, reasons, and small trees and lines."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate
from operator import and_, getitem, mul
from pathlib import Path
from typing import Any, Literal, NamedTuple

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
    "title": 1.0,
    "title_unit": 0.4,
    "title_path": 0.85,
    "title_names": 0.2,
    "messages": 1.0,
    "churn": 0.2,
    "imports": 0.2,
    "folder": 0.2,
    "together": 0.3,
    "loosely": 0.5,
    "tested": 0.4,
    "tests_together": 0.3,
    "title_messages": 0.8,
    "stem_said": 0.3,
}
UNIT_WEIGHTS: Mapping[str, float] = {
    "line": 3.0,
    "defines": 1.5,
    "body": 1.0,
    "names": 0.6,
    "title": 0.6,
    "title_names": 0.3,
    "uses": 0.5,
    "doc": 0.2,
    "quoted": 1.0,
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
OF_FILE = ("first", "stem", "stem_title", "length", "depth", "factor", "init", "declarations")
FILE_COLUMNS = (*FILE_WEIGHTS, *OF_FILE)
FIRST, FACTOR = FILE_COLUMNS.index("first"), FILE_COLUMNS.index("factor")
SHAPE_COLUMNS = ("evidence", "kind", *OF_FILE)  # two logarithms, of the weighted signals and of the factor, and these
OF_UNIT = (
    *("said", "said_title", "title_says", "member", "member_said", "member_title", "function", "private", "special"),
    *("size", "units", "file", "behind", "first_file", "log_sum", "log_body", "log_title"),
    *("body_share", "title_share", "uses_share", "class_title"),
)
UNIT_COLUMNS = (*UNIT_WEIGHTS, *OF_UNIT)
AROUND_COLUMNS = ("alone", "size", "file", "behind", "alike", "near", "in_class", "in_file")
EVERYWHERE = ("churn", "folder")  # signals that nearly every file has


# ── learned ──────────────────────────────────────────────────────────────────────────────────────

TABLE = Path(__file__).with_name("learned.json")

Tree = tuple[int, float, Any, Any] | float


class Line(NamedTuple):
    """A weighted sum of columns, in their order, with a bias."""

    bias: float
    weights: tuple[float, ...]

    def total(self, row: Sequence[float]) -> float:
        """The weighted sum of a row."""
        return self.bias + float(sum(map(mul, self.weights, row)))


def file_lines(*, is_question: bool, has_history: bool) -> tuple[Line, Line]:
    """The lines for evidence and shape of a file: for questions of one line or for reports, with or without history."""
    kind = ("" if has_history else "bare_") + ("question_" if is_question else "")
    return line(f"{kind}signals", tuple(FILE_WEIGHTS)), line(f"{kind}files", SHAPE_COLUMNS)


@cache
def line(kind: str, columns: tuple[str, ...]) -> Line:
    """The line over rows of these columns, from `learned.json`; a column that is not in it has weight 0."""
    weights = _table(TABLE)[kind]
    return Line(float(weights["bias"]), tuple(float(weights.get(name, 0.0)) for name in columns))


MOST_LEAVES = 8


class Forest(NamedTuple):
    """Trees of at most eight leaves, each a byte whose lowest bit that is left is the leaf that a row falls into.

    For each column there are its bounds, ascending, and what is left of all leaves where so many of them are exceeded.
    """

    leaves: tuple[tuple[float, ...], ...]
    columns: tuple[tuple[tuple[float, ...], tuple[int, ...]], ...]

    def total(self, row: Sequence[float]) -> float:
        """The sum over the trees of the leaf that a row falls into."""
        left = (1 << 8 * len(self.leaves)) - 1
        for value, (bounds, masks) in zip(row, self.columns, strict=True):
            left &= masks[bisect_left(bounds, value)]
        places = left.to_bytes(len(self.leaves), "little").translate(_LOWEST)
        return float(sum(map(getitem, self.leaves, places)))


_LOWEST = bytes([0, *((byte & -byte).bit_length() - 1 for byte in range(1, 256))])


def forest(trees: Iterable[Tree], columns: int) -> Forest:
    """The trees over rows of so many columns, in a form that is fast to apply."""
    leaves: list[tuple[float, ...]] = []
    found: list[list[tuple[float, int]]] = [[] for _ in range(columns)]
    for number, tree in enumerate(trees):
        own: list[float] = []
        for column, bound, mask in _branches(tree, own):
            found[column].append((bound, ~(mask << 8 * number)))
        if len(own) > MOST_LEAVES:
            raise ValueError(f"a tree has {len(own)} leaves")
        leaves.append(tuple(own))
    every = (1 << 8 * len(leaves)) - 1
    ordered = [sorted(branches) for branches in found]
    return Forest(
        tuple(leaves),
        tuple(
            (tuple(bound for bound, _ in each), tuple(accumulate((mask for _, mask in each), and_, initial=every)))
            for each in ordered
        ),
    )


def _branches(node: Tree, leaves: list[float]) -> Iterator[tuple[int, float, int]]:
    """The column and bound of each branch, with a bit for each leaf that is out above it; adds the leaves."""
    if not isinstance(node, tuple):
        leaves.append(node)
        return
    column, bound, low, high = node
    first = len(leaves)
    yield from _branches(low, leaves)
    yield column, bound, (1 << len(leaves)) - (1 << first)
    yield from _branches(high, leaves)


@cache
def trees(kind: Literal["around"], columns: tuple[str, ...]) -> Forest:
    """The trees over rows of these columns, from the table that `benchmarks/learn.py` writes."""
    numbers = {name: number for number, name in enumerate(columns)}
    return forest((_tree(node, numbers) for node in _table(TABLE)[kind]), len(columns))


@cache
def _table(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _tree(node: Any, numbers: dict[str, int]) -> Tree:
    if isinstance(node, list):
        name, threshold, low, high = node
        return numbers[name], float(threshold), _tree(low, numbers), _tree(high, numbers)
    return float(node)


def chance(total: float) -> float:
    """A sum of weights as a probability."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))
