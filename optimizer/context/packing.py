"""Which bodies to send whole: those that are worth most within the tokens there are; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.context.rank import RankedUnit

CONTRAST = 1.5
OPENING = 14
LEAST_COST = 30
MOST_FORCED = 6
ENOUGH = 60


def plan(units: Sequence[RankedUnit], space: int, max_files: int, opened: Collection[str] = ()) -> list[RankedUnit]:
    """The units to take whole, best value for their tokens first; `opened` are the files already drawn from.

    The value of a unit is its score to a power above 1, since the best scores are the most reliable. Units are taken by
    value for each token; or, when the sum is higher that way, with one of the most valuable few first.
    """
    named = [unit for unit in units if unit.symbol and unit.score > 0.0]
    worth = [unit.score**CONTRAST for unit in named]
    order = sorted(range(len(named)), key=lambda at: -worth[at] / max(LEAST_COST, named[at].cost))
    forced = sorted(order, key=lambda at: -worth[at])[:MOST_FORCED]
    plans = [
        list(_taken(named, [*first, *order], space, (max_files, opened))) for first in ([], *([at] for at in forced))
    ]
    best = max(plans, key=lambda taken: sum(worth[at] for at in taken))
    return [named[at] for at in best]


def _taken(
    units: Sequence[RankedUnit], order: Sequence[int], space: int, files: tuple[int, Collection[str]]
) -> Iterator[int]:
    most, opened = files
    paths = set(opened)
    seen: set[int] = set()
    for at in order:
        unit = units[at]
        is_new = unit.path not in paths
        cost = unit.cost + OPENING * is_new
        if at not in seen and cost <= space and not (is_new and len(paths) >= most):
            yield at
            seen.add(at)
            paths.add(unit.path)
            space -= cost
            if space < ENOUGH:
                return
