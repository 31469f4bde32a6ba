"""Which bodies to send: the units that together are most likely what is wanted, for the tokens there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.context.rank_units import RankedUnit

CONTRAST = 2
OPENING = 14
LEAST_COST = 30
MOST_FORCED = 6
ENOUGH = 60


def plan(units: Sequence[RankedUnit], room: int, max_files: int, opened: Collection[str] = ()) -> list[RankedUnit]:
    """The units to take whole, most for their tokens first; `opened` are the files already drawn from.

    Each is worth its score to a power above 1, for scores tell more surely of the best than of the many. Taken are
    those worth most for each token; or, where that is worth more together, one of the largest few first.
    """
    named = [unit for unit in units if unit.symbol and unit.score > 0.0]
    worth = [unit.score**CONTRAST for unit in named]
    order = sorted(range(len(named)), key=lambda at: -worth[at] / max(LEAST_COST, named[at].cost))
    forced = sorted(order, key=lambda at: -worth[at])[:MOST_FORCED]
    plans = [
        list(_taken(named, [*first, *order], room, (max_files, opened))) for first in ([], *([at] for at in forced))
    ]
    best = max(plans, key=lambda taken: sum(worth[at] for at in taken))
    return [named[at] for at in best]


def _taken(
    units: Sequence[RankedUnit], order: Sequence[int], room: int, files: tuple[int, Collection[str]]
) -> Iterator[int]:
    most, opened = files
    paths = set(opened)
    seen: set[int] = set()
    for at in order:
        unit = units[at]
        is_new = unit.path not in paths
        cost = unit.cost + OPENING * is_new
        if at not in seen and cost <= room and not (is_new and len(paths) >= most):
            yield at
            seen.add(at)
            paths.add(unit.path)
            room -= cost
            if room < ENOUGH:
                return
