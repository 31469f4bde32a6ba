"""The sets of requests that the choice of context is measured on, as issues with what their fixes changed."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import denchmark
from history import git
from issues import Issue, repository

SETS = ("dev", "denchmark", "short", "bare")
DENCHMARK = "RosePasta/Denchmark_BRs"
MOST_LATER = 40


def load(name: str, data: Path, repos: Path, work: Path) -> list[Issue]:
    """The requests of a set: `dev` issues, `denchmark` reports, `short` questions, `bare`: these without history."""
    if name == "dev":
        return _with_lines(_lines_of(data / "retrieval_dev.jsonl"), repos, work / "dev_lines.json")
    if name == "denchmark":
        return _reports(repos, work)
    return list(_questions(data / "short_queries_dev.jsonl", name == "bare"))


def sample(issues: Sequence[Issue], count: int | None) -> list[Issue]:
    """So many of the issues, always the same; a larger sample holds the smaller ones."""
    return sorted(issues, key=lambda issue: hashlib.sha256(issue["id"].encode()).digest())[:count]


def _lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().split("\n") if line] if path.is_file() else []


def _reports(repos: Path, work: Path) -> list[Issue]:
    """The reports drawn; kept outside the project, since reading them takes a while."""
    source = repository(repos, DENCHMARK)
    state = denchmark.IDS.read_bytes() + Path(denchmark.__file__).read_bytes()
    kept = work / f"denchmark.{hashlib.sha256(state).hexdigest()[:8]}.jsonl"
    if source and not kept.is_file():
        work.mkdir(parents=True, exist_ok=True)
        kept.write_text("".join(f"{json.dumps(row)}\n" for row in denchmark.rows(source, repos)))
    return list(_lines_of(kept))


def _questions(path: Path, shallow: bool) -> Iterator[Issue]:
    for number, row in enumerate(_lines_of(path)):
        yield {
            "id": f"{row['repo']}-{number}",
            "repo": row["repo"],
            "language": row["language"],
            "category": row["category"],
            "base_commit": row["revision"],
            "query": row["query"],
            "gold_files": list(dict.fromkeys([*row["relevant"], *row["secondary"]])),
            "gold_functions": [],
            "root": row["root"],
            "shallow": shallow,
        }


# ── edited lines ─────────────────────────────────────────────────────────────────────────────────


def _with_lines(issues: Sequence[dict[str, Any]], repos: Path, kept: Path) -> list[Issue]:
    """The issues with the lines that their fixes edit, where the fix is found; looked for once."""
    known = json.loads(kept.read_text()) if kept.is_file() else {}
    for issue in issues:
        source = repository(repos, issue["repo"])
        if issue["id"] not in known and source:
            known[issue["id"]] = _edited_lines(source, issue)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(known) + "\n")
    return [{**issue, "gold_lines": known.get(issue["id"], {})} for issue in issues]


def _edited_lines(source: Path, issue: Issue) -> Mapping[str, Sequence[int]]:
    """The edited lines by path, or none when no later commit is certain to be the fix.

    It is the first after the base that changes the gold files and no other source, all as they were at the base.
    """
    base, gold = issue["base_commit"], sorted(issue["gold_files"])
    for parent, commit in _later(source, base, gold[0]):
        try:
            changed = git(source, "diff-tree", "-r", "--name-only", parent, commit, "--", *gold).decode().splitlines()
            same = not git(source, "diff-tree", "-r", base, parent, "--", *gold)
            if same and sorted(changed) == gold:
                return {path: denchmark.changed_lines(source, parent, commit, path) for path in gold}
        except subprocess.CalledProcessError:
            continue
    return {}


def _later(source: Path, base: str, path: str) -> Iterable[tuple[str, str]]:
    """(parent, commit) of the first commits after the base that change a file, merges against their first parent."""
    for way in (["--first-parent", "HEAD"], ["--all"]):
        words = ("log", "-m", "--first-parent", "--format=%H", "--reverse", *way, f"^{base}", "--", path)
        try:
            listed = git(source, *words).decode().split()[:MOST_LATER]
        except subprocess.CalledProcessError:
            continue
        for commit in listed:
            yield f"{commit}^1", commit
