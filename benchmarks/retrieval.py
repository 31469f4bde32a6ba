"""How often the chosen context contains what a real fix changed: all sets of requests in one table, with intervals.

    python benchmarks/retrieval.py [--set NAME]… [--sample N] [--jobs N] [--json OUT] [--against OUT] [--by FIELD]

The sets: `dev` (issues of `retrieval_dev.jsonl`), `denchmark` (bug reports drawn by `denchmark.py`), `short`
(questions of `short_queries_dev.jsonl`) and `bare`, the same questions where the clone has no history. DATA holds both
files, REPOS the repositories and RosePasta/Denchmark_BRs, `owner+name` or `owner/name`, bare or not; they are taken
from --data and --repos, or from BENCH_DATA and BENCH_REPOS.

The result of each request is kept under --work by the content of the code that is measured, so that a run that was
ended goes on, and a second run of the same code prints at once. Two runs need folders of their own. All grammars must
be installed (extra `languages`); the figures held back need numpy, scipy and lightgbm. Intervals hold 95 % of 1,000
resamples of the requests; of NDCG, within repositories. With --against, the change from another result on
the same requests, with its interval.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pickle
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from figures_table import line, ndcg, table
from issues import Issue, git_text, measure, run
from learn import cross_validate, held_bodies, put_file_scores
from learn_rows import rows_of
from request_sets import SETS, load, sample

from optimizer.index.reader import Index
from optimizer.languages.table import LANGUAGES, installed_names

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ("optimizer/context", "optimizer/index", "optimizer/languages", "optimizer/git", "optimizer/retrieval.py")
MEASURING = ("benchmarks/issues.py", "benchmarks/learn_rows.py")


def main() -> None:
    arguments = _arguments()
    if missing := {language.name for language in LANGUAGES} - set(installed_names()):
        sys.exit(f"no grammars of {', '.join(sorted(missing))}: install the extra languages, or figures are too low")
    kept = arguments.work / "results" / code_version()
    seconds, results = {}, {}
    for name in arguments.set or SETS:
        started = time.monotonic()
        results[name] = _measured(name, arguments, kept / name)
        seconds[name] = round(time.monotonic() - started)
        print(f"{name}: {len(results[name])} requests, {seconds[name]} s", file=sys.stderr, flush=True)
    before = json.loads(arguments.against.read_text())["results"] if arguments.against else {}
    rows = list(table(results, before))
    about = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": git_text(ROOT, "rev-parse", "--short", "HEAD").strip(),
        "code": kept.name,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, shared with other work",
        "seconds": seconds,
    }
    print(*(f"{name} {value}" for name, value in about.items() if name != "seconds"), sep=" · ")
    print(*map(line, rows), sep="\n")
    for name in results if arguments.by else ():
        _print_groups(name, results[name], arguments.by)
    if arguments.json:
        arguments.json.write_text(_json(about | {"table": rows}, results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", choices=SETS, help="only this set; may be repeated")
    parser.add_argument("--sample", type=int, metavar="N", help="only N requests of each set, always the same")
    parser.add_argument("--repo", help="only this repository (owner/name)")
    parser.add_argument("--by", choices=("language", "repo"), help="also each language or repository")
    parser.add_argument("--json", type=Path, help="write the table and the result of each request here")
    parser.add_argument("--against", type=Path, metavar="JSON", help="an older result to compare with")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--data", type=Path, default=os.environ.get("BENCH_DATA", ROOT.parent / "shared/eval"))
    parser.add_argument("--repos", type=Path, default=os.environ.get("BENCH_REPOS", "."))
    parser.add_argument("--work", type=Path, default=Path("~/.cache/optimizer-retrieval").expanduser())
    return parser.parse_args()


def code_version() -> str:
    """A short hash of the content of all files that decide what is chosen and how it is judged."""
    digest = hashlib.sha256()
    for place in (*MEASURED, *MEASURING):
        path = ROOT / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


# ── one set ──────────────────────────────────────────────────────────────────────────────────────


def _measured(name: str, arguments: argparse.Namespace, kept: Path) -> list[dict[str, Any]]:
    kept.mkdir(parents=True, exist_ok=True)
    known = load(name, arguments.data, arguments.repos, arguments.work)
    wanted = sample([issue for issue in known if arguments.repo in (None, issue["repo"])], arguments.sample)
    missing: dict[str, list[Issue]] = defaultdict(list)
    for issue in wanted:
        if not _file(kept, issue).is_file():
            missing[issue["repo"]].append(issue)
    run(partial(_keep, kept, name == "dev"), missing, arguments.repos, arguments.work / name, arguments.jobs)
    files = [_file(kept, issue) for issue in wanted]
    results = [json.loads(file.read_text()) for file in files if file.is_file()]
    if name == "dev" and not arguments.repo:
        _hold_back(
            results, [pickle.loads(file.with_suffix(".pickle").read_bytes()) for file in files if file.is_file()]
        )
    return results


def _keep(kept: Path, with_rows: bool, issue: Issue, index: Index) -> None:
    """Measure one request and keep its result; the signals of its candidates too, for weights held back."""
    file = _file(kept, issue)
    result = measure(issue, index) | {"category": issue.get("category", "")}
    if with_rows:
        rows = rows_of({key: value for key, value in issue.items() if key != "gold_lines"}, index)
        file.with_suffix(".pickle").write_bytes(pickle.dumps(rows))
    file.write_text(json.dumps(result))


def _file(kept: Path, issue: Issue) -> Path:
    content = hashlib.sha256(json.dumps(issue, sort_keys=True).encode()).hexdigest()[:8]
    return kept / f"{issue['id'].replace('/', '+')}.{content}.json"


def _hold_back(results: Sequence[dict[str, Any]], issues: Sequence[Any]) -> None:
    """Add the places and bodies by weights learned on the other repositories."""
    if len({issue["repo"] for issue in issues}) < 2:
        return
    try:
        places, totals = cross_validate(issues)
        for issue, result, place, total in zip(issues, results, places, totals, strict=True):
            result["held"] = [int(place)]
            put_file_scores(issue, total)
        bodies = held_bodies(issues)
    except ImportError as error:
        print(f"no figures held back: {error}", file=sys.stderr)
        return
    for result in results:
        if result["id"] in bodies:
            result["held_bodies"] = {str(size): list(map(bool, of)) for size, of in bodies[result["id"]].items()}


def _print_groups(name: str, results: Sequence[Mapping[str, Any]], field: str) -> None:
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for result in results:
        groups[result[field]].append(result)
    print(f"\n{name:34}{'requests':>9}{'@1':>7}{'@3':>7}{'@5':>7}{'NDCG@10':>9}")
    for group, own in sorted(groups.items(), key=lambda pair: -len(pair[1])):
        shares = [100 * sum(max(result["places"]) <= rank for result in own) / len(own) for rank in (1, 3, 5)]
        print(f"{group:34}{len(own):9}" + "".join(f"{share:7.1f}" for share in shares), end="")
        print(f"{sum(map(ndcg, own)) / len(own):9.3f}")


def _json(about: Mapping[str, Any], results: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """One request a line."""
    sets = (
        f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(result, separators=(",", ":")) for result in of) + "\n]"
        for name, of in results.items()
    )
    return json.dumps(about, indent=1).removesuffix("\n}") + ',\n "results": {\n' + ",\n".join(sets) + "\n}\n}\n"


if __name__ == "__main__":
    main()
