"""The cost of proving, and its worth.

    python benchmarks/verify.py overhead [TREE]             beyond the commands it runs, on TREE or a made repository
        --of .c                                             of a change of such a file
    python benchmarks/verify.py commits REPOS [--each N]    false alarms on real commits, and what is caught
        --refactorings                                      of commits that move, rename, extract
        --tools                                             also by the compilers and interpreters of the system

REPOS holds git directories as NAME/repo. See `alarms.py` for how commits are tried.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.index.files import Root
from optimizer.index.reader import open_index
from optimizer.index.refresh import refresh
from optimizer.settings import Settings
from optimizer.types import FileChange, Patch
from optimizer.verify.checks import at_once
from optimizer.verify.commands import Means
from optimizer.verify.prove import judge

if TYPE_CHECKING:
    from alarms import Tried

ROUNDS = 7
FILES = 3000
BODY = "def f{n}(value):\n    return value + {n}\n\n\n" * 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    cost = kinds.add_parser("overhead")
    cost.add_argument("tree", type=Path, nargs="?")
    cost.add_argument("--of", default=".py", help="the ending of the changed file")
    commits = kinds.add_parser("commits")
    commits.add_argument("repos", type=Path)
    commits.add_argument("--each", type=int, default=12)
    commits.add_argument("--refactorings", action="store_true", help="only moves, renames, extractions, signatures")
    commits.add_argument("--tools", action="store_true", help="also what compilers of the system find")
    commits.add_argument("--only", action="append", default=[], help="only repositories with this in their name")
    commits.add_argument("--json", type=Path, help="figures, and what was refused")
    commits.add_argument("--rows", type=Path, help="every patch that was tried, a line each")
    arguments = parser.parse_args()
    if arguments.kind == "commits":
        _commits(arguments)
        return
    for name, row in overhead(arguments.tree, arguments.of).items():
        print(f"  {name:40} {row}")


# ── overhead ─────────────────────────────────────────────────────────────────────────────────────


def overhead(tree: Path | None, ending: str = ".py") -> dict[str, str]:
    """Wall and processor time of each part, the median and least of ROUNDS, for the file that most others import."""
    with tempfile.TemporaryDirectory() as folder:
        root, home = Path(folder, "repo"), Path(folder, "home")
        _make(root, tree)
        for words in (["init", "-q", "."], ["add", "-A"]):
            subprocess.run(["git", *words], cwd=root, check=True)
        index = open_index(Root(root, True), home)
        refresh(index, Settings(), lambda _: None)
        path = max((p for p in index.paths() if p.endswith(ending)), key=lambda p: len(index.importers_of(p)))
        before = index.read(path)
        patch = Patch((FileChange(path, before, before + (b"\nLIMIT = 1\n" if ending == ".py" else b"\n")),))
        off = {"verify_lint": "off", "verify_types": "off"}

        def once(seconds: float) -> None:
            settings = Settings(verify_test="true", verify_compiler=seconds, **off)
            judging = judge(patch, index, Means(index.root, home, home, settings, dict(os.environ)))
            try:
                while True:
                    next(judging)
            except StopIteration as done:
                assert done.value.ok

        found = {
            "files": f"{len(index.paths()):,}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
            f"parses and names, {path}": _time(lambda: at_once(patch, index)),
            "all, with a command that does nothing": _time(lambda: once(0)),
            "the same, and compilers of the system": _time(lambda: once(Settings().verify_compiler)),
        }
        index.close()
        return found


def _make(root: Path, tree: Path | None) -> None:
    if tree is not None:
        shutil.copytree(tree, root, ignore=shutil.ignore_patterns(".git"))
        return
    for number in range(FILES):
        path = root / f"package{number % 50}" / f"module{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BODY.replace("{n}", str(number)))


def _time(work: object) -> str:
    assert callable(work)
    walls, processors = [], []
    for _ in range(ROUNDS):
        wall, used = time.perf_counter(), sum(os.times()[:4])
        work()
        walls.append(time.perf_counter() - wall)
        processors.append(sum(os.times()[:4]) - used)
    median, least = statistics.median(walls) * 1000, min(walls) * 1000
    return f"{median:.0f} ms median, {least:.0f} ms least, {min(processors) * 1000:.0f} ms of processor"


# ── worth ────────────────────────────────────────────────────────────────────────────────────────


def _commits(arguments: argparse.Namespace) -> None:
    from alarms import try_repositories

    options = {"refactorings": arguments.refactorings, "tools": arguments.tools}
    tried = []
    with arguments.rows.open("w") if arguments.rows else nullcontext() as rows:
        for one in try_repositories(arguments.repos, arguments.each, arguments.only, **options):
            tried.append(one)
            if rows is not None:
                rows.write(json.dumps(asdict(one)) + "\n")
    real = [one for one in tried if not one.kind]
    refused = [one for one in real if not one.ok or one.tools]
    print(f"{len(real)} commits of {len({one.repository for one in real})} repositories; refused: {len(refused)}")
    for one in refused:
        name, detail = ("compiler", one.tools) if one.ok else one.failed[0]
        print(f"  {one.repository} {one.commit[:9]} {name}: {detail[:100]}")
    asked = [one for one in real if one.asks]
    print(f"need a yes of their own: {len(asked)}")
    for one in asked:
        print(f"  {one.repository} {one.commit[:9]} {'; '.join(' '.join(why) for why in one.asks)[:100]}")

    def share(rows: Iterable[Tried]) -> str:
        kept = list(rows)
        alone, found = sum(not one.ok for one in kept), sum(bool(one.tools) for one in kept)
        with_tools = f"   with tools {alone + found:4} of {len(kept):4}" if arguments.tools else ""
        return f"{alone:4} of {len(kept):4}{with_tools}"

    by: dict[tuple[str, str], list[Tried]] = defaultdict(list)
    for one in tried:
        by[one.kind or "false alarms", ""].append(one)
        by[one.kind or "false alarms", one.language].append(one)
    for kind, language in sorted(by):
        print(f"  {kind:42} {language:12} {share(by[kind, language])}")
    if arguments.json:
        about = {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "machine": "2-core x86-64 cloud VM", **_of_git(tried)}
        figures = {f"{kind} {language}".strip(): share(rows).strip() for (kind, language), rows in sorted(by.items())}
        kept = [asdict(one) for one in refused]
        figures["a yes of its own"] = f"{len(asked):4} of {len(real):4}"
        arguments.json.write_text(
            json.dumps(about | {"figures": figures, "refused": kept, "asked": [asdict(one) for one in asked]}, indent=1)
            + "\n"
        )


def _of_git(tried: Iterable[Tried]) -> dict[str, object]:
    here = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    return {"commit": here.stdout.strip(), "repositories": sorted({one.repository for one in tried})}


if __name__ == "__main__":
    main()
