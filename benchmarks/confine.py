"""The cost of confinement: `true` in each layer and without one, in turns: `python benchmarks/confine.py [ROUNDS]`.

Prints milliseconds of wall time and of processor time (ours and that of all children) beyond the bare command, median
and least, as JSON.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from optimizer.confine.run import LAYERS, Bounds, Layer, run
from optimizer.confine.view import Place


def main(rounds: int = 30) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as made:
        taken = measure(Path(made), rounds)
    bare = taken.pop("bare")
    print(
        json.dumps(
            {
                "date": datetime.now(UTC).date().isoformat(),
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}",
                "rounds": rounds,
                "bare": summary(bare, (0.0, 0.0)),
                "beyond": {name: summary(times, medians(bare)) for name, times in taken.items()},
            },
            indent=1,
        )
    )


def measure(folder: Path, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and processor time of each way to run `true`, in milliseconds, a pair for each round."""
    ways: dict[str, Callable[[], object]] = {"bare": lambda: subprocess.run(["true"], check=True)}
    for layer in LAYERS:
        ways[layer] = confined(folder / layer, layer)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(timed(way))
    return taken


def confined(area: Path, layer: Layer) -> Callable[[], object]:
    """A run of `true` in an empty copy, held by that layer."""
    place = Place(area / "root", area / "area")
    for path in (place.tree, place.root):
        path.mkdir(parents=True)

    def ran() -> object:
        ended = run(("true",), place, os.environ, Bounds(30.0, (layer,)))
        if ended.code != 0 or ended.layer != layer:
            raise SystemExit(f"{layer} cannot hold a command here: {ended}")
        return ended

    return ran


def timed(way: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time of one run, in milliseconds."""
    wall, processor = time.perf_counter(), used()
    way()
    return (time.perf_counter() - wall) * 1000, (used() - processor) * 1000


def used() -> float:
    """Seconds of processor time of this process and its ended children."""
    parts = (resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in parts)


def medians(times: list[tuple[float, float]]) -> tuple[float, float]:
    """The medians of wall and of processor time."""
    return statistics.median(pair[0] for pair in times), statistics.median(pair[1] for pair in times)


def summary(times: list[tuple[float, float]], less: tuple[float, float]) -> dict[str, dict[str, float]]:
    """Median and least, without what a bare command takes."""
    kinds = zip(("wall", "processor"), zip(*times, strict=True), medians(times), less, strict=True)
    return {
        kind: {"median": round(median - bare, 1), "least": round(min(values) - bare, 1)}
        for kind, values, median, bare in kinds
    }


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
