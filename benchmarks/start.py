"""The cost of starting: `optimize --help` and a warm `optimize context`, compared with a bare Python and `git status`.

    python benchmarks/start.py PATH [--query TEXT] [--rounds N] [--json]
    python benchmarks/start.py PATH --requests [--fresh] [--query TEXT] [--rounds N] [--json]

PATH is a repository; it is indexed once, into a temporary home, before anything is timed. Each figure is of a whole
process and all it started, the least of N rounds with the median after it; the rounds of all commands take turns, so
that what else the machine does falls on all alike. CPU is user + system. `git, others` is the part of `git status` that
a look at the tree cannot do without. In the last row a comment was added to one file, which gets its bytes back.

With `--requests`, from Enter to the request: the time from the start of the process until a server on loopback has the
request, for each vendor's SDK, the index up to date (`--fresh`: rebuilt each time). Besides the program as it is:
with the SDK loaded in another thread from the moment that the models are known, and loaded as Python loads by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from optimizer.git.identity import identify

sys.path.insert(0, str(Path(__file__).parents[1]))

from optimizer.privacy.consent import grant
from tests.loopback.replies import WIRES, Reply, Wire
from tests.loopback.server import Loopback

OPTIMIZE = [sys.executable, "-m", "optimizer"]
QUERY = "why does the parser lose the last field of a quoted line"
SETTLED = 2.2  # seconds after which a file that was touched counts as unchanged
Figures = dict[str, float]
RUN = "import sys\nfrom optimizer.cli.main import main\nmain(sys.argv[1:])"
BESIDE = """
import threading
from optimizer.providers import base
from optimizer.wiring.models import Models
known = Models.available

def available(self):
    found = known(self)
    endpoint = self.endpoints()[self._config.settings.provider]
    threading.Thread(target=lambda: base.open_provider(endpoint, self.gate()).close()).start()
    return found

Models.available = available
"""
PLAIN = """
import contextlib, gc
from optimizer.providers import base, ollama
base.loading = ollama.loading = contextlib.nullcontext
gc.freeze = lambda: None
"""
WAYS = {"as it is": RUN, "SDK beside": BESIDE + RUN, "plain import": PLAIN + RUN}
HELD: dict[Wire, str] = {"ollama": "qwen2.5-coder:7b", "openai": "qwen2.5-coder-7b"}
ENDLESS = "".join(
    f'[[model]]\nid = "openai/gpt-oss-{size}"\nprovider = "groq"\n'
    + "".join(f"{what}_{span} = 1_000_000_000\n" for what in ("requests", "tokens") for span in ("minute", "day"))
    for size in ("120b", "20b")
)


def run(command: Sequence[str], cwd: Path, env: dict[str, str], check: bool = True) -> tuple[float, float]:
    """Wall and CPU milliseconds of a command; with `check`, CalledProcessError if it fails."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=check)
    wall = 1000 * (time.perf_counter() - started)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure(path: Path, query: str, rounds: int) -> dict[str, Figures]:
    """All figures by name; each new query is another, so that no cached answer is timed."""
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


def requests(path: Path, query: str, rounds: int, fresh: bool) -> dict[str, Figures]:
    """Milliseconds from Enter to the request, and CPU of whole processes, by SDK and way; the ways take turns."""
    server, times = Loopback(), dict[str, list[tuple[float, float]]]()
    with tempfile.TemporaryDirectory() as home:
        env = _at_home(Path(home), path, server)
        for wire in WIRES:
            _to_request(RUN, (query, "--provider", wire), wire, server, (path, env))
        time.sleep(SETTLED)
        _to_request(RUN, (query, "--provider", wire), wire, server, (path, env))
        for number in range(rounds):
            for wire in WIRES:
                for way in sorted(WAYS, reverse=bool(number % 2)):
                    if fresh:
                        shutil.rmtree(Path(home, ".cache"))
                    asked = (f"{query} {number} {way}", "--provider", wire)
                    found = _to_request(WAYS[way], asked, wire, server, (path, env))
                    times.setdefault(f"{wire}, {way}", []).append(found)
    server.close()
    return {f"{wire}, {way}": _figures(times[f"{wire}, {way}"]) for wire in WIRES for way in WAYS}


def _at_home(home: Path, repository: Path, server: Loopback) -> dict[str, str]:
    """The environment of a user who may send the repository to all providers, which are on loopback."""
    config = home / ".config/optimizer"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(server.config().replace("cache_seconds = 0", "cache_seconds = 86400"))
    (config / "models.toml").write_text(ENDLESS)
    for wire in WIRES:
        state = home / ".local/state/optimizer"
        grant(state, str(repository), wire, server.url.removeprefix("http://"), partial(identify, repository, state))
    server.served |= {wire: (name,) for wire, name in HELD.items()}
    keys = {f"{name}_API_KEY": "k-1" for name in ("ANTHROPIC", "GEMINI", "GROQ")}
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        **keys,
    }


def _to_request(
    code: str, words: Sequence[str], wire: Wire, server: Loopback, where: tuple[Path, dict[str, str]]
) -> tuple[float, float]:
    came: list[float] = []

    def answer(_: object) -> Reply:
        came.append(time.perf_counter())
        return Reply("It is a list of fields.", tokens=None)

    server.answer(wire, answer)
    began = time.perf_counter()
    _, cpu = run([sys.executable, "-P", "-c", code, *words], *where)
    return 1000 * (came[0] - began), cpu


def report_requests(found: dict[str, Figures]) -> list[str]:
    """The figures as lines to read, with their ratios to the program as it is."""
    lines = []
    for name, row in found.items():
        own = found[name.partition(",")[0] + ", as it is"]
        ratio = row["wall_median_ms"] / own["wall_median_ms"]
        lines.append(
            f"{name:<24} to the request {row['wall_ms']:>6.0f} ({row['wall_median_ms']:>6.0f}) ms   "
            f"ratio {row['wall_ms'] / own['wall_ms']:.2f} ({ratio:.2f})   "
            f"cpu {row['cpu_ms']:>6.0f} ({row['cpu_median_ms']:>6.0f}) ms"
        )
    return lines


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
    parser.add_argument("--requests", action="store_true", help="measure from Enter to the request")
    parser.add_argument("--fresh", action="store_true", help="with --requests: rebuild the index each time")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    path = given.path.resolve()
    if given.requests:
        found, read = requests(path, given.query, given.rounds, given.fresh), report_requests
    else:
        found, read = measure(path, given.query, given.rounds), report
    print(json.dumps(found) if given.json else "\n".join(read(found)))


if __name__ == "__main__":
    main()
