"""What proving costs beyond the commands it runs, on a made repository: python benchmarks/verify.py [FILES]."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from optimizer.index.refresh import refresh
from optimizer.index.store import open_index
from optimizer.index.walk import Root
from optimizer.settings import Settings
from optimizer.types import FileChange, Patch
from optimizer.verify import prove
from optimizer.verify.commands import Means

ROUNDS = 7
BODY = "def f{n}(value):\n    return value + {n}\n\n\n" * 20


def main(files: int) -> None:
    """Print the wall and processor time of each part, the median of ROUNDS."""
    with tempfile.TemporaryDirectory() as folder:
        root, home = Path(folder, "repo"), Path(folder, "home")
        for number in range(files):
            path = root / f"package{number % 50}" / f"module{number}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(BODY.replace("{n}", str(number)))
        for words in (["init", "-q", "."], ["add", "-A"]):
            subprocess.run(["git", *words], cwd=root, check=True)
        index = open_index(Root(root, True), home)
        refresh(index, Settings(), lambda _: None)
        path = index.paths()[0]
        before = index.read(path)
        patch = Patch((FileChange(path, before, before + b"\nLIMIT = 1\n"),))
        off = {"verify_lint": "off", "verify_types": "off"}
        means = Means(index.root, home, home, Settings(verify_test="true", **off), dict(os.environ))

        def once() -> None:
            fast = prove.at_once(patch, index)
            assert prove.prove(fast, prove.plan(patch, index, means), patch, means).ok

        print(f"{files:,} files; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        _time("parses and names", lambda: prove.at_once(patch, index))
        _time("all, with a command that does nothing", once)
        index.close()


def _time(name: str, work: object) -> None:
    assert callable(work)
    walls, processors = [], []
    for _ in range(ROUNDS):
        wall, used = time.perf_counter(), sum(os.times()[:4])
        work()
        walls.append(time.perf_counter() - wall)
        processors.append(sum(os.times()[:4]) - used)
    median, least = statistics.median(walls) * 1000, min(walls) * 1000
    print(f"  {name:<40} {median:>6.0f} ms median, {least:.0f} ms least, {min(processors) * 1000:.0f} ms of processor")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
