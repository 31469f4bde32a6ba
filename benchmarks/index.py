"""The speed and size of the index of a repository, compared with the least this machine needs.

    python benchmarks/index.py PATH [--json] [--rounds N] [--aider PYTHON]

Each figure is taken in a process of its own; CPU is user + system of that process and all it started. Memory is the
proportional share (PSS) of that process and all it started together, at its peak among samples, where known.
The floors are measured in the same run: a bare Python start, `git status`, parsing the same bytes with the same
grammars and doing nothing with the trees, one pass of a regular expression for words over them, and `ctags -R` and
`rg` for one word where they are installed. The peer is aider's map of the repository, first without and then with what
it keeps between runs; `--aider` names a Python that has it installed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

COMMON = """
import importlib, json, re, resource, sys, time
from pathlib import Path
from optimizer.index.files import find_root, scan
from optimizer.settings import Settings
root = find_root(Path(sys.argv[1]))
"""

FILES = (
    COMMON
    + """
from optimizer.languages.table import language_of
files = [(root.path / file.path).read_bytes() for file in scan(root, Settings().max_file_bytes).files]
files = [data for data in files if b"\\0" not in data[:8192]]
print(json.dumps({"files": len(files), "bytes": sum(map(len, files))}))
"""
)

PARSE = (
    COMMON
    + """
from optimizer.languages.table import language_of
import tree_sitter
parsers, files = {}, []
for file in scan(root, Settings().max_file_bytes).files:
    language = language_of(file.path)
    if language:
        if language.name not in parsers:
            grammar = getattr(importlib.import_module(language.module), language.function)()
            parsers[language.name] = tree_sitter.Parser(tree_sitter.Language(grammar))
        files.append((parsers[language.name], (root.path / file.path).read_bytes()))
started = time.process_time()
for parser, data in files:
    parser.parse(data)
print(json.dumps({"cpu": time.process_time() - started, "files": len(files), "bytes": sum(len(d) for _, d in files)}))
"""
)

WORDS = (
    COMMON
    + """
files = [(root.path / file.path).read_bytes() for file in scan(root, Settings().max_file_bytes).files]
word = re.compile(rb"[A-Za-z_\\x80-\\xff][A-Za-z0-9_\\x80-\\xff]+")
started = time.process_time()
for data in files:
    word.findall(data)
print(json.dumps({"cpu": time.process_time() - started}))
"""
)

INDEX = (
    COMMON
    + """
from optimizer.index.refresh import refresh
from optimizer.index.reader import open_index
started = time.perf_counter()
index = open_index(root, Path(sys.argv[2]))
opened = time.perf_counter()
done = refresh(index, Settings(), lambda progress: None)
refreshed = time.perf_counter()
words = index.words()
worded = time.perf_counter()
units, file = words.total_units, str(index.file)
index.close()
rss = [resource.getrusage(who).ru_maxrss / (1024 if sys.platform != "darwin" else 1 << 20)
       for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps({"open_ms": 1000 * (opened - started), "refresh_ms": 1000 * (refreshed - opened),
                  "words_ms": 1000 * (worded - refreshed), "units": units, "parsed": done.parsed,
                  "skipped": len(done.skipped), "parent_mb": rss[0], "child_mb": rss[1], "file": file}))
"""
)


PEER = """
import json, sys
from pathlib import Path
from aider.io import InputOutput
from aider.repomap import RepoMap
class Counter:
    def token_count(self, text):
        return len(text) // 4
root = Path(sys.argv[1])
names = [str(path) for path in sorted(root.rglob("*")) if path.is_file() and ".git" not in path.parts]
maps = RepoMap(map_tokens=4096, root=str(root), main_model=Counter(), io=InputOutput(yes=True))
found = maps.get_repo_map([], names, mentioned_idents={"parse"})
print(json.dumps({"files": len(names), "map": len(found or "")}))
"""


def run(command: Sequence[str], cwd: Path | None = None) -> dict[str, float]:
    """Run a command; its CPU and wall seconds, with what it printed as JSON."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = json.loads(done.stdout) if done.stdout.startswith(b"{") else {}
    return {"process_cpu": cpu, "wall": wall, **found}


def peak_of(command: Sequence[str]) -> float:
    """The most memory, in megabytes, that a command and all it started held together; 0 where unknown."""
    most = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, sum(map(share_of, family(process.pid))))
            time.sleep(0.2)
    return most


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [one for child in children.read_text().split() for one in family(int(child))]
        except OSError:
            continue
    return found


def share_of(pid: int) -> float:
    """The proportional share of memory of a process, in megabytes."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def best(command: Sequence[str], rounds: int, cwd: Path | None = None) -> dict[str, float]:
    """The round with the least CPU."""
    return min((run(command, cwd) for _ in range(rounds)), key=lambda found: found["process_cpu"])


def measure(path: Path, rounds: int) -> dict[str, dict[str, float]]:
    """All figures for the repository at `path`, in seconds, bytes and megabytes."""
    python = [sys.executable, "-c"]
    found: dict[str, dict[str, float]] = {}
    colds, parses = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            parses.append(run([*python, PARSE, str(path)]))
            colds.append(run([*python, INDEX, str(path), f"{folder}/{number}"]))
        found["python"] = best([*python, "pass"], rounds * 3)
        if (path / ".git").exists():
            found["git status"] = best(["git", "--no-optional-locks", "status", "--porcelain"], rounds * 3, path)
        found["tree"] = run([*python, FILES, str(path)])
        found["parse"] = min(parses, key=lambda item: item["cpu"])
        if ctags := shutil.which("ctags"):
            found["ctags"] = best([ctags, "-R", "-f", os.devnull, "."], rounds, path)
        if ripgrep := shutil.which("rg"):
            found["rg"] = best([ripgrep, "-c", "import", "."], rounds, path)
        found["words"] = best([*python, WORDS, str(path)], rounds)
        found["cold"] = min(colds, key=lambda item: item["process_cpu"])
        found["cold"]["peak_mb"] = peak_of([*python, INDEX, str(path), f"{folder}/peak"])
        time.sleep(2.1)
        cache = f"{folder}/0"
        run([*python, INDEX, str(path), cache])
        found["warm"] = best([*python, INDEX, str(path), cache], rounds * 3)
        found["touched"] = touched([*python, INDEX, str(path), cache], path, rounds)
        store = Path(str(found["touched"]["file"]))
        found["store"] = {"bytes": sum(item.stat().st_size for item in store.parent.glob(store.name + "*"))}
    return found


def peer(python: Path, path: Path) -> dict[str, dict[str, float]]:
    """The map of the repository by aider, in a copy of the files: cold, then warm."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(path, copy, symlinks=True, ignore=shutil.ignore_patterns(".aider*"))
        command = [str(python), "-c", PEER, str(copy)]
        return {"aider cold": run(command), "aider warm": run(command)}


def touched(command: Sequence[str], path: Path, rounds: int) -> dict[str, float]:
    """Refresh after adding a comment to one file, which is then restored."""
    target = max(
        path.rglob("*.py"), key=lambda item: item.stat().st_size < 50_000 and item.stat().st_size, default=None
    )
    if target is None:
        return run(command)
    before = target.read_bytes()
    results = []
    try:
        for number in range(rounds):
            target.write_bytes(before + b"\n# touched %d %d\n" % (number, os.getpid()))
            results.append(run(command))
    finally:
        target.write_bytes(before)
    return min(results, key=lambda item: item["wall"])


def report(found: dict[str, dict[str, float]]) -> list[str]:
    """The figures as lines to read."""
    tree, parse, cold, warm, one = (found[name] for name in ("tree", "parse", "cold", "warm", "touched"))
    python, status, ctags = found["python"], found.get("git status"), found.get("ctags")
    return [
        f"tree:    {tree['files']:.0f} files, {tree['bytes'] / 1e6:.1f} MB of text; {cold['units']:.0f} units; "
        f"{parse['files']:.0f} files, {parse['bytes'] / 1e6:.1f} MB with a grammar",
        f"floors:  python {1000 * python['process_cpu']:.0f} ms CPU; parsing {parse['cpu']:.2f} s CPU; "
        f"words {found['words']['cpu']:.2f} s CPU"
        + (f"; git status {1000 * status['wall']:.0f} ms" if status else "")
        + (f"; rg {found['rg']['process_cpu']:.2f} s CPU" if "rg" in found else ""),
        f"cold:    {cold['process_cpu']:.2f} s CPU = {cold['process_cpu'] / parse['cpu']:.2f} x parsing; "
        + (f"{cold['process_cpu'] / ctags['process_cpu']:.1f} x ctags -R; " if ctags else "")
        + f"{cold['wall']:.2f} s wall; peak {cold['peak_mb']:.0f} MB in all processes together",
        f"warm:    {1000 * warm['wall']:.0f} ms wall, {1000 * warm['process_cpu']:.0f} ms CPU the whole process; "
        f"open {warm['open_ms']:.1f} + refresh {warm['refresh_ms']:.1f} + words {warm['words_ms']:.1f} ms"
        + f" = {warm['wall'] / python['wall']:.1f} x python"
        + (f"; refresh = {warm['refresh_ms'] / 1000 / status['wall']:.2f} x git status" if status else ""),
        f"touched: {1000 * one['wall']:.0f} ms wall the whole process; refresh {one['refresh_ms']:.1f} ms = "
        f"{one['refresh_ms'] - warm['refresh_ms']:+.1f} ms over nothing changed",
        *(
            f"{name}: {other['process_cpu']:.2f} s CPU = "
            + f"{other['process_cpu'] / found[ours]['process_cpu']:.1f} x this index {ours}"
            for name, ours in (("aider cold", "cold"), ("aider warm", "warm"))
            if (other := found.get(name))
        ),
        f"store:   {found['store']['bytes'] / 1e6:.1f} MB = {found['store']['bytes'] / tree['bytes']:.2f} x the text",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--aider", type=Path, metavar="PYTHON")
    options = parser.parse_args()
    found = measure(options.path.resolve(), options.rounds)
    if options.aider:
        found |= peer(options.aider, options.path.resolve())
    print(json.dumps(found) if options.json else "\n".join(report(found)))


if __name__ == "__main__":
    main()
