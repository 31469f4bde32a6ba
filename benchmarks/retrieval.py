"""How often the chosen context contains what a real fix changed, over a data set of issues.

    python benchmarks/retrieval.py DATASET.jsonl REPOS [--language L] [--repo R] [--limit N] [--jobs N] [--json OUT]
        [--semantic MODEL_DIR]

A line of the data set is an object with `id`, `repo`, `language`, `base_commit`, `query`, `gold_files` and
`gold_functions` (`path:Qualified.name`). REPOS holds the repositories, `owner+name` or `owner/name`, bare or not.
Each repository is checked out at each base commit in turn, in a clone under --work, and indexed there; nothing after
that commit is looked at. Nothing is sent anywhere and no model is asked; with --semantic the figures come a second
time, with the candidates put in order by an embedding model as well.
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
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


def main() -> None:
    arguments = _arguments()
    issues = read_issues(arguments.dataset, arguments.language, arguments.repo, arguments.limit)
    results = run(measure, issues, arguments.repos, arguments.work, arguments.jobs)
    if not results:
        sys.exit("none of the repositories is there")
    report = summary(results)
    print_report(report)
    if arguments.semantic:
        print("\nthe same with semantic-search:")
        look = partial(with_meaning, str(arguments.semantic.resolve()))
        print_report(summary(run(look, issues, arguments.repos, arguments.work, arguments.jobs)))
    if arguments.json:
        about = {
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "commit": _git(Path(__file__).parent, "rev-parse", "--short", "HEAD").strip(),
            "machine": arguments.machine,
        }
        arguments.json.write_text(json.dumps(about | report | {"issues": results}, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    parser.add_argument("--json", type=Path, help="write all figures, and those of each issue, here")
    parser.add_argument("--semantic", type=Path, metavar="MODEL_DIR", help="also measure with this embedding model")
    parser.add_argument("--machine", default=f"{os.cpu_count()} cores", help="what to call this machine in the figures")
    return parser.parse_args()


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
    present = {name: folder for name in issues if (folder := repository(repos, name)) is not None}
    missing = sorted(set(issues) - set(present))
    if missing:
        print(f"missing repositories ({sum(len(issues[name]) for name in missing)} issues): {', '.join(missing)}")
    results: list[Any] = []
    with ProcessPoolExecutor(jobs) as pool:
        largest_first = sorted(present, key=lambda name: -len(issues[name]))
        for done in pool.map(partial(_repository, look, issues, present, work), largest_first):
            results += done
    return results


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
        _git(tree, "clone", "--quiet", "--shared", "--no-checkout", str(source), str(tree))
    dates = {issue["base_commit"]: _git(tree, "log", "-1", "--format=%ct", issue["base_commit"]) for issue in issues}
    index = open_index(find_root(tree), work / "cache")
    for issue in sorted(issues, key=lambda issue: int(dates[issue["base_commit"]])):
        _check_out(tree, issue["base_commit"])
        refresh(index, Settings(workers=1), lambda progress: None)
        yield issue, index
    index.close()


def _check_out(tree: Path, commit: str) -> None:
    """Make the clone's tree that of a commit; a file whose content the repository lacks is left out."""
    (tree / ".git" / "index.lock").unlink(missing_ok=True)
    try:
        _git(tree, "checkout", "--quiet", "--force", "--detach", commit)
    except subprocess.CalledProcessError:
        _git(tree, "update-ref", "--no-deref", "HEAD", commit)
        _git(tree, "read-tree", "--reset", commit)
        command = ["git", "checkout-index", "--all", "--force", "--quiet"]
        subprocess.run(command, cwd=tree, env={**os.environ, **GIT}, capture_output=True, check=False)
        _git(tree, "clean", "--quiet", "--force", "-d", "-x")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", *arguments]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **GIT}, check=True, capture_output=True, text=True)
    return done.stdout


# ── one issue ────────────────────────────────────────────────────────────────────────────────────


def measure(issue: Issue, index: Index, reranker: Reranker | None = None) -> dict[str, Any]:
    """The figures of one issue: the place of its last gold file, and for each budget what the context covers."""
    query = Query(issue["query"])
    index.words()
    result: dict[str, Any] = {name: issue[name] for name in ("id", "repo", "language")}
    for budget in BUDGETS:
        started = time.perf_counter()
        context = select(query, index, ContextLimits(budget, top=TOP), reranker=reranker)
        seconds = time.perf_counter() - started
        covered = _covered(issue["gold_functions"], context, index)
        result[str(budget)] = {"tokens": context.tokens, "covered": covered, "ms": round(1000 * seconds, 1)}
    ranked = [file.path for file in context.files]
    places = [ranked.index(path) + 1 if path in ranked else NOT_RANKED for path in issue["gold_files"]]
    return result | {"places": places, "files": len(index.paths())}


def with_meaning(model_dir: str, issue: Issue, index: Index) -> dict[str, Any]:
    """The figures of one issue with the candidates ordered by meaning too."""
    from embedded import with_vectors

    from optimizer.index.embed import ModelChoice

    reranker = with_vectors(ModelChoice(Settings().semantic_model, model_dir, Path()), issue, index)
    found = measure(issue, index, reranker)
    reranker.vectors.close()
    return found


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


def summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures over all issues, by language and by repository."""
    groups: dict[str, dict[str, list[Mapping[str, Any]]]] = {"language": defaultdict(list), "repo": defaultdict(list)}
    for result in results:
        for kind, group in groups.items():
            group[result[kind]].append(result)
    return {"all": figures(results)} | {
        kind: {name: figures(group[name]) for name in sorted(group, key=lambda name: -len(group[name]))}
        for kind, group in groups.items()
    }


def figures(results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Strict accuracy of files at each rank and body coverage, in percent; tokens and milliseconds."""
    found: dict[str, float] = {"issues": len(results)}
    for rank in RANKS:
        found[f"acc@{rank}"] = _percent(max(result["places"]) <= rank for result in results)
    for budget in BUDGETS:
        runs = [result[str(budget)] for result in results]
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


def print_report(report: Mapping[str, Any]) -> None:
    """One table: all, each language, each repository."""
    columns = [name for name in report["all"] if name != "issues"]
    names = [name.replace("tokens_p95", "p95").replace("@12000", "@12k").replace("@6000", "@6k") for name in columns]
    print(f"{'':24}{'issues':>7}" + "".join(f"{name:>11}" for name in names))
    for title, group in (("", {"all": report["all"]}), ("", report["language"]), ("", report["repo"])):
        print(title)
        for name, row in group.items():
            print(f"{name:24}{row['issues']:7}" + "".join(f"{row[column]:11.6g}" for column in columns))


if __name__ == "__main__":
    main()
