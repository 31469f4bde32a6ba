"""What it costs to start: `optimize --help` and a warm `optimize context`, beside a bare Python and `git status`.

    python benchmarks/start.py PATH [--query TEXT] [--rounds N] [--json]

PATH is a repository; it is indexed once, into a temporary home, before anything is timed. Each figure is of a whole
process and all it started, the least of N rounds with the median after it; the rounds of all commands take turns, so
that what else the machine does falls on all alike. CPU is user + system. `git, others` is the part of `git status` that
a look at the tree cannot do without. In the last row a comment was added to one file, which gets its bytes back.
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
from collections.abc import Callable, Sequence
from pathlib import Path

OPTIMIZE = [sys.executable, "-m", "optimizer"]
QUERY = "why does the parser lose the last field of a quoted line"
SETTLED = 2.2  # seconds after which a file that was touched counts as unchanged
Figures = dict[str, float]


def run(command: Sequence[str], cwd: Path, env: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU milliseconds of a command."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    wall = 1000 * (time.perf_counter() - started)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure(path: Path, query: str, rounds: int) -> dict[str, Figures]:
    """All figures by name; each new query is another, so that no kept answer is timed for it."""
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home}
        if "PYTHONPATH" in os.environ:
            env["PYTHONPATH"] = os.environ["PYTHONPATH"]
        context = [*OPTIMIZE, "context", "--json"]
        for _ in range(2):
            run([*context, query], path, env)
            time.sleep(SETTLED)
        commands: dict[str, Callable[[int], Sequence[str]]] = {
            "bare python": lambda _: [sys.executable, "-c", "pass"],
            "git, others": lambda _: ["git", "ls-files", "--others", "--exclude-standard"],
            "git status": lambda _: ["git", "--no-optional-locks", "status", "--porcelain"],
            "optimize --help": lambda _: [*OPTIMIZE, "--help"],
            "context, kept answer": lambda _: [*context, query],
            "context, new query": lambda number: [*context, f"{query} {number}"],
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for number in range(rounds):
            for name, command in commands.items():
                times[name].append(run(command(number), path, env))
        if target := _target(path):
            times["context, one file touched"] = _touched(target, lambda n: [*context, f"{query}, {n}"], env, rounds)
    return {name: _figures(found) for name, found in times.items()}


def _figures(times: Sequence[tuple[float, float]]) -> Figures:
    walls, cpus = zip(*times, strict=True)
    return {
        "wall_ms": round(min(walls), 1),
        "wall_median_ms": round(statistics.median(walls), 1),
        "cpu_ms": round(min(cpus), 1),
        "cpu_median_ms": round(statistics.median(cpus), 1),
    }


def _target(path: Path) -> Path | None:
    """A source file of middling size."""
    files = sorted((item.stat().st_size, item) for item in path.rglob("*.py") if item.is_file())
    return files[len(files) // 2][1] if files else None


def _touched(
    target: Path, command: Callable[[int], Sequence[str]], env: dict[str, str], rounds: int
) -> list[tuple[float, float]]:
    before = target.read_bytes()
    found = []
    try:
        for number in range(rounds):
            target.write_bytes(before + b"\n# touched %d\n" % number)
            found.append(run(command(number), target.parent, env))
    finally:
        target.write_bytes(before)
    return found


def report(found: dict[str, Figures]) -> list[str]:
    """The figures as lines to read, with their ratios to the floors."""
    bare, status = found["bare python"]["cpu_ms"], found["git status"]["wall_ms"]
    lines = [
        f"{name:<26} wall {row['wall_ms']:>7.1f} ({row['wall_median_ms']:>7.1f}) ms   "
        f"cpu {row['cpu_ms']:>7.1f} ({row['cpu_median_ms']:>7.1f}) ms   "
        f"cpu above bare {row['cpu_ms'] - bare:>6.1f} ms   wall / git status {row['wall_ms'] / status:>5.1f}"
        for name, row in found.items()
    ]
    if touched := found.get("context, one file touched"):
        fresh = found["context, new query"]
        lines.append(
            f"one file touched costs {touched['wall_ms'] - fresh['wall_ms']:+.1f} ms wall, "
            f"{touched['cpu_ms'] - fresh['cpu_ms']:+.1f} ms CPU over nothing changed"
        )
    return lines


def main() -> None:
    """Print the figures and their ratios to the floors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--query", default=QUERY)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.path.resolve(), given.query, given.rounds)
    print(json.dumps(found) if given.json else "\n".join(report(found)))


if __name__ == "__main__":
    main()
