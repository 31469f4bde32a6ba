"""Broken changes that keep a runner of tests quiet, tried under many runners: none may be told as proven.

usage: python benchmarks/attack_runners.py [--tools FOLDER] [--verbose] [RUNNER …]

FOLDER keeps the runners (pytest, xdist, tox and nox; mocha, jest and vitest), which are installed there on the first
run; go, cargo and make are taken from PATH, and left out where they are not there. Each runner has right changes as
controls, which must be told as proven. Exits with 1 when a broken change is proven, or a right one is not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from attack_runners_compiled import CARGO, GO, INSIDE
from attack_runners_python import OF_PYTHON
from attack_runners_script import OF_SCRIPTS
from attack_runners_types import Runner

from optimizer.index.files import Root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.settings import Settings
from optimizer.types import FileChange, Patch, Verdict
from optimizer.verify.commands import Means
from optimizer.verify.prove import judge

RUNNERS = (*OF_PYTHON, *OF_SCRIPTS, GO, CARGO, INSIDE)
TOOLS = Path(tempfile.gettempdir(), "optimizer-attack-runners")
OF_NPM = ("mocha", "jest", "vitest")
OF_PIP = ("pytest", "pytest-xdist", "tox", "nox")
SECONDS = 60


def main() -> None:
    """Try all, and print a line for each runner, and one for each attack that succeeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runners", nargs="*", help="only these")
    parser.add_argument("--tools", type=Path, default=TOOLS)
    parser.add_argument("--verbose", action="store_true", help="a line for each attack")
    arguments = parser.parse_args()
    install(arguments.tools)
    succeeded = tried = 0
    for runner in RUNNERS:
        if arguments.runners and runner.name not in arguments.runners:
            continue
        if runner.program and shutil.which(runner.program) is None:
            print(f"{runner.name:<12} left out: {runner.program} is not installed", flush=True)
            continue
        began, ended = time.monotonic(), Counter[str]()
        with laid_out(runner, arguments.tools) as prove:
            for attack in runner.attacks:
                verdict = prove(attack.changes)
                how = told(verdict)
                ended[how] += 1
                bad = (how == "proven") is not attack.right
                succeeded += bad
                if bad or arguments.verbose:
                    detail = next(one.detail for one in verdict.checks if one.passed is False or one.name == "tests")
                    print(
                        f"{'SUCCEEDED' if bad else '  held'} {runner.name}: {attack.name}: {how} ({detail[:150]})",
                        flush=True,
                    )
        tried += sum(not attack.right for attack in runner.attacks)
        rows = ", ".join(f"{number} {how}" for how, number in sorted(ended.items()))
        print(f"{runner.name:<12} {rows}; {time.monotonic() - began:.0f} s", flush=True)
    print(f"{tried} attacks, {succeeded} not held")
    sys.exit(bool(succeeded))


def told(verdict: Verdict) -> str:
    """What a user is told of a change: it is refused, needs a yes of its own, is not counted, or is proven."""
    if not verdict.ok:
        return "refused"
    if verdict.weakened or verdict.judging:
        return "asked"
    tests = next(check.passed for check in verdict.checks if check.name == "tests")
    return "proven" if tests else "not counted"


@contextmanager
def laid_out(runner: Runner, tools: Path) -> Iterator:
    """A repository with the files of a runner, and a function that judges a change of it."""
    with tempfile.TemporaryDirectory() as made:
        root, home = Path(made, "repo"), Path(made, "home")
        home.mkdir()
        files = {".gitignore": "node_modules\n", **runner.files}
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        for words in (["init", "-q", "."], ["add", "-A"]):
            subprocess.run(["git", *words], cwd=root, check=True)
        if "package.json" in files:
            shutil.copytree(tools / "node_modules", root / "node_modules", symlinks=True, copy_function=os.link)
        index = open_index(Root(root, True), home)
        refresh(index, Settings(workers=1), lambda _: None)
        env = {"PATH": f"{tools / 'venv/bin'}:{os.environ['PATH']}", "HOME": os.environ["HOME"]}
        settings = Settings(verify_test=runner.command, verify_lint="off", verify_types="off", verify_seconds=SECONDS)
        means = Means(index.root, home, home, settings, env)
        yield lambda changes: judged(patch(files, changes), index, means)
        index.close()


def patch(files: Mapping[str, str], changes: Mapping[str, str | None]) -> Patch:
    """The patch that gives files these contents (None: no such file)."""

    def as_bytes(text: str | None) -> bytes | None:
        return None if text is None else text.encode()

    return Patch(tuple(FileChange(path, as_bytes(files.get(path)), as_bytes(new)) for path, new in changes.items()))


def judged(change: Patch, index: Index, means: Means) -> Verdict:
    """The verdict on a change."""
    judging = judge(change, index, means)
    try:
        while True:
            next(judging)
    except StopIteration as done:
        verdict: Verdict = done.value
        return verdict


def install(tools: Path) -> None:
    """Install the runners that a registry has, where that is not done."""
    tools.mkdir(parents=True, exist_ok=True)
    if shutil.which("npm") and not (tools / "node_modules").is_dir():
        words = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(tools), *OF_NPM]
        subprocess.run(words, check=True)
    if not (tools / "venv").is_dir():
        subprocess.run([sys.executable, "-m", "venv", str(tools / "venv")], check=True)
        subprocess.run([str(tools / "venv/bin/pip"), "install", "-q", *OF_PIP], check=True)


if __name__ == "__main__":
    main()
