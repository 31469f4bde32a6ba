"""Figures with intervals over the results of `retrieval.py`: each is a sum over a sum, one pair a request."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

RESAMPLES = 1000
FIRST = 10

Result = Mapping[str, Any]
Pairs = Mapping[str, tuple[str, float, float]]


class Figure(NamedTuple):
    """A line of the table: of which set, in which unit (100: percent), and what a result adds, if anything."""

    set: str
    name: str
    unit: float
    of: Callable[[Result], tuple[float, float] | None]
    mean_of_repositories: bool = False


def ndcg(result: Result) -> float:
    """The gain of the first ten files, one for each gold file, over the highest possible."""
    gained = sum(1 / math.log2(place + 1) for place in result["places"] if place <= FIRST)
    return gained / sum(1 / math.log2(place + 1) for place in range(1, min(FIRST, len(result["places"])) + 1))


def _within(rank: int, key: str = "places", of: Callable[[Result], bool] = lambda result: True) -> Any:
    def pair(result: Result) -> tuple[float, float] | None:
        if not result.get(key) or not of(result):
            return None
        return float(max(result[key]) <= rank), 1.0

    return pair


def _gain(of: Callable[[Result], bool] = lambda result: True) -> Any:
    return lambda result: (ndcg(result), 1.0) if of(result) else None


def _functions(budget: str, held: bool = False) -> Any:
    def pair(result: Result) -> tuple[float, float] | None:
        covered = result.get("held_bodies", {}).get(budget) if held else result.get(budget, {}).get("covered")
        return (sum(covered), len(covered)) if covered and _is_python(result) else None

    return pair


def _lines(of: Callable[[Result], bool]) -> Any:
    def pair(result: Result) -> tuple[float, float] | None:
        inside, edited = result["6000"]["lines"]
        return (inside / edited, 1.0) if edited and of(result) else None

    return pair


def _used(result: Result) -> tuple[float, float] | None:
    own = result["6000"]
    return (own["tokens"] / 6000, 1.0) if own["left"] else None


def _in_bodies(result: Result) -> tuple[float, float] | None:
    own = result["6000"]
    return (own["in_bodies"] / 6000, 1.0) if own["left"] else None


def _dense(result: Result) -> tuple[float, float] | None:
    inside, edited = result["6000"]["lines"]
    return (inside, result["6000"]["tokens"]) if edited else None


def _dense_files(result: Result) -> tuple[float, float] | None:
    return result["6000"]["of_gold"], result["6000"]["tokens"]


def _is_python(result: Result) -> bool:
    return bool(result["language"] == "python")


def _is_other(result: Result) -> bool:
    return not _is_python(result)


def _has_several(result: Result) -> bool:
    return len(result["places"]) > 1


FIGURES = (
    *(Figure("dev", f"@{rank}, each repository held back", 100, _within(rank, "held")) for rank in (1, 3, 5)),
    *(Figure("dev", f"@{rank}, as shipped (learned on these)", 100, _within(rank)) for rank in (1, 3, 5)),
    Figure("dev", "other languages @5, held back", 100, _within(5, "held", _is_other)),
    Figure("dev", "other languages @5, as shipped", 100, _within(5, "places", _is_other)),
    Figure(
        "dev",
        "other languages, several files, all @5, as shipped",
        100,
        _within(5, "places", lambda result: _is_other(result) and _has_several(result)),
    ),
    *(Figure("denchmark", f"@{rank}", 100, _within(rank)) for rank in (1, 3, 5)),
    Figure("denchmark", "other languages @5", 100, _within(5, "places", _is_other)),
    Figure("denchmark", "several files, all @5", 100, _within(5, "places", _has_several)),
    Figure("short", "NDCG@10", 1, _gain(), True),
    *(
        Figure("short", f"NDCG@10, {kind}", 1, _gain(lambda result, kind=kind: result["category"] == kind), True)
        for kind in ("symbol", "semantic", "architecture")
    ),
    Figure("bare", "NDCG@10, without history", 1, _gain(), True),
    *(Figure("dev", f"functions whole, {size}, held back", 100, _functions(size, True)) for size in ("6000", "12000")),
    *(Figure("dev", f"functions whole, {size}, as sent", 100, _functions(size)) for size in ("6000", "12000")),
    *(
        Figure(name, f"edited lines in bodies, 6000, {title}", 100, _lines(of))
        for name in ("dev", "denchmark")
        for title, of in (("Python", _is_python), ("others", _is_other))
    ),
    *(Figure(name, "budget used when evidence is left", 100, _used) for name in ("dev", "denchmark", "short")),
    *(Figure(name, "of it in bodies", 100, _in_bodies) for name in ("dev", "denchmark", "short")),
    *(Figure(name, "edited lines in bodies, 1,000 tokens", 1000, _dense) for name in ("dev", "denchmark")),
    Figure("short", "lines of gold files, 1,000 tokens", 1000, _dense_files),
)


def table(results: Mapping[str, Sequence[Result]], before: Mapping[str, Sequence[Result]]) -> Iterator[dict[str, Any]]:
    """Each figure with the interval of 95 % of resamples, and its change on the same requests where known."""
    for figure in FIGURES:
        pairs = _pairs(figure, results.get(figure.set, ()))
        if not pairs:
            continue
        row = {"set": figure.set, "figure": figure.name, "requests": len(pairs), **_interval(figure, pairs)}
        older = _pairs(figure, before.get(figure.set, ()))
        common = sorted(pairs.keys() & older.keys())
        if common:
            row["change"] = _change(figure, [pairs[name] for name in common], [older[name] for name in common])
            row["compared"] = len(common)
        yield row


def _pairs(figure: Figure, results: Sequence[Result]) -> Pairs:
    found = {}
    for result in results:
        pair = figure.of(result)
        if pair is not None:
            found[result["id"]] = (result["repo"], *pair)
    return found


def _interval(figure: Figure, pairs: Pairs) -> dict[str, float]:
    values = list(pairs.values())
    low, high = _spread([_value(figure, drawn) for drawn in _resamples(figure, values)])
    return {"value": _value(figure, values), "low": low, "high": high}


def _change(figure: Figure, now: Sequence[Any], before: Sequence[Any]) -> dict[str, float]:
    both = [(one[0], one, other) for one, other in zip(now, before, strict=True)]

    def difference(drawn: Sequence[Any]) -> float:
        return _value(figure, [pair[1] for pair in drawn]) - _value(figure, [pair[2] for pair in drawn])

    low, high = _spread([difference(drawn) for drawn in _resamples(figure, both)])
    return {"value": difference(both), "low": low, "high": high}


def _value(figure: Figure, pairs: Sequence[tuple[str, float, float]]) -> float:
    if not figure.mean_of_repositories:
        return figure.unit * sum(pair[1] for pair in pairs) / max(1e-9, sum(pair[2] for pair in pairs))
    groups = _by_repository(pairs).values()
    return figure.unit * sum(sum(pair[1] for pair in own) / len(own) for own in groups) / len(groups)


def _resamples(figure: Figure, values: Sequence[Any]) -> Iterator[list[Any]]:
    """The requests drawn again and again; within each repository where repositories count alike."""
    chance = random.Random(1)
    groups = list(_by_repository(values).values()) if figure.mean_of_repositories else [values]
    for _ in range(RESAMPLES):
        yield [one for own in groups for one in chance.choices(own, k=len(own))]


def _by_repository(values: Sequence[Any]) -> Mapping[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for value in values:
        groups[value[0]].append(value)
    return groups


def _spread(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return ordered[round(0.025 * len(ordered))], ordered[round(0.975 * len(ordered)) - 1]


def line(row: Mapping[str, Any]) -> str:
    """A row of the table as text."""
    digits = 3 if row["figure"].startswith("NDCG") else 1
    text = f"{row['set']:10} {row['figure']:52}{row['requests']:6}{row['value']:9.{digits}f}"
    text += f"  {row['low']:.{digits}f} to {row['high']:.{digits}f}"
    if "change" in row:
        change = row["change"]
        text += f"   {change['value']:+.{digits}f} ({change['low']:+.{digits}f} to {change['high']:+.{digits}f})"
    return text
