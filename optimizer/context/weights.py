"""The weights of the ranking, by hand and learned: columns, factors by kind, reasons, and small trees and lines."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
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
Trees = tuple[Tree, ...]


class Line(NamedTuple):
    """A weighted sum of columns, in their order, with a bias."""

    bias: float
    weights: tuple[float, ...]

    def total(self, row: Sequence[float]) -> float:
        """The weighted sum of a row."""
        return self.bias + sum(weight * value for weight, value in zip(self.weights, row, strict=True))


def file_lines(*, is_question: bool) -> tuple[Line, Line]:
    """The lines for evidence and shape of a file: those for questions of one line, or for reports."""
    if is_question:
        return line("question_signals", tuple(FILE_WEIGHTS)), line("question_files", SHAPE_COLUMNS)
    return line("signals", tuple(FILE_WEIGHTS)), line("files", SHAPE_COLUMNS)


LineName = Literal["signals", "files", "question_signals", "question_files", "units"]


@cache
def line(kind: LineName, columns: tuple[str, ...]) -> Line:
    """The line over rows of these columns, from `learned.json`; a column that is not in it has weight 0."""
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


def chance(total: float) -> float:
    """A sum of weights as a probability."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))
