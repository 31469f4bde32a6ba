"""Learn the weights of the signals of a request, from issues and what their fixes changed.

    python benchmarks/learn.py dump DATASET.jsonl REPOS --out ROWS.pickle      the signals of every candidate
    python benchmarks/learn.py fit ROWS.pickle [--write] [--json OUT]          cross-validate, ablate, write the table

Needs numpy, scipy and lightgbm, which the project itself does not. All reported results are of repositories
that were held back. `--write` learns from all rows and writes `optimizer/context/learned.json`, all that ships.
"""

from __future__ import annotations

import argparse
import json
import math
import pickle
import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from issues import RANKS, add_common, read_issues, run
from learn_files import REST, SHARPNESS, FileModel, fit_files
from learn_rows import rows_of

from optimizer.context.packing import plan
from optimizer.context.rank import RankedUnit, around_rows, of_file
from optimizer.context.weights import AROUND_COLUMNS, FILE_WEIGHTS, FIRST, TABLE, UNIT_COLUMNS, Line, chance
from optimizer.retrieval import ContextLimits

FOLDS, SEEDS = 6, (1,)
MORE_COUNTS = 0.2
NOT_RANKED = 10**6
FREE = frozenset({"length", "depth", "churn", "init", "declarations", "size", "behind", "in_class", "in_file"})
AROUND = {"num_leaves": 6, "learning_rate": 0.08, "min_data_in_leaf": 20, "lambda_l2": 5.0, "rounds": 50}
AROUND |= {"feature_fraction": 0.7}
LOSS_SHARE, NEWTON_STEPS = 0.01, 8
COMMON = {"feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1, "verbosity": -1, "num_threads": 1}
BODY_BUDGETS = {6000: 0.95, 12000: 0.95}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    dump = commands.add_parser("dump")
    add_common(dump)
    dump.add_argument("--out", type=Path, required=True)
    dump.add_argument("--bare", action="store_true", help="as in clones without history")
    dump.set_defaults(do=_dump)
    fit = commands.add_parser("fit")
    fit.add_argument("rows", type=Path)
    fit.add_argument("--more", type=Path, help="further rows to learn from, not included in the figures")
    fit.add_argument("--write", action="store_true")
    fit.add_argument(
        "--bare", action="store_true", help="the rows are of clones without history: only the order of files"
    )
    fit.add_argument("--ablate", action="store_true")
    fit.add_argument("--json", type=Path)
    fit.set_defaults(do=_fit)
    arguments = parser.parse_args()
    arguments.do(arguments)


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────


def _dump(arguments: argparse.Namespace) -> None:
    issues = read_issues(arguments.dataset, arguments.language, arguments.repo, arguments.limit)
    if arguments.bare:
        issues = {repo: [{**issue, "shallow": True} for issue in own] for repo, own in issues.items()}
    found = run(rows_of, issues, arguments.repos, arguments.work, arguments.jobs)
    arguments.out.write_bytes(pickle.dumps(found))


# ── learning ─────────────────────────────────────────────────────────────────────────────────────


def _fit(arguments: argparse.Namespace) -> None:
    issues = pickle.loads(arguments.rows.read_bytes())
    more = pickle.loads(arguments.more.read_bytes()) if arguments.more else []
    report: dict[str, Any] = {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "issues": len(issues)}
    report["weights set by hand"] = accuracy([max(issue["gold"]) + 1 for issue in issues])
    places, totals = cross_validate(issues, more)
    report["held back"] = accuracy(places)
    for language in sorted({issue["language"] for issue in issues}):
        own = [place for issue, place in zip(issues, places, strict=True) if issue["language"] == language]
        report[f"held back, {language}"] = accuracy(own)
    print(json.dumps(report, indent=1))
    if arguments.bare:
        if arguments.write:
            put_table({f"bare_{kind}": line for kind, line in _file_model(issues, more).table().items()})
        return
    for issue, total in zip(issues, totals, strict=True):
        put_file_scores(issue, total)
    for issue in more:
        put_file_scores(issue, [SHARPNESS * math.log(row[FIRST]) for row in issue["rows"]])
    report["bodies held back"] = body_coverage(issues, more)
    print(report["bodies held back"])
    if arguments.ablate:
        report["without"] = ablation(issues, more)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    if arguments.write:
        write(issues, more)


def cross_validate(
    issues: Sequence[Any], more: Sequence[Any] = (), without: Collection[str] = ()
) -> tuple[list[int], list[Any]]:
    """The place of the last gold file of each issue, by weights learned on other repositories; and all their sums."""
    places: list[int] = [0] * len(issues)
    totals: list[Any] = [None] * len(issues)
    for held in sorted({issue["repo"] for issue in issues}):
        model = _file_model(*([issue for issue in each if issue["repo"] != held] for each in (issues, more)), without)
        for number, issue in enumerate(issues):
            if issue["repo"] == held:
                totals[number] = model.totals(matrix(issue["rows"]))
                places[number] = place_in(issue, totals[number])
    return places, totals


def _file_model(issues: Sequence[Any], more: Sequence[Any], without: Collection[str] = ()) -> FileModel:
    return fit_files([*issues, *more], [1.0] * len(issues) + [MORE_COUNTS] * len(more), without)


def folds(issues: Sequence[Any], seed: int = 1) -> list[set[str]]:
    repos = sorted({issue["repo"] for issue in issues})
    random.Random(seed).shuffle(repos)
    return [set(repos[at::FOLDS]) for at in range(FOLDS)]


def place_in(issue: Mapping[str, Any], totals: Any) -> int:
    return max(1 + int((totals > totals[gold]).sum()) if gold < len(totals) else NOT_RANKED for gold in issue["gold"])


def matrix(rows: Sequence[Sequence[float]]) -> Any:
    import numpy

    return numpy.array(rows, numpy.float32)


def _model(rows: Any, wanted: Any, columns: Sequence[str], shape: Mapping[str, Any], seed: int) -> Any:
    import lightgbm

    settings = {**COMMON, **{name: value for name, value in shape.items() if name != "rounds"}, "seed": seed}
    settings["monotone_constraints"] = [0 if name in FREE else 1 for name in columns]
    return lightgbm.train({**settings, "objective": "binary"}, lightgbm.Dataset(rows, wanted), shape["rounds"])


def accuracy(places: Sequence[int]) -> dict[str, float]:
    """In percent of the issues, how often all gold files are within each rank."""
    return {f"acc@{rank}": round(100 * sum(place <= rank for place in places) / len(places), 1) for rank in RANKS}


def ablation(issues: Sequence[Any], more: Sequence[Any]) -> dict[str, Any]:
    """What the held-back figures are without each signal, among the same candidates."""
    found = {}
    for name in (*FILE_WEIGHTS, *REST):
        places, _ = cross_validate(issues, more, (name,))
        found[name] = accuracy(places)
        print(f"{name:14}", found[name], flush=True)
    return found


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────


def put_file_scores(issue: Mapping[str, Any], totals: Any) -> None:
    """Set the columns about the file of each unit to the results of held-back trees."""
    largest = float(max(totals))
    scores = {path: math.exp(float(total) - largest) for path, total in zip(issue["paths"], totals, strict=True)}
    places = {path: at for at, path in enumerate(sorted(scores, key=lambda path: -scores[path]))}
    columns = [UNIT_COLUMNS.index(name) for name in ("file", "behind", "first_file")]
    for unit in issue["units"]:
        row = list(unit["row"])
        for column, value in zip(columns, of_file(scores[unit["path"]], places[unit["path"]]), strict=True):
            row[column] = value
        unit["row"] = tuple(row)


def body_coverage(issues: Sequence[Any], more: Sequence[Any] = ()) -> dict[str, float]:
    """In percent of the gold functions, how many are wholly among the bodies that are planned, held back."""
    found = held_bodies(issues, more).values()
    all_of = {budget: [one for issue in found for one in issue[budget]] for budget in BODY_BUDGETS}
    return {f"bodies@{budget}": round(100 * sum(of) / len(of), 1) for budget, of in all_of.items()}


def held_bodies(issues: Sequence[Any], more: Sequence[Any] = ()) -> dict[str, dict[int, list[bool]]]:
    """Which gold functions of each issue are wholly among the bodies planned by weights of other repositories."""
    known = [issue for issue in issues if issue["units"]]
    covered: dict[str, dict[int, list[bool]]] = {}
    for held in folds(known):
        train = [issue for issue in [*known, *more] if issue["units"] and issue["repo"] not in held]
        line, models = _unit_models(train)
        for issue in known:
            if issue["repo"] in held:
                scores = [chance(total) for total in _around_totals(issue, _line_totals(line, issue), models)]
                covered[issue["id"]] = {
                    budget: _covered(issue, scores, round(budget * share)) for budget, share in BODY_BUDGETS.items()
                }
    return covered


def _covered(issue: Mapping[str, Any], scores: Sequence[float], room: int) -> list[bool]:
    units = []
    for each, score in zip(issue["units"], scores, strict=True):
        own = each["candidate"].unit
        units.append(RankedUnit(each["path"], own.symbol, own.kind, own.spans, score, "", (), each["tokens"]))
    taken: dict[str, set[int]] = defaultdict(set)
    for unit in plan(units, room, ContextLimits(0).max_files):
        for start, end in unit.spans:
            taken[unit.path].update(range(start, end + 1))
    return [
        any(taken[path].issuperset(range(start, end + 1)) for start, end in bodies) for path, bodies in issue["bodies"]
    ]


def _unit_models(issues: Sequence[Any]) -> tuple[Line, list[Any]]:
    """The line over the signals of a unit alone, and trees over its results for the unit and its neighbours.

    The trees learn from the results of lines of other repositories.
    """
    import numpy

    rows, wanted = [], []
    for held in folds(issues):
        line = _line([issue for issue in issues if issue["repo"] not in held])
        for issue in issues:
            if issue["repo"] in held:
                rows.append(_around_matrix(issue, _line_totals(line, issue)))
                wanted.append([_is_wanted(unit, issue) for unit in issue["units"]])
    table, truth = numpy.vstack(rows), numpy.concatenate(wanted).astype(float)
    return _line(issues), [_model(table, truth, AROUND_COLUMNS, AROUND, seed) for seed in SEEDS]


def _line(issues: Sequence[Any]) -> Line:
    """A logistic regression, regularised to 0; gold functions of one issue share their weight."""
    import numpy

    rows = numpy.vstack([matrix([unit["row"] for unit in issue["units"]]) for issue in issues]).astype(float)
    labels = [numpy.array([_is_wanted(unit, issue) for unit in issue["units"]], float) for issue in issues]
    truth = numpy.concatenate(labels)
    share = numpy.concatenate([numpy.full(len(own), LOSS_SHARE / math.sqrt(max(1.0, own.sum()))) for own in labels])
    mean, spread = rows.mean(0), rows.std(0) + 1e-9
    table = numpy.hstack([(rows - mean) / spread, numpy.ones((len(rows), 1))])
    weights = numpy.zeros(table.shape[1])
    pull = numpy.diag([1.0] * (table.shape[1] - 1) + [1e-6])
    for _ in range(NEWTON_STEPS):
        chances = 1.0 / (1.0 + numpy.exp(-numpy.clip(table @ weights, -30, 30)))
        slope = table.T @ (share * (chances - truth)) + pull @ weights
        curve = (table * (share * chances * (1.0 - chances))[:, None]).T @ table + pull
        weights -= numpy.linalg.solve(curve, slope)
    plain = weights[:-1] / spread
    return Line(float(weights[-1] - plain @ mean), tuple(map(float, plain)))


def _line_totals(line: Line, issue: Mapping[str, Any]) -> list[float]:
    return [line.total(unit["row"]) for unit in issue["units"]]


def _around_matrix(issue: Mapping[str, Any], totals: Sequence[float]) -> Any:
    candidates = [unit["candidate"] for unit in issue["units"]]
    around = around_rows(candidates, [unit["row"] for unit in issue["units"]], [chance(total) for total in totals])
    return matrix([(total, *row) for total, row in zip(totals, around, strict=True)])


def _around_totals(issue: Mapping[str, Any], totals: Sequence[float], models: Sequence[Any]) -> Any:
    rows = _around_matrix(issue, totals)
    return sum(model.predict(rows, raw_score=True) for model in models) / len(models)


def _is_wanted(unit: Mapping[str, Any], issue: Mapping[str, Any]) -> bool:
    return any(
        path == unit["path"]
        and any(span[0] <= start and end <= span[1] for span in unit["candidate"].unit.spans for start, end in bodies)
        for path, bodies in issue["bodies"]
    )


# ── the table ────────────────────────────────────────────────────────────────────────────────────


def write(issues: Sequence[Any], more: Sequence[Any]) -> None:
    """Learn from all issues and write the table that ships."""
    files = _file_model(issues, more).table()
    line, around = _unit_models([issue for issue in [*issues, *more] if issue["units"]])
    weights = {name: float(f"{weight:.4g}") for name, weight in zip(UNIT_COLUMNS, line.weights, strict=True)}
    table = {
        **files,
        "units": {"bias": round(line.bias, 4), **weights},
        "around": _trees(around, AROUND_COLUMNS),
    }
    put_table(table)


def put_table(learned: Mapping[str, Any]) -> None:
    """Put what was learned into the table that ships, in place of what is there of these kinds."""
    table = {**json.loads(TABLE.read_bytes()), **learned}
    TABLE.write_text(json.dumps(table, separators=(",", ":")).replace("],[[", "],\n[[") + "\n")


def _trees(models: Sequence[Any], columns: Sequence[str]) -> list[Any]:
    return [
        _node(tree["tree_structure"], columns, len(models))
        for model in models
        for tree in model.dump_model()["tree_info"]
    ]


def _node(node: Mapping[str, Any], columns: Sequence[str], share: int) -> Any:
    if "leaf_value" in node:
        return float(f"{node['leaf_value'] / share:.4g}")
    low, high = (_node(node[side], columns, share) for side in ("left_child", "right_child"))
    return [columns[node["split_feature"]], float(f"{node['threshold']:.6g}"), low, high]


if __name__ == "__main__":
    main()
