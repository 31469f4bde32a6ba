"""Which bodies to send whole: those that are worth most within the tokens there are; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from heapq import heapify, heappop, heappush, nlargest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.context.rank import RankedUnit

CONTRAST = 1.5
OPENING = 14
LEAST_COST = 30
MOST_FORCED = 6
ENOUGH = 60
MORE_OF_FILE = 0.05 / 1000  # for each token of a file taken, what the next is worth less


def plan(units: Sequence[RankedUnit], space: int, max_files: int, opened: Collection[str] = ()) -> list[RankedUnit]:
    """The units to take whole, best value for their tokens first; `opened` are the files already drawn from.

    The value of a unit is its score to a power above 1, since the best scores are the most reliable, and less the more
    of its file is taken. Units are taken by value for each token; or, when the sum is higher that way, with one of the
    most valuable few first.
    """
    named = [unit for unit in units if unit.symbol and unit.score > 0.0]
    worth = [unit.score**CONTRAST for unit in named]
    dense = [(-worth[at] / max(LEAST_COST, unit.cost), at) for at, unit in enumerate(named)]
    heapify(dense)
    plans = []
    for first in (None, *nlargest(MOST_FORCED, range(len(named)), key=worth.__getitem__)):
        one = _Plan(named, worth, space, max_files, set(opened))
        if first is not None:
            one.take(first)
        one.fill(dense.copy())
        plans.append(one)
    return [named[at] for at in max(plans, key=lambda one: one.sum).taken]


class _Plan:
    """The places of the units taken so far, the sum of what they are worth, and the space that is left."""

    def __init__(
        self, units: Sequence[RankedUnit], worth: Sequence[float], space: int, max_files: int, paths: set[str]
    ) -> None:
        self.units, self.worth, self.space, self.max_files, self.paths = units, worth, space, max_files, paths
        self.taken: dict[int, None] = {}
        self.sum = 0.0
        self.of_file: dict[str, int] = defaultdict(int)

    def fill(self, dense: list[tuple[float, int]]) -> None:
        """Take units while there is space; `dense` is a heap of what each is worth for a token, below 0."""
        while dense and self.space >= ENOUGH:
            value, at = heappop(dense)
            now = -self.worth[at] / max(LEAST_COST, self.units[at].cost) * self._share(at)
            if now > value and dense and now > dense[0][0]:
                heappush(dense, (now, at))
            else:
                self.take(at)

    def take(self, at: int) -> None:
        """Take a unit unless it is taken, or there is no room for it."""
        unit = self.units[at]
        is_new = unit.path not in self.paths
        cost = unit.cost + OPENING * is_new
        if at in self.taken or cost > self.space or (is_new and len(self.paths) >= self.max_files):
            return
        self.sum += self.worth[at] * self._share(at)
        self.taken[at] = None
        self.paths.add(unit.path)
        self.of_file[unit.path] += unit.cost
        self.space -= cost

    def _share(self, at: int) -> float:
        return 1 / (1 + MORE_OF_FILE * self.of_file[self.units[at].path])
