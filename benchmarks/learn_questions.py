"""Learn the order of files for questions of one line: `python benchmarks/learn_questions.py DATA REPOS [--write]`.

Prints NDCG@10 of repositories that were held back. `--write` learns from all questions and puts the two lines into
`optimizer/context/learned.json`. Needs numpy and scipy.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import request_sets
from figures_table import ndcg
from issues import Issue, add_common, run
from learn import folds, matrix, place_in, put_table
from learn_files import QUESTIONS, FileModel, fit_files
from learn_rows import rows_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--bare", action="store_true", help="of clones without history")
    arguments = parser.parse_args()
    asked: dict[str, list[Issue]] = defaultdict(list)
    for issue in request_sets.load(
        "bare" if arguments.bare else "short", arguments.dataset, arguments.repos, arguments.work
    ):
        asked[issue["repo"]].append(issue)
    questions = run(rows_of, asked, arguments.repos, arguments.work, arguments.jobs)
    print(f"held back: NDCG@10 {held_back(questions):.4f} of {len(questions)} questions")
    if arguments.write:
        prefix = "bare_question" if arguments.bare else "question"
        put_table({f"{prefix}_{kind}": line for kind, line in model_of(questions).table().items()})


def held_back(questions: Sequence[Any]) -> float:
    """Mean NDCG@10 over the repositories, each ordered by what was learned without it."""
    gains: dict[str, list[float]] = defaultdict(list)
    for held in folds(questions):
        model = model_of([question for question in questions if question["repo"] not in held])
        for question in questions:
            if question["repo"] in held:
                totals = model.totals(matrix(question["rows"]))
                places = [place_in({"gold": [gold]}, totals) for gold in question["gold"]]
                gains[question["repo"]].append(ndcg({"places": places}))
    return statistics.mean(map(statistics.mean, gains.values()))


def model_of(questions: Sequence[Any]) -> FileModel:
    """The order learned from questions; every repository counts the same."""
    counts = Counter(question["repo"] for question in questions)
    return fit_files(questions, [1 / counts[question["repo"]] for question in questions], pull=QUESTIONS)


if __name__ == "__main__":
    main()
