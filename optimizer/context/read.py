"""Lift the files that a reader named: to the first ones, each with its best unit."""

from __future__ import annotations

from collections.abc import Collection

from optimizer.context.rank import Ranking
from optimizer.retrieval import Signal

READ = Signal("read")


def lifted(ranking: Ranking, paths: Collection[str]) -> Ranking:
    """The ranking with the files at `paths` as good as the best one, and the best unit of each as good as the best."""
    best_file = max((file.score for file in ranking.files), default=0.0)
    best_unit = max((unit.score for unit in ranking.units), default=0.0)
    files = [
        file._replace(score=best_file, why=(*file.why, READ)) if file.path in paths else file for file in ranking.files
    ]
    units, waiting = [], set(paths)
    for unit in ranking.units:
        if unit.symbol and unit.path in waiting:
            waiting.remove(unit.path)
            units.append(unit._replace(score=best_unit, why=(*unit.why, READ)))
        else:
            units.append(unit)
    files.sort(key=lambda file: (-file.score, file.path not in paths))
    units.sort(key=lambda unit: -unit.score)
    return ranking._replace(files=tuple(files), units=tuple(units))
