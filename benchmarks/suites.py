"""False alarms of the whole proof: real commits, with the project's own tests before and after, confined.

    python benchmarks/suites.py REPOS TOOLS [--each N] [--newest N] [--only NAME] [--json OUT]

REPOS holds git directories as NAME/repo. TOOLS holds for each a folder NAME whose `bin` is put in front of PATH (a
virtual environment with pytest), or whose `node_modules` is put into the tree. Each commit is taken as the patch of a
model against the tree before it, and judged with the tests approved as `optimize trust` does; linters and type checkers
are off. An alarm is a refusal, or what needs a yes of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from alarms import MOST_FILES, is_code, is_never_edited
from history import commits, git, patch_of

from optimizer.engine.landing import careful_of
from optimizer.git.checkout import Checkout
from optimizer.index.files import Root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.settings import Settings
from optimizer.types import Patch, Verdict
from optimizer.verify.commands import Means, commands
from optimizer.verify.prove import judge
from optimizer.verify.trusted import decide


@dataclass(frozen=True, slots=True)
class Proof:
    """One commit and its verdict: how its tests ended, and what confined them, as the verdict names it."""

    repository: str
    commit: str
    subject: str
    ok: bool
    failed: tuple[tuple[str, str, str], ...]
    asks: tuple[tuple[str, str, str], ...]
    tests: str
    detail: str
    layer: str
    confidence: float
    seconds: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repos", type=Path)
    parser.add_argument("tools", type=Path)
    parser.add_argument("--each", type=int, default=12)
    parser.add_argument("--newest", type=int, default=300, help="of how many of the newest commits")
    parser.add_argument("--only", action="append", default=[], help="only repositories with this in their name")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    proofs = []
    for source in sorted(path.resolve() for path in arguments.repos.glob("*/repo")):
        name, tools = source.parent.name, arguments.tools / source.parent.name
        if tools.is_dir() and (not arguments.only or any(part in name for part in arguments.only)):
            with tempfile.TemporaryDirectory() as folder:
                pairs = commits(source, arguments.each, MOST_FILES, is_code, newest=arguments.newest)
                for proof in prove(source, tools, Path(folder), pairs):
                    proofs.append(proof)
                    print(json.dumps(asdict(proof)), file=sys.stderr, flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(_summary(proofs), indent=1) + "\n")
    print(json.dumps(_summary(proofs)["figures"], indent=1))


def prove(source: Path, tools: Path, folder: Path, pairs: Iterable[tuple[str, str]]) -> Iterator[Proof]:
    """The verdict on each (parent, commit) of a repository."""
    checkout = Checkout(source, folder / "tree")
    root = Root(checkout.root, True)
    path = os.pathsep.join((str(tools / "bin"), str(tools / "node_modules" / ".bin"), "/usr/bin", "/bin"))
    settings = Settings(verify_lint="off", verify_types="off")
    means = Means(root, folder / "state", folder / "cache", settings, {**os.environ, "PATH": path})
    index = open_index(root, folder / "cache")
    try:
        for parent, commit in pairs:
            if not checkout.move(parent):
                continue
            if (tools / "node_modules").is_dir() and not (root.path / "node_modules").exists():
                shutil.copytree(tools / "node_modules", root.path / "node_modules", symlinks=True)
            refresh(index, Settings(), lambda _: None)
            patch = patch_of(source, parent, commit)
            if patch.changes and not any(is_never_edited(change.path) for change in patch.changes):
                subject = git(source, "log", "-1", "--format=%s", commit).decode("utf-8", "replace").strip()
                yield _proof(patch, index, means, (source.parent.name, commit, subject))
    finally:
        index.close()


def _proof(patch: Patch, index: Index, means: Means, about: tuple[str, str, str]) -> Proof:
    for command in commands(means):
        decide(command, means, answer=True, patch=patch)
    begun = time.monotonic()
    verdict = _verdict(patch, index, means)
    tests = next((check for check in verdict.checks if check.name == "tests"), None)
    failed = tuple((one.name, one.detail, one.evidence[:2000]) for one in verdict.checks if one.passed is False)
    asks = [(one.path, one.code, one.detail) for one in careful_of(patch)]
    asks += [(path, "weakened", "") for path in verdict.weakened]
    if verdict.ok and verdict.confidence < means.settings.confidence_yes:
        asks.append(("", "doubtful", f"{verdict.confidence:.2f}"))
    ended = {True: "passed", False: "failed", None: "not counted"}[tests.passed] if tests else "not reached"
    detail = tests.detail if tests else ""
    layer = next((name for name in ("bubblewrap", "namespaces", "Landlock") if name in detail), "")
    seconds = round(time.monotonic() - begun, 1)
    return Proof(*about, verdict.ok, failed, tuple(asks), ended, detail, layer, verdict.confidence, seconds)


def _verdict(patch: Patch, index: Index, means: Means) -> Verdict:
    judging = judge(patch, index, means)
    while True:
        try:
            next(judging)
        except StopIteration as done:
            verdict: Verdict = done.value
            return verdict


def _summary(proofs: list[Proof]) -> dict[str, object]:
    here = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": here.stdout.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, shared with other work",
        "figures": {
            "commits": len(proofs),
            "repositories": len({one.repository for one in proofs}),
            "refused": sum(not one.ok for one in proofs),
            "asked": sum(one.ok and bool(one.asks) for one in proofs),
            "tests": dict(Counter(one.tests for one in proofs)),
            "layers named": dict(Counter(one.layer or "none" for one in proofs)),
        },
        "proofs": [asdict(one) for one in proofs],
    }


if __name__ == "__main__":
    main()
