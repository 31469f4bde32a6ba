"""What it costs to start: `optimize --help` and a warm `optimize context`, beside a bare Python and `git status`.

    python benchmarks/start.py PATH [--query TEXT] [--rounds N] [--json]

PATH is a repository; it is indexed once, into a temporary home, before anything is timed. Each figure is of a whole
process, the median of N rounds; CPU is user + system of the process and all it started.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

OPTIMIZE = [sys.executable, "-m", "optimizer"]
QUERY = "why does the parser lose the last field of a quoted line"


def median(command: Sequence[str], cwd: Path, env: dict[str, str], rounds: int) -> dict[str, float]:
    """Wall and CPU milliseconds of `command`, the median of each."""
    walls, cpus = [], []
    for _ in range(rounds):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        walls.append(1000 * (time.perf_counter() - started))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return {"wall_ms": round(statistics.median(walls), 1), "cpu_ms": round(statistics.median(cpus), 1)}


def measure(path: Path, query: str, rounds: int) -> dict[str, dict[str, float]]:
    """All figures by name; every second context has a new query, so that no kept answer is timed."""
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home}
        subprocess.run([*OPTIMIZE, "context", query], cwd=path, env=env, capture_output=True, check=True)
        found = {
            "bare python": median([sys.executable, "-c", "pass"], path, env, rounds),
            "git status": median(["git", "status", "--porcelain"], path, env, rounds),
            "optimize --help": median([*OPTIMIZE, "--help"], path, env, rounds),
            "context, kept answer": median([*OPTIMIZE, "context", query], path, env, rounds),
        }
        fresh = [median([*OPTIMIZE, "context", f"{query} {n}"], path, env, 1) for n in range(rounds)]
        found["context, new query"] = {
            name: round(statistics.median(row[name] for row in fresh), 1) for name in ("wall_ms", "cpu_ms")
        }
    return found


def main() -> None:
    """Print the figures and their ratios to the floors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--query", default=QUERY)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.path.resolve(), given.query, given.rounds)
    if given.json:
        print(json.dumps(found))
        return
    bare, status = found["bare python"]["cpu_ms"], found["git status"]["wall_ms"]
    for name, row in found.items():
        print(
            f"{name:<22} wall {row['wall_ms']:>7.1f} ms   cpu {row['cpu_ms']:>7.1f} ms   "
            f"cpu above bare {row['cpu_ms'] - bare:>6.1f} ms   wall / git status {row['wall_ms'] / status:>5.1f}"
        )


if __name__ == "__main__":
    main()
