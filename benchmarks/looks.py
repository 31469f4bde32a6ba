"""How often the first context holds a file that answers a question, and how often looks of a script bring one.

    python benchmarks/looks.py DATASET.jsonl REPOS [--language L] [--repo R] [--limit N] [--jobs N] [--json OUT]

A line of the data set is an object with `repo`, `language`, `query`, the commit (`base_commit` or `revision`) and the
files that answer it (`gold_files` or `relevant`); REPOS is as for retrieval.py. The script stands for a model that
makes the plainest use of its tools: it calls search_code for the rarest words of the question in its first reply, and
read_file for the file with most of their hits, weighted by rarity, that it has not seen, in each reply after that. No
model is asked. A file counts as brought when it was read; one that a line of a search names is counted apart.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from issues import add_common, git_text, repository, run

from optimizer.agent.prompts import overhead
from optimizer.agent.serve import Overlay, View, read_file, search_code
from optimizer.context.budget import count_tokens
from optimizer.context.select import select
from optimizer.errors import OptimizerError
from optimizer.index.postings import STOP
from optimizer.index.reader import Index
from optimizer.languages.words import terms
from optimizer.settings import Settings
from optimizer.types import ContextLimits, Query

SEARCHES = 6  # calls of the first reply
DEFAULTS = Settings()

Question = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Looked:
    """The files that were read, in their order, those that a search named, and the tokens of all results."""

    read: tuple[str, ...]
    named: frozenset[str]
    tokens: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    parser.add_argument("--json", type=Path, help="write all figures, and those of each question, here")
    parser.add_argument("--machine", default=f"{os.cpu_count()} cores", help="what to call this machine in the figures")
    arguments = parser.parse_args()
    questions: dict[str, list[Question]] = {}
    for line in arguments.dataset.read_text().splitlines():
        row = json.loads(line)
        if arguments.language in (None, row["language"]) and arguments.repo in (None, row["repo"]):
            commit, files = row.get("base_commit") or row["revision"], row.get("gold_files") or row["relevant"]
            questions.setdefault(row["repo"], []).append({**row, "base_commit": commit, "files": files})
    asked = {name: _present(name, rows, arguments.repos)[: arguments.limit] for name, rows in questions.items()}
    asked = {name: rows for name, rows in asked.items() if rows}
    results = run(measure, asked, arguments.repos, arguments.work, arguments.jobs)
    report = figures(results)
    print(json.dumps(report, indent=1))
    if arguments.json:
        about = {
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "commit": git_text(Path(__file__).parent, "rev-parse", "--short", "HEAD").strip(),
            "machine": arguments.machine,
            "dataset": arguments.dataset.name,
        }
        arguments.json.write_text(json.dumps(about | report | {"questions": results}, indent=1) + "\n")


def _present(name: str, questions: Sequence[Question], repos: Path) -> list[Question]:
    """The questions whose commit the repository holds."""
    found = repository(repos, name)
    held: dict[str, bool] = {}
    for commit in {one["base_commit"] for one in questions} if found else ():
        asked = ["git", "-C", str(found), "-c", "safe.directory=*", "cat-file", "-e", f"{commit}^{{commit}}"]
        held[commit] = subprocess.run(asked, capture_output=True, check=False).returncode == 0
    return [one for one in questions if held.get(one["base_commit"])]


def measure(question: Question, index: Index) -> dict[str, Any]:
    """For one question: whether its first context holds an expected file, and after how many replies one was read."""
    text = question["query"]
    space = DEFAULTS.first_request - DEFAULTS.max_tokens - overhead()
    context = select(Query(text), index, ContextLimits(space - min(count_tokens(text), space // 2), DEFAULTS.max_files))
    shown = {item.path for item in context.items}
    looked = look(text, index, shown)
    order = [number for number, path in enumerate(looked.read, 2) if _is_one(path, question["files"])]
    return {
        "repo": question["repo"],
        "shown": any(_is_one(path, question["files"]) for path in shown),
        "named": any(_is_one(path, question["files"]) for path in looked.named),
        "replies": order[0] if order else 0,
        "tokens": looked.tokens,
    }


def look(text: str, index: Index, shown: Iterable[str]) -> Looked:
    """What the script looks at: the rarest words in one reply, then a file in each of those that are left."""
    view = View(index, Overlay(lambda path: None), DEFAULTS.agent_result_tokens)
    hits: Counter[str] = Counter()
    named: set[str] = set()
    tokens = 0
    for word in rarest(text, index):
        try:
            found = search_code(view, word).text
        except OptimizerError:
            continue
        tokens += count_tokens(found)
        files = Counter(line.split(":", 1)[0] for line in found.split("\n") if ":" in line)
        named |= files.keys()
        for path, count in files.items():
            hits[path] += min(count, 5) / len(files)
    read = []
    seen = set(shown)
    for path, _ in hits.most_common():
        if len(read) == DEFAULTS.agent_steps - 1:
            break
        if path in seen:
            continue
        try:
            tokens += count_tokens(read_file(view, path).text)
        except OptimizerError:
            continue
        read.append(path)
    return Looked(tuple(read), frozenset(named), tokens)


def rarest(text: str, index: Index) -> list[str]:
    """The words of a question's first line, and its names of code, that the fewest files hold, as they are written."""
    words = index.words()
    found: dict[str, int] = {}
    title, _, rest = text[:4000].partition("\n")
    said = [*title.split(), *re.findall(r"\b\w+_\w+\b|\b\w*[a-z][A-Z]\w*\b", rest)]
    for word in dict.fromkeys(part.strip(".,;:!?()[]{}<>/=\"'`") for part in said):
        parts = [term for term in terms(word) if len(term) > 2 and term not in STOP]
        sets = [words.files_of("body", term) | words.files_of("doc", term) for term in parts]
        files = len(set.intersection(*sets)) if sets else 0
        if files:
            found[word] = files
    return sorted(found, key=lambda word: found[word])[:SEARCHES]


def figures(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts over all questions."""
    missed = [one for one in results if not one["shown"]]
    return {
        "asked": len(results),
        "first context holds a file": len(results) - len(missed),
        "first context holds none": len(missed),
        "of these: read by the second reply": sum(one["replies"] == 2 for one in missed),
        "of these: read within all replies": sum(one["replies"] > 0 for one in missed),
        "of these: named by a search": sum(one["named"] for one in missed),
        "tokens of results, mean": round(sum(one["tokens"] for one in results) / max(1, len(results))),
    }


def _is_one(path: str, expected: Sequence[str]) -> bool:
    return any(f"/{path}".endswith(f"/{one}") or f"/{one}".endswith(f"/{path}") for one in expected)


if __name__ == "__main__":
    main()
