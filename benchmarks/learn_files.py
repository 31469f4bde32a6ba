"""Learn the weights that order the candidate files, starting from those set by hand.

The score of a file is `a * log(weighted signals) + b * log(factor of its kind) + a weighted rest`; of the candidates of
a request a gold file should have the highest. Each weight is held back to the one in `weights.py` (in logarithms), for
there are far fewer issues than would tell every weight.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from optimizer.context.weights import FACTOR, FILE_COLUMNS, FILE_WEIGHTS, SHAPE_COLUMNS, Line

SHARPNESS, LEAST = 4.0, 0.05
REST = ("stem", "stem_title", "length", "depth", "init", "declarations")
NOT_RANKED = 10**6


class Pull(NamedTuple):
    """How strongly weights are held to those set by hand, to the sharpness, and the rest to 0."""

    to_hand: float
    to_sharpness: float
    to_zero: float


REPORTS, QUESTIONS = Pull(0.3, 0.003, 0.5), Pull(0.01, 0.003, 0.015)


class FileModel(NamedTuple):
    """The two lines that `rank.file_total` takes."""

    evidence: Line
    shape: Line

    def totals(self, rows: Any) -> Any:
        """The scores of the rows of one request, as an array."""
        import numpy

        evidence = numpy.log(rows[:, : len(FILE_WEIGHTS)] @ numpy.array(self.evidence.weights) + self.evidence.bias)
        columns = numpy.column_stack([evidence, numpy.log(rows[:, FACTOR]), rows[:, len(FILE_WEIGHTS) :]])
        return columns @ numpy.array(self.shape.weights)

    def table(self) -> dict[str, dict[str, float]]:
        """What ships of it."""
        signals = {name: float(f"{value:.4g}") for name, value in zip(FILE_WEIGHTS, self.evidence.weights, strict=True)}
        shape = {
            name: float(f"{value:.4g}") for name, value in zip(SHAPE_COLUMNS, self.shape.weights, strict=True) if value
        }
        return {"signals": {"bias": self.evidence.bias, **signals}, "files": {"bias": 0.0, **shape}}


def fit_files(
    issues: Sequence[Mapping[str, Any]], counts: Sequence[float], without: Collection[str] = (), pull: Pull = REPORTS
) -> FileModel:
    """The model for the issues, weighted by `counts`; the signals in `without` are ignored."""
    import numpy
    from scipy.optimize import minimize

    known = [(issue, count) for issue, count in zip(issues, counts, strict=True) if min(issue["gold"]) < NOT_RANKED]
    rows = numpy.vstack([numpy.array(issue["rows"]) for issue, _ in known])
    sizes = [len(issue["rows"]) for issue, _ in known]
    starts = numpy.cumsum([0, *sizes[:-1]])
    group = numpy.repeat(numpy.arange(len(known)), sizes)
    share = numpy.array([count for _, count in known]) / sum(count for _, count in known)
    wanted = numpy.concatenate([_wanted(issue) for issue, _ in known])
    hand = numpy.array([0.0 if name in without else weight for name, weight in FILE_WEIGHTS.items()])
    kind, rest = numpy.log(rows[:, FACTOR]), rows[:, [FILE_COLUMNS.index(name) for name in REST]]
    rest = rest * numpy.array([name not in without for name in REST])
    count = len(hand)
    held = numpy.concatenate(
        [numpy.full(count, pull.to_hand), [pull.to_sharpness] * 2, numpy.full(len(REST), pull.to_zero)]
    )

    def loss(at: Any) -> tuple[float, Any]:
        weights = hand * numpy.exp(at[:count])
        sharp, by_kind = SHARPNESS * numpy.exp(at[count : count + 2])
        signal = rows[:, :count] @ weights + LEAST
        logs = numpy.log(signal)
        total = sharp * logs + by_kind * kind + rest @ at[count + 2 :]
        total -= numpy.maximum.reduceat(total, starts)[group]
        chance = numpy.exp(total)
        mass = numpy.add.reduceat(chance, starts)
        gained = numpy.add.reduceat(wanted * total, starts) - numpy.log(mass)
        off = (chance / mass[group] - wanted) * share[group]
        by_signal = sharp * (rows[:, :count].T @ (off / signal)) * weights
        slope = numpy.concatenate([by_signal, [sharp * (off @ logs), by_kind * (off @ kind)], rest.T @ off])
        return -(share @ gained) + held @ at**2, slope + 2 * held * at

    bounds = [(-3.0, 2.0)] * (count + 2) + [(-3.0, 3.0)] * len(REST)
    found = minimize(loss, numpy.zeros(count + 2 + len(REST)), jac=True, method="L-BFGS-B", bounds=bounds).x
    sharp, by_kind = SHARPNESS * numpy.exp(found[count : count + 2])
    shape = {"evidence": sharp, "kind": by_kind, **dict(zip(REST, found[count + 2 :], strict=True))}
    return FileModel(
        Line(LEAST, tuple(map(float, hand * numpy.exp(found[:count])))),
        Line(0.0, tuple(float(0.0 if name in without else shape.get(name, 0.0)) for name in SHAPE_COLUMNS)),
    )


def _wanted(issue: Mapping[str, Any]) -> Any:
    """Each gold file with an equal share, among all candidates of an issue."""
    import numpy

    gold = numpy.isin(numpy.arange(len(issue["rows"])), issue["gold"])
    return gold / gold.sum()
