"""What reranking by meaning adds on real issues, for several weights, and for weights learned on other repositories.

    python benchmarks/semantic.py DATASET.jsonl REPOS MODEL_DIR [--model NAME] [the options of issues.py]

For each issue the candidates that the words found are embedded first, so that this measures the order only; the
vectors are kept with the index under --work for the next run. The learned weights of a repository are those that
cover most bodies on all the others.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from embedded import with_vectors
from issues import BUDGETS, Issue, add_common, figures, measure, read_issues, run

from optimizer.context.semantic import WEIGHTS, Reranker, Weights
from optimizer.index.embed import ModelChoice
from optimizer.index.reader import Index
from optimizer.settings import Settings

UNITS = (0.0, 0.25, 0.7, 1.2)
FILES = (0.0, 0.5)
SHOWN = ("acc@1", "acc@3", "acc@5", "acc@10", *(f"bodies@{budget}" for budget in BUDGETS))

Grid = Mapping[Weights, Sequence[Mapping[str, Any]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    parser.add_argument("model_dir", type=Path)
    parser.add_argument("--model", default=Settings().semantic_model, help="its name as fastembed knows it")
    parser.add_argument("--json", type=Path, help="write the figures of each issue and weight here")
    arguments = parser.parse_args()
    issues = read_issues(arguments.dataset, arguments.language, arguments.repo, arguments.limit)
    choice = ModelChoice(arguments.model, str(arguments.model_dir.resolve()), Path())
    results = run(partial(measure_grid, choice), issues, arguments.repos, arguments.work, arguments.jobs)
    grid = {weights: [result[weights] for result in results] for weights in results[0]}
    report(grid)
    if arguments.json:
        rows = [{"units": w.units, "files": w.files, "issues": found} for w, found in grid.items()]
        arguments.json.write_text(json.dumps(rows) + "\n")


def measure_grid(choice: ModelChoice, issue: Issue, index: Index) -> dict[Weights, dict[str, Any]]:
    """The figures of one issue for each pair of weights."""
    reranker = with_vectors(choice, issue, index)
    pairs = [Weights(units, files) for units in UNITS for files in FILES]
    found = {
        weights: measure(issue, index, Reranker(reranker.embedder, reranker.vectors, choice.id, weights))
        for weights in dict.fromkeys([*pairs, WEIGHTS])
    }
    reranker.vectors.close()
    return found


def report(grid: Grid) -> None:
    """The figures for each pair of weights, and those of weights learned without the repository they are used on."""
    print(f"{'units':>6}{'files':>6}{'issues':>8}" + "".join(f"{name:>14}" for name in SHOWN))
    for weights, found in grid.items():
        _row(weights, found, "  (shipped)" if weights == WEIGHTS else "")
    held_back = []
    repos = sorted({result["repo"] for result in grid[WEIGHTS]})
    for repo in repos if len(repos) > 1 else ():
        best = max(grid, key=lambda weights: _worth([r for r in grid[weights] if r["repo"] != repo]))
        held_back += [result for result in grid[best] if result["repo"] == repo]
        print(f"without {repo}: units {best.units:g}, files {best.files:g}")
    if held_back:
        print("each repository with the weights learned on the others:")
        _row(None, held_back)


def _row(weights: Weights | None, found: Sequence[Mapping[str, Any]], note: str = "") -> None:
    row = figures(found)
    pair = f"{weights.units:6g}{weights.files:6g}" if weights else " " * 12
    print(f"{pair}{len(found):8}" + "".join(f"{row[name]:14.1f}" for name in SHOWN) + note)


def _worth(found: Sequence[Mapping[str, Any]]) -> float:
    row = figures(found)
    return sum(row[f"bodies@{budget}"] for budget in BUDGETS) + row["acc@1"] + row["acc@5"]


if __name__ == "__main__":
    main()
