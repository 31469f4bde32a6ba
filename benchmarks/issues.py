"""Real requests in the index of the commit they were made at, and the figures of each; `retrieval.py` is the command.

An issue is an object with `id`, `repo`, `language`, `base_commit`, `query`, `gold_files`, `gold_functions`
(`path:Qualified.name`) and perhaps `gold_lines` by path; with `root` only that folder is laid out, with `shallow` the
history ends at the commit. Each repository is checked out at each base commit in turn, in a clone of its own, and
indexed there; nothing after that commit is looked at. Nothing is sent anywhere and no model is asked.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.context.budget import count_tokens
from optimizer.context.files import FileLines
from optimizer.context.select import select
from optimizer.index.files import find_root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.settings import Settings
from optimizer.types import Context, ContextLimits, Query

if TYPE_CHECKING:
    from optimizer.context.semantic import Reranker

RANKS = (1, 3, 5, 10, 20)
BUDGETS = (6000, 12000)
NOT_RANKED = 10**6
TOP = 200
GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_LFS_SKIP_SMUDGE": "1"}

Issue = Mapping[str, Any]


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that select issues."""
    parser.add_argument("dataset", type=Path)
    parser.add_argument("repos", type=Path)
    parser.add_argument("--language")
    parser.add_argument("--repo")
    parser.add_argument("--limit", type=int, help="only the first N issues of each repository")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("~/.cache/optimizer-retrieval").expanduser())


def read_issues(dataset: Path, language: str | None, repo: str | None, limit: int | None) -> dict[str, list[Issue]]:
    """The issues asked for, by repository."""
    found: dict[str, list[Issue]] = defaultdict(list)
    for line in dataset.read_text().splitlines():
        issue = json.loads(line)
        if language in (None, issue["language"]) and repo in (None, issue["repo"]):
            found[issue["repo"]].append(issue)
    return {name: issues[:limit] for name, issues in found.items()}


def run(
    look: Callable[[Issue, Index], Any], issues: Mapping[str, Sequence[Issue]], repos: Path, work: Path, jobs: int
) -> list[Any]:
    """The result of `look` for each issue in the index of its base commit, several repositories at once."""
    sources = {name: folder for name in issues if (folder := repository(repos, name)) is not None}
    present = {name: source for name, source in sources.items() if _has_all(source, issues[name])}
    missing = sorted(set(issues) - set(present))
    if missing:
        count = sum(len(issues[name]) for name in missing)
        print(f"missing repositories or commits ({count} issues): {', '.join(missing)}", file=sys.stderr)
    results: list[Any] = []
    with ProcessPoolExecutor(jobs) as pool:
        largest_first = sorted(present, key=lambda name: -len(issues[name]))
        for done in pool.map(partial(_repository, look, issues, present, work), largest_first):
            results += done
    return results


def _has_all(source: Path, issues: Iterable[Issue]) -> bool:
    asked = "".join(f"{issue['base_commit']}^{{commit}}\n" for issue in issues)
    command = ["git", "-c", "safe.directory=*", "--git-dir", str(source), "cat-file", "--batch-check"]
    return " missing" not in subprocess.run(command, input=asked, check=True, capture_output=True, text=True).stdout


def repository(repos: Path, name: str) -> Path | None:
    """The git directory of `owner/name` in a folder of repositories."""
    for folder in (repos / name.replace("/", "+"), repos / name):
        for candidate in (folder / "repo", folder / "repo" / ".git", folder / ".git", folder):
            if (candidate / "HEAD").is_file() and (candidate / "objects").is_dir():
                return candidate
    return None


def _repository(
    look: Callable[[Issue, Index], Any],
    issues: Mapping[str, Sequence[Issue]],
    present: Mapping[str, Path],
    work: Path,
    name: str,
) -> list[Any]:
    started = time.monotonic()
    done = [look(issue, index) for issue, index in visit(issues[name], present[name], work / name.replace("/", "+"))]
    print(f"{name}: {len(done)} issues, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return done


def visit(issues: Sequence[Issue], source: Path, work: Path) -> Iterator[tuple[Issue, Index]]:
    """Each issue, oldest commit first, with the index of the tree it was open in."""
    tree = work / "tree"
    if not (tree / ".git").is_dir():
        tree.mkdir(parents=True, exist_ok=True)
        git_text(tree, "clone", "--quiet", "--shared", "--no-checkout", str(source), str(tree))
    dates = {
        issue["base_commit"]: git_text(tree, "log", "-1", "--format=%ct", issue["base_commit"]) for issue in issues
    }
    if issues[0].get("root", "-") != "-":
        git_text(tree, "sparse-checkout", "set", "--no-cone", f"/{issues[0]['root']}/")
    index, at = open_index(find_root(tree), work / "cache"), ""
    for issue in sorted(issues, key=lambda issue: int(dates[issue["base_commit"]])):
        if issue["base_commit"] != at:
            at = issue["base_commit"]
            _check_out(tree, at)
            if issue.get("shallow"):
                (tree / ".git" / "shallow").write_text(f"{at}\n")
            refresh(index, Settings(workers=1), lambda progress: None)
        yield issue, index
    index.close()


def _check_out(tree: Path, commit: str) -> None:
    """Make the clone's tree that of a commit; a file whose content the repository lacks is left out."""
    (tree / ".git" / "index.lock").unlink(missing_ok=True)
    try:
        git_text(tree, "checkout", "--quiet", "--force", "--detach", commit)
    except subprocess.CalledProcessError:
        git_text(tree, "update-ref", "--no-deref", "HEAD", commit)
        git_text(tree, "read-tree", "--reset", commit)
        command = ["git", "checkout-index", "--all", "--force", "--quiet"]
        subprocess.run(command, cwd=tree, env={**os.environ, **GIT}, capture_output=True, check=False)
        git_text(tree, "clean", "--quiet", "--force", "-d", "-x")


def git_text(folder: Path, *arguments: str) -> str:
    """What git prints in a folder, without hooks and settings of the machine."""
    command = ["git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", *arguments]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **GIT}, check=True, capture_output=True, text=True)
    return done.stdout


# ── one issue ────────────────────────────────────────────────────────────────────────────────────


def measure(issue: Issue, index: Index, reranker: Reranker | None = None) -> dict[str, Any]:
    """The figures of one issue: the places of its gold files, and for each budget what the context covers.

    `left` says whether the files that a context may draw from hold more than the budget, `lines` which of the edited
    lines are in bodies, `of_gold` how many lines of gold files are sent.
    """
    query = Query(issue["query"])
    index.words()
    result: dict[str, Any] = {name: issue[name] for name in ("id", "repo", "language")}
    for budget in BUDGETS if issue["gold_functions"] else BUDGETS[:1]:
        started = time.perf_counter()
        context = select(query, index, ContextLimits(budget, top=TOP), reranker=reranker)
        seconds = time.perf_counter() - started
        result[str(budget)] = {
            "tokens": context.tokens,
            "in_bodies": sum(item.tokens for item in context.items if item.kind != "signature"),
            "left": _holds(context, index, budget),
            "covered": _covered(issue["gold_functions"], context, index),
            "lines": _edited(issue.get("gold_lines", {}), context),
            "of_gold": sum(item.end - item.start + 1 for item in context.items if place_of(item.path, issue) >= 0),
            "ms": round(1000 * seconds, 1),
        }
    ranked = [place_of(file.path, issue) for file in context.files]
    places = [ranked.index(at) + 1 if at in ranked else NOT_RANKED for at in range(len(issue["gold_files"]))]
    return result | {"places": places, "files": len(index.paths())}


def place_of(path: str, issue: Issue) -> int:
    """Which of the gold files a path is, or -1; of short questions they are named by their last parts."""
    for at, gold in enumerate(issue["gold_files"]):
        if path == gold or ("root" in issue and (path.endswith(f"/{gold}") or gold.endswith(f"/{path}"))):
            return at
    return -1


def _holds(context: Context, index: Index, budget: int) -> bool:
    """Whether the files that the context could draw from hold more tokens than the budget."""
    source, tokens = FileLines(index), 0
    for file in context.files[: ContextLimits(budget).max_files]:
        tokens += count_tokens("\n".join(source.lines(file.path)))
        if tokens > budget:
            return True
    return False


def _edited(lines: Mapping[str, Sequence[int]], context: Context) -> list[int]:
    """How many of the edited lines are within bodies that are sent, and how many there are."""
    held: dict[str, set[int]] = defaultdict(set)
    for item in context.items:
        if item.kind != "signature":
            held[item.path].update(range(item.start, item.end + 1))
    return [sum(len(held[path].intersection(of)) for path, of in lines.items()), sum(map(len, lines.values()))]


def _covered(functions: Iterable[str], context: Context, index: Index) -> list[bool]:
    held: dict[str, set[int]] = defaultdict(set)
    for item in context.items:
        held[item.path].update(range(item.start, item.end + 1))
    found = []
    for function in functions:
        path, _, name = function.partition(":")
        named = [symbol for symbol in index.symbols_in(path) if name in (symbol.qualified, symbol.name)]
        exact = [symbol for symbol in named if symbol.qualified == name] or named
        bodies = [range(symbol.start, symbol.end + 1) for symbol in exact]
        found.append(held[path].issuperset(max(bodies, key=len)) if bodies else False)  # overloads are stubs
    return found


# ── all issues ───────────────────────────────────────────────────────────────────────────────────


def figures(results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Strict accuracy of files at each rank and body coverage, in percent; tokens and milliseconds."""
    found: dict[str, float] = {"issues": len(results)}
    for rank in RANKS:
        found[f"acc@{rank}"] = _percent(max(result["places"]) <= rank for result in results)
    for budget in BUDGETS:
        runs = [result[str(budget)] for result in results if str(budget) in result]
        if not runs:
            continue
        found[f"bodies@{budget}"] = _percent(covered for run in runs for covered in run["covered"])
        found[f"tokens@{budget}"] = round(statistics.mean(run["tokens"] for run in runs))
        found[f"tokens_p95@{budget}"] = _p95([run["tokens"] for run in runs])
    times = [result[str(BUDGETS[0])]["ms"] for result in results]
    return found | {"ms": statistics.median(times), "ms_p95": _p95(times)}


def _percent(values: Iterable[bool]) -> float:
    known = list(values)
    return round(100 * sum(known) / len(known), 1) if known else float("nan")


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]
