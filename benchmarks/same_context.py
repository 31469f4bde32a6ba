"""Whether two versions of the program choose the same context, byte for byte, on real requests.

    python benchmarks/same_context.py OTHER_PROGRAM QUERIES.jsonl REPO... [--requests N] [--program OPTIMIZE]
        [--wording]

OTHER_PROGRAM is the `optimize` of another checkout, QUERIES.jsonl has an object with a `query` on each line, and each
REPO is a checked out repository. The requests go to the repositories in turn. Each program has a home of its own, so
that neither reads what the other indexed. Timings are left out of the comparison, and so is the wording of the reasons
(not their number) without --wording. Exit code 1 when a context differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("repos", type=Path, nargs="+")
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--wording", action="store_true", help="compare the wording of the reasons too")
    parser.add_argument("--program", type=Path, default=Path(sys.executable).with_name("optimize"))
    arguments = parser.parse_args()
    lines = arguments.queries.read_text().splitlines()
    queries = [json.loads(line)["query"] for line in lines[:: max(1, len(lines) // arguments.requests)]]
    different = items = 0
    queries = queries[: arguments.requests]
    with tempfile.TemporaryDirectory() as home:
        for number, query in enumerate(queries):
            repo = arguments.repos[number % len(arguments.repos)]
            ours = context(arguments.program, repo, query, Path(home, "this"), arguments.wording)
            theirs = context(arguments.other, repo, query, Path(home, "other"), arguments.wording)
            items += ours.count(b'"tokens": ')
            if ours != theirs:
                different += 1
                print(f"{repo.name}: {query.splitlines()[0][:80]!r}: {_first_difference(ours, theirs)}")
    print(f"{len(queries)} requests, {len(arguments.repos)} repositories, {items} items: {different} differ")
    sys.exit(different > 0)


def context(program: Path, repo: Path, query: str, home: Path, wording: bool) -> bytes:
    """What `optimize context QUERY --json` prints, without its timings."""
    done = subprocess.run(
        [program.absolute(), "context", query, "--json"],
        cwd=repo,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "OPTIMIZER_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{program} failed in {repo}: {done.stderr.decode(errors='replace')}")
    printed = json.loads(done.stdout)
    del printed["timing_ms"]
    for chosen in () if wording else (*printed["files"], *printed["items"]):
        why = chosen["why"]
        chosen["why"] = len(why if isinstance(why, list) else why.split(", "))
    return json.dumps(printed).encode()


def _first_difference(ours: bytes, theirs: bytes) -> str:
    at = next((n for n, (one, two) in enumerate(zip(ours, theirs, strict=False)) if one != two), len(ours))
    begin = max(0, at - 30)
    return f"{ours[begin : at + 50]!r} != {theirs[begin : at + 50]!r}"


if __name__ == "__main__":
    main()
