"""One process that stays: what a question to an open index costs, and whether its memory grows.

    python benchmarks/resident.py REPO [--questions N] [--json OUT]

REPO is a checked out repository. Each question is a new one, made of the words of two definitions of the repository
drawn by a fixed seed. CPU is user + system of this process, as the least of five for the refreshes and, for questions,
the median and the 95th of 100; memory is what is resident before the first question and after a half and all of them.
The file that is touched gets a line of comment more, which is taken away at the end.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from optimizer.context.select import select
from optimizer.index.files import find_root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.languages.words import split
from optimizer.retrieval import ContextLimits, Query
from optimizer.settings import Settings

LIMITS = ContextLimits(3800)
PHRASES = ("where is {} {}", "how does {} work with {}", "why does {} fail when {}", "add {} to {}", "{} ignores {}")
RUNS = 5


def questions(index: Index, chance: random.Random) -> Iterator[str]:
    """Different questions without end."""
    names = [" ".join(split(name)) for name in index.all_names() if len(name) > 3]
    seen: set[str] = set()
    while True:
        question = chance.choice(PHRASES).format(chance.choice(names), chance.choice(names))
        if question not in seen:
            seen.add(question)
            yield question


def cpu(act: Callable[[], object]) -> float:
    """The milliseconds of CPU that this process spends on something."""
    started = time.process_time()
    act()
    return 1000 * (time.process_time() - started)


def resident_mb() -> float:
    """The resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def touched(index: Index, settings: Settings) -> list[float]:
    """What a refresh costs after a source file got a line more, each time one more."""
    path = index.root.path / max(index.paths(), key=lambda path: len(index.symbols_in(path)))
    before = path.read_bytes()
    found = []
    try:
        for number in range(RUNS):
            path.write_bytes(before + b"\n# %d\n" % number)
            time.sleep(2.1)  # a file that changed within two seconds is read again once more
            found.append(cpu(lambda: refresh(index, settings, lambda _: None)))
    finally:
        path.write_bytes(before)
    return found


def measure(repository: Path, number: int, cache: Path) -> dict[str, float]:
    """The figures of one repository."""
    settings = Settings()
    index = open_index(find_root(repository), cache)
    refresh(index, settings, lambda _: None)
    time.sleep(2.1)
    refresh(index, settings, lambda _: None)
    asked = questions(index, random.Random(0))
    first = cpu(lambda: select(Query(next(asked)), index, LIMITS))
    memory, times = [resident_mb()], []
    for _ in range(2):
        times += [cpu(lambda: select(Query(next(asked)), index, LIMITS)) for _ in range(number // 2)]
        memory.append(resident_mb())
    figures = {
        "files": len(index.paths()),
        "first_ms": first,
        "median_ms": statistics.median(times),
        "p95_ms": statistics.quantiles(times, n=20)[-1],
        "last_tenth_median_ms": statistics.median(times[-len(times) // 10 :]),
        "start_mb": memory[0],
        "middle_mb": memory[1],
        "end_mb": memory[2],
        "unchanged_refresh_ms": min(cpu(lambda: refresh(index, settings, lambda _: None)) for _ in range(RUNS)),
        "touched_refresh_ms": min(touched(index, settings)),
    }
    index.close()
    return {name: round(value, 1) for name, value in figures.items()}


def main() -> None:
    """Print the figures of one repository."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        figures = measure(given.repository, given.questions, Path(cache))
    print(json.dumps(figures, indent=1))
    if given.json:
        given.json.write_text(json.dumps({given.repository.name: figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
