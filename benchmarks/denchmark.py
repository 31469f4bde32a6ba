"""A fresh sample of bug reports: drawn by a seed, committed as names alone, laid out from a copy of Denchmark.

    python benchmarks/denchmark.py DENCHMARK REPOS [--seed N] [--each N] > benchmarks/denchmark_ids.txt

DENCHMARK is the git directory of RosePasta/Denchmark_BRs (no licence stated: nothing of it is committed but the names
of reports), REPOS holds the repositories. A report is drawn when the fix and its first parent are there, the fix
changes at most 10 files and at least one source file, no test, that its parent has, and that parent has at most 6,000
files. What the reports say plays no part.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from history import git

FOLDER = "JSonSet/simplejson"
IDS = Path(__file__).with_name("denchmark_ids.txt")
MOST_CHANGED, MOST_FILES = 10, 6000
RENAMED = {"intel-isl+open3d": "isl-org+Open3D"}
TEST = re.compile(
    r"(^|/)(tests?|testing|specs?|__tests__)/|(^|/)(test_|conftest)[^/]*$|[_.-](test|tests|spec)\.[^/]*$", re.I
)
HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? ", re.M)
LANGUAGES = {
    "py": "python", "pyx": "python", "c": "c", "h": "c", "cc": "cpp", "cpp": "cpp", "cxx": "cpp", "hpp": "cpp",
    "cu": "cpp", "cuh": "cpp", "go": "go", "java": "java", "js": "javascript", "jsx": "javascript", "vue": "javascript",
    "ts": "typescript", "tsx": "typescript", "cs": "csharp", "scala": "scala", "nim": "nim", "rs": "rust",
    "rb": "ruby", "php": "php", "kt": "kotlin", "swift": "swift", "lua": "lua", "sh": "bash",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("denchmark", type=Path)
    parser.add_argument("repos", type=Path)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--each", type=int, default=7, help="at most so many reports of a repository")
    arguments = parser.parse_args()
    for name in draw(arguments.denchmark, arguments.repos, arguments.seed, arguments.each):
        print(name)


def draw(denchmark: Path, repos: Path, seed: int, each: int) -> Iterator[str]:
    """`owner+name number` of the reports drawn, the repository spelled as on GitHub."""
    sources = _sources(repos)
    for folder, numbers in sorted(_listed(denchmark).items()):
        source = sources.get(RENAMED.get(folder, folder).lower())
        if source is None:
            continue
        random.Random(f"{seed} {folder}").shuffle(numbers)
        drawn: list[str] = []
        for number in numbers:
            if len(drawn) < each and fix_of(denchmark, source[1], f"{folder}/{number}"):
                drawn.append(number)
        print(f"{folder}: {len(drawn)} of {len(numbers)}", file=sys.stderr, flush=True)
        yield from (f"{source[0]} {folder}/{number}" for number in drawn)


def rows(denchmark: Path, repos: Path) -> list[dict[str, Any]]:
    """The reports drawn, as issues of a data set; those whose repository is missing are left out."""
    sources, found = _sources(repos), []
    for line in IDS.read_text().splitlines():
        name, _, report = line.partition(" ")
        source = sources.get(name.lower())
        fix = fix_of(denchmark, source[1], report) if source else None
        if fix:
            found.append({"id": report, "repo": name.replace("+", "/", 1)} | fix)
    return found


def fix_of(denchmark: Path, source: Path, report: str) -> dict[str, Any] | None:
    """What a report says and its fix changed; None when it is not in the terms of the draw."""
    try:
        known = json.loads(git(denchmark, "show", f"HEAD:{FOLDER}/{report}.json"))
        commit = known["commit"]["commit_id"]
        parent = git(source, "rev-parse", f"{commit}^1").decode().strip()
        changed = git(source, "diff-tree", "-r", "--name-status", "--no-renames", parent, commit).decode().splitlines()
        names = [line.split("\t", 1) for line in changed]
        gold = [path for status, path in names if status in "MD" and is_source(path)]
        if not gold or len(names) > MOST_CHANGED:
            return None
        if git(source, "ls-tree", "-r", "--name-only", parent).count(b"\n") > MOST_FILES:
            return None
        lines = {path: changed_lines(source, parent, commit, path) for path in gold}
    except (subprocess.CalledProcessError, ValueError, KeyError):
        return None
    said = known["BR"]["BR_text"]
    return {
        "language": Counter(map(language, gold)).most_common(1)[0][0],
        "base_commit": parent,
        "query": f"{said['BRsummary']}\n\n{said['BRdescription']}",
        "gold_files": gold,
        "gold_functions": [],
        "gold_lines": lines,
    }


def changed_lines(source: Path, before: str, after: str, path: str) -> list[int]:
    """The lines of a file that a change replaces or removes, and those after which it puts others."""
    printed = git(source, "diff", "-U0", "--no-renames", "--no-ext-diff", before, after, "--", path)
    found: set[int] = set()
    for start, count in HUNK.findall(printed.decode("utf-8", "replace")):
        found.update(range(int(start), int(start) + max(1, int(count or 1))))
    return sorted(found - {0})


def is_source(path: str) -> bool:
    """Whether a path is of a programming language, and not a test's."""
    return language(path) != "" and not TEST.search(path)


def language(path: str) -> str:
    """The language of a path by its suffix, or ''."""
    return LANGUAGES.get(PurePosixPath(path).suffix[1:].lower(), "")


def _listed(denchmark: Path) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for path in git(denchmark, "ls-tree", "-r", "--name-only", "HEAD", FOLDER).decode().splitlines():
        folder, _, number = path.removeprefix(f"{FOLDER}/").removesuffix(".json").partition("/")
        found[folder].append(number)
    return found


def _sources(repos: Path) -> Mapping[str, tuple[str, Path]]:
    """The git directories of `owner+name` by their names in small letters."""
    from issues import repository

    named: Sequence[str] = [folder.name for folder in repos.iterdir() if "+" in folder.name]
    found = {name: repository(repos, name.replace("+", "/", 1)) for name in named}
    return {name.lower(): (name, source) for name, source in sorted(found.items()) if source}


if __name__ == "__main__":
    main()
