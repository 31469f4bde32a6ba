"""Two versions of the program in turns: the cost of warm commands and of a cold index, and their ratio.

    python benchmarks/turns.py OTHER REPO... [--rounds N] [--json OUT]

OTHER is a checkout of another version of this project; both run with the Python that runs this, each with a home of its
own. A figure is of a whole process and all it started, the least of N rounds with the median after it; CPU is user +
system. No provider can be reached: a request ends with the ready context and its prices.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from start import SETTLED, run

ROOT = Path(__file__).parents[1]
QUERY = "why does the parser lose the last field of a quoted line"
COMMANDS: Mapping[str, Sequence[str]] = {
    "--help": ["--help"],
    "context": ["context", QUERY],
    "question to the index": ["where is parse"],
    "request, no model": ["refactor parse"],
}
COLD = "cold index"
UNREACHABLE = "127.0.0.1:1"
Times = list[tuple[float, float]]


def turns(trees: Sequence[Path], repository: Path, rounds: int) -> dict[str, list[Times]]:
    """Wall and CPU milliseconds of each command, for each tree."""
    homes = [Path(tempfile.mkdtemp()) for _ in trees]
    found: dict[str, list[Times]] = {name: [[] for _ in trees] for name in (*COMMANDS, COLD)}
    try:
        for _ in range(2):
            for words in COMMANDS.values():
                for tree, home in zip(trees, homes, strict=True):
                    _run(words, tree, home, repository)
            time.sleep(SETTLED)
        for number in range(rounds):
            order = sorted(range(len(trees)), reverse=bool(number % 2))
            for name, words in COMMANDS.items():
                for which in order:
                    found[name][which].append(_run(words, trees[which], homes[which], repository))
            for which in order:
                shutil.rmtree(homes[which])
                homes[which].mkdir()
                found[COLD][which].append(_run(["index"], trees[which], homes[which], repository))
            for words in COMMANDS.values():
                for tree, home in zip(trees, homes, strict=True):
                    _run(words, tree, home, repository)
            time.sleep(SETTLED)
    finally:
        for home in homes:
            shutil.rmtree(home)
    return found


def _run(words: Sequence[str], tree: Path, home: Path, repository: Path) -> tuple[float, float]:
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(tree), "OLLAMA_HOST": UNREACHABLE}
    return run([sys.executable, "-P", "-m", "optimizer", *words], repository, env, check=False)


def figures(found: Mapping[str, list[Times]]) -> dict[str, dict[str, float]]:
    """By command: the least and the median CPU of the other tree and of this one, and their ratios."""
    rows = {}
    for name, (other, here) in found.items():
        row: dict[str, float] = {}
        for kind, column in (("wall", 0), ("cpu", 1)):
            for word, reduce in (("", min), ("_median", statistics.median)):
                then, now = (reduce([one[column] for one in times]) for times in (other, here))
                row |= {
                    f"{kind}{word}_ms_other": round(then, 1),
                    f"{kind}{word}_ms": round(now, 1),
                    f"{kind}{word}_ratio": round(now / then, 3),
                }
        rows[name] = row
    return rows


def main() -> None:
    """Print a line for each repository and command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("other", type=Path)
    parser.add_argument("repositories", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    bare = min(run([sys.executable, "-c", "pass"], ROOT, dict(os.environ))[1] for _ in range(given.rounds))
    print(f"bare Python: {bare:.0f} ms of CPU")
    everything = {"bare python cpu_ms": round(bare, 1), "repositories": {}}
    for repository in given.repositories:
        rows = figures(turns((given.other.resolve(), ROOT), repository.resolve(), given.rounds))
        everything["repositories"][repository.name] = rows
        for name, row in rows.items():
            line = f"{repository.name:<12} {name:<22}"
            for kind in ("cpu", "wall"):
                line += f"  {kind} {row[f'{kind}_ms_other']:>5.0f} -> {row[f'{kind}_ms']:>5.0f} ms"
                line += f" ({row[f'{kind}_ratio']:.2f}, median {row[f'{kind}_median_ratio']:.2f})"
            print(line, flush=True)
    if given.json:
        given.json.write_text(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    main()
