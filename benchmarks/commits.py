"""Turn commits of repositories into requests: a message → the files and lines that the commit changed.

    python benchmarks/commits.py DATASET.jsonl REPOS --out COMMITS.jsonl [--each N]

Of each repository of the data set, N commits older than all its issues, spread over the newest 2,500 of them. A commit
is used when its message is long enough and it changed one to three source files, in few lines.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
from pathlib import Path
from typing import Any

from issues import read_issues, repository

from optimizer.context.paths import kind_of

NEWEST = 2500
LEAST_CHARACTERS = 110
MOST_FILES, MOST_LINES = 3, 80
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? ", re.MULTILINE)
_TRAILER = re.compile(r"^(?:[A-Z][\w-]+-by|Co-authored-by|PiperOrigin-RevId|Change-Id|Signed-off-by):.*$", re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("repos", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, default=20)
    arguments = parser.parse_args()
    with arguments.out.open("w") as out:
        for name, issues in read_issues(arguments.dataset, None, None, None).items():
            if source := repository(arguments.repos, name):
                oldest = _oldest(source, [issue["base_commit"] for issue in issues])
                for line in _requests(source, oldest, arguments.each):
                    about = {"repo": name, "language": issues[0]["language"], "gold_functions": []}
                    out.write(json.dumps(line | about) + "\n")


def _oldest(source: Path, commits: list[str]) -> str:
    dates = [(int(_git(source, "log", "-1", "--format=%ct", commit)), commit) for commit in commits]
    return min(dates)[1]


def _requests(source: Path, oldest: str, each: int) -> list[dict[str, Any]]:
    commits = _git(source, "rev-list", "--no-merges", f"--max-count={NEWEST}", oldest).split()
    random.Random(1).shuffle(commits)
    found: list[dict[str, Any]] = []
    for commit in commits:
        if len(found) >= each:
            break
        if request := _request(source, commit):
            found.append(request)
    return found


def _request(source: Path, commit: str) -> dict[str, Any] | None:
    parents, _, message = _git(source, "log", "-1", "--format=%P%n%B", commit).partition("\n")
    message = _TRAILER.sub("", message).strip()
    if len(message) < LEAST_CHARACTERS or " " in parents or not parents:
        return None
    names = _git(source, "diff-tree", "--no-commit-id", "--name-status", "--no-renames", "-r", commit)
    changes = [line.split("\t", 1) for line in names.splitlines()]
    wanted = [path for status, path in changes if status == "M" and kind_of(path) in ("source", "init", "declarations")]
    added = [path for status, path in changes if status != "M" and kind_of(path) == "source"]
    if not 1 <= len(wanted) <= MOST_FILES or added:
        return None
    lines = {path: _lines(_git(source, "diff", "-U0", parents, commit, "--", path)) for path in wanted}
    if sum(map(len, lines.values())) > MOST_LINES:
        return None
    return {"id": commit, "base_commit": parents, "query": message, "gold_files": wanted, "gold_lines": lines}


def _lines(diff: str) -> list[int]:
    """The lines of the old file that a diff changes."""
    return [
        line for start, count in _HUNK.findall(diff) for line in range(int(start), int(start) + max(1, int(count or 1)))
    ]


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "safe.directory=*", "--git-dir", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, errors="replace").stdout


if __name__ == "__main__":
    main()
