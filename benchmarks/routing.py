"""The cost and gain of routing: time of a decision, a replay of recorded outcomes, a simulated week.

    python benchmarks/routing.py [--replay OUTCOMES.csv] [--week] [--json]

OUTCOMES.csv holds `model,task,solved,cost_usd,calls`, a row for each model and task. The replay asks models as the
policy says, after it learned from the tasks of the other folds what a model costs and how often its answers are
accepted. It draws nothing: how many tasks are solved at what cost is an expectation over what a verifier of stated
quality lets through. Intervals are of 95 %, from resampling the tasks. The week runs the whole path against a server
on loopback.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import operator
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from optimizer.engine import decide
from optimizer.ledger.prices import PriceStep, Tariff
from optimizer.ledger.store import open_ledger
from optimizer.ledger.summary import Tally, tallies
from optimizer.models.catalogue import Traits
from optimizer.models.state import Known, key
from optimizer.models.state_store import StateStore
from optimizer.routing.policy import Allowed, choose
from optimizer.routing.score import Candidate
from optimizer.types import Model, Task, Tier, Usage, UsageRecord
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start

TASK = Task("edit", 0.5, (), True, 1_000_000, 1)
FOLDS, DRAWS = 5, 2000
SWITCHED = ("claude-haiku-5-5", "gemini-4-argon")  # two models of two vendors
CHARGED: tuple[Tier, ...] = ("free", "budget", "premium")  # three thirds by price; all are charged what was recorded


@dataclass(frozen=True)
class Verifier:
    """The quality of a check: the share of wrong answers it catches, and of right ones it refuses."""

    catches: float
    alarms: float

    def accepts(self, right: bool) -> float:
        """How likely an answer is to pass."""
        return 1 - self.alarms if right else 1 - self.catches


VERIFIERS = (Verifier(1.0, 0.0), Verifier(0.9, 0.1), Verifier(0.75, 0.1), Verifier(0.5, 0.1))
Outcomes = Mapping[str, Mapping[str, tuple[bool, float]]]  # model -> task -> solved, dollars
Paid = tuple[float, float]  # expected solved, expected dollars, of one task


def read(path: Path) -> Outcomes:
    """The recorded outcomes of models that tried every task."""
    found: dict[str, dict[str, tuple[bool, float]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["model"], {})[row["task"]] = (row["solved"] == "1", float(row["cost_usd"]))
    most = max(len(tried) for tried in found.values())
    return {model: tried for model, tried in found.items() if len(tried) == most}


def mean_cost(tried: Mapping[str, tuple[bool, float]], among: Sequence[str]) -> float:
    """Mean dollars a task."""
    return sum(tried[task][1] for task in among) / len(among)


def thirds(outcomes: Outcomes, among: Sequence[str]) -> dict[str, Tier]:
    """Models by price in three tiers of equal size."""
    ranked = sorted(outcomes, key=lambda model: mean_cost(outcomes[model], among))
    return {model: CHARGED[number * 3 // len(ranked)] for number, model in enumerate(ranked)}


def route(outcomes: Outcomes, learned: Sequence[str], verifier: Verifier) -> list[str]:
    """The models that the policy asks, in order, after it has seen the tasks of `learned`."""
    tiers = thirds(outcomes, learned)
    candidates, seen = [], {}
    for name, tried in outcomes.items():
        model = Model(name, "recorded", tiers[name], 10**9, 1, True, "tool", frozenset(), "", name)
        rate = mean_cost(tried, learned)  # dollars a task of a million tokens are micro-dollars a token
        candidates.append(Candidate(model, Tariff((PriceStep(0, rate, 0.0, rate, rate),)), Traits({})))
        accepted = sum(verifier.accepts(tried[task][0]) for task in learned)
        seen[key(model), TASK.kind] = Tally(len(learned), round(accepted), input=len(learned) * TASK.input_tokens)
    found = choose(TASK, candidates, Allowed(), Known(datetime.now(UTC), tallies=seen))
    return [attempt.model.id for attempt in found.attempts if not attempt.standby]


def escalate(outcomes: Outcomes, models: Sequence[str], task: str, verifier: Verifier) -> Paid:
    """The result of asking models in order on one task; the last answer counts whatever the verifier reports."""
    solved = cost = 0.0
    reached = 1.0
    for number, model in enumerate(models):
        right, dollars = outcomes[model][task]
        cost += reached * dollars
        passed = 1.0 if number == len(models) - 1 else verifier.accepts(right)
        solved += reached * passed * right
        reached *= 1 - passed
    return solved, cost


def ours(outcomes: Outcomes, tasks: Sequence[str], verifier: Verifier) -> list[Paid]:
    """The policy on each task, having learned from the other folds."""
    paid: dict[str, Paid] = {}
    for fold in range(FOLDS):
        held = tasks[fold::FOLDS]
        models = route(outcomes, [task for task in tasks if task not in set(held)], verifier)
        paid |= {task: escalate(outcomes, models, task, verifier) for task in held}
    return [paid[task] for task in tasks]


def oracle(outcomes: Outcomes, task: str) -> Paid:
    """The cheapest model that solves the task; where none does, the cheapest."""
    right = [dollars for solved, dollars in (tried[task] for tried in outcomes.values()) if solved]
    return (1.0, min(right)) if right else (0.0, min(tried[task][1] for tried in outcomes.values()))


def at_random(outcomes: Outcomes, task: str) -> Paid:
    """One model drawn at random, in expectation."""
    tried = [by_task[task] for by_task in outcomes.values()]
    return sum(solved for solved, _ in tried) / len(tried), sum(dollars for _, dollars in tried) / len(tried)


def strategies(outcomes: Outcomes, tasks: Sequence[str]) -> dict[str, list[Paid]]:
    """Each strategy's outcome on each task."""
    cheap = min(outcomes, key=lambda model: mean_cost(outcomes[model], tasks))
    premium = max(outcomes, key=lambda model: sum(outcomes[model][task][0] for task in tasks))
    single = {f"always cheap ({cheap})": cheap, f"always premium ({premium})": premium}
    found = {
        name: [escalate(outcomes, [model], task, VERIFIERS[0]) for task in tasks] for name, model in single.items()
    }
    found["random"] = [at_random(outcomes, task) for task in tasks]
    found["oracle"] = [oracle(outcomes, task) for task in tasks]
    for verifier in VERIFIERS:
        name = f"ours, catches {verifier.catches:.0%}, alarms {verifier.alarms:.0%}"
        found[name] = ours(outcomes, tasks, verifier)
    return found


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The middle 95 % of values."""
    ordered = sorted(values)
    return ordered[int(0.025 * len(ordered))], ordered[int(0.975 * len(ordered)) - 1]


def replay(path: Path) -> list[dict[str, object]]:
    """Rows of figures, each strategy compared with always-premium on the same draws of tasks."""
    outcomes = read(path)
    tasks = sorted(next(iter(outcomes.values())))
    found = strategies(outcomes, tasks)
    most_expensive = next(paid for name, paid in found.items() if name.startswith("always premium"))
    picker = random.Random(1)
    draws = [picker.choices(range(len(tasks)), k=len(tasks)) for _ in range(DRAWS)]
    rows: list[dict[str, object]] = []
    for name, paid in found.items():
        more = [sum(paid[one][0] - most_expensive[one][0] for one in draw) for draw in draws]
        shares = [sum(paid[one][1] for one in draw) / sum(most_expensive[one][1] for one in draw) for draw in draws]
        rows.append(
            {
                "strategy": name,
                "solved": round(sum(solved for solved, _ in paid), 1),
                "tasks": len(tasks),
                "dollars": round(sum(dollars for _, dollars in paid), 2),
                "share_of_premium_cost": round(sum(p[1] for p in paid) / sum(p[1] for p in most_expensive), 3),
                "share_interval": [round(value, 3) for value in interval(shares)],
                "more_solved_than_premium_interval": [round(value, 1) for value in interval(more)],
            }
        )
    return rows


def decision_times() -> dict[str, float]:
    """CPU milliseconds: the policy alone for 200 models, and a selection with nothing read yet from the stores."""
    models = [
        Model(f"m{n}", f"p{n % 5}", CHARGED[n % 3], 100_000, 8000, True, "tool", frozenset(), "", "M")
        for n in range(200)
    ]
    flat = Tariff((PriceStep(0, 0.5, 2.0, 0.1, 0.5),))
    candidates = [Candidate(model, flat, Traits({"coding": 0.5})) for model in models]
    task = Task("edit", 0.4, (), True, 4500, 600)
    with tempfile.TemporaryDirectory() as place:
        state = Path(place)
        _fill(state, models)
        standing = _read(state, candidates)
        alone = _milliseconds(lambda: choose(task, candidates, Allowed(answer=1500), standing))
        whole = _milliseconds(
            lambda: choose(task, candidates, Allowed(answer=1500), _read(state, candidates)), rounds=9
        )
    return {"policy_200_models_ms": alone, "cold_selection_200_models_ms": whole}


COLD = """
import sys, time
import optimizer.cli.main, optimizer.cli.options
begun = time.process_time()
from optimizer.config.load import load
load(None, {"OPTIMIZER_HOME": sys.argv[1]}, {"profile": sys.argv[2]})
print(1000 * (time.process_time() - begun))
"""


def configuration_times(rounds: int = 15) -> dict[str, float]:
    """Milliseconds of CPU to load the settings once in a new process that has read its command line, imports included:
    without files, with a file of one's own, with a profile that builds on another too; the median."""
    found = {}
    with tempfile.TemporaryDirectory() as place:
        for name, profile in (("without_files_ms", ""), ("with_a_file_ms", ""), ("with_a_profile_ms", "mine")):
            spent = []
            for _ in range(rounds):
                command = [sys.executable, "-c", COLD, place, profile]
                spent.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            found[name] = round(sorted(spent)[rounds // 2], 2)
            folder = Path(place, "config/profiles")
            folder.mkdir(parents=True, exist_ok=True)
            (folder.parent / "config.toml").write_text("max_tier = 'budget'\n[context]\nmax_files = 8\n")
            (folder / "mine.toml").write_text("extends = 'code'\n[settings]\nmax_tokens = 900\n")
    return found


def switch_times(rounds: int = 25) -> dict[str, float]:
    """Milliseconds of CPU from choosing another model to the route of the next request in the same process, and to
    a route without such a choice; the median.

    Settings, models and the model kept for the project are read again; a store that is opened again ends the run.
    """
    with tempfile.TemporaryDirectory() as place:
        root, home = Path(place, "repo"), Path(place, "home")
        (home / "config").mkdir(parents=True)
        (home / "config/config.toml").write_text("[features]\nlocal-models = false\n")
        subprocess.run(["git", "init", "-q", str(root)], check=True)
        keys = {"GROQ_API_KEY": "g", "ANTHROPIC_API_KEY": "a", "GEMINI_API_KEY": "m"}
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "OPTIMIZER_HOME": str(home), **keys}
        _fill(home / "state", [Model("m", "groq", "free", 1, 1, True, "tool", frozenset(), "", "M")])
        with open_services(Start(root, env, {}), lambda _: None, lambda _: None) as services:
            task, turns = Task("edit", 0.4, (), True, 4500, 600), itertools.cycle(SWITCHED)
            open_stores = (
                services.workspace.index,
                services.calls.ledger(),
                services.calls.states(),
                services.calls.memory(),
            )

            def switch() -> None:
                after = services.for_next({"model": next(turns)})
                decide.route(task, after, after.models.available())
                if not all(
                    map(
                        operator.is_,
                        open_stores,
                        (after.workspace.index, after.calls.ledger(), after.calls.states(), after.calls.memory()),
                    )
                ):
                    raise SystemExit("a store was opened again")

            stay = _milliseconds(lambda: decide.route(task, services, services.models.available()), rounds)
            return {"until_routed_ms": _milliseconds(switch, rounds), "routed_without_a_switch_ms": stay}


def _fill(state: Path, models: Sequence[Model]) -> None:
    """A ledger of 2,000 attempts, and a register that knows every model."""
    ledger = open_ledger(state)
    now = datetime.now(UTC).isoformat()
    for number in range(2000):
        model = models[number % len(models)]
        ledger.add(
            UsageRecord(
                f"r{number}", now, model.tier, "M", model.provider, model.id, model.id, Usage(4000, output=500), 2.0,
                "accepted" if number % 3 else "checks-failed", 400, "edit", "/repo",
            )
        )  # fmt: skip
    ledger.close()
    register = StateStore(state, lambda _: "")
    for model in models:
        register.record_success(key(model), 0, 1.5)
    register.close()


def _read(state: Path, candidates: Sequence[Candidate]) -> Known:
    from optimizer.ledger import caps

    ledger, register, now = open_ledger(state), StateStore(state, lambda _: ""), datetime.now(UTC)
    try:
        known = register.read({key(one.model): one.traits.quotas for one in candidates}, "/repo")
        purse = caps.money(ledger, caps.Caps(day=10**9), now, pending=register.pending())
        return Known(now, known, purse, tallies(ledger.last(2000)))
    finally:
        ledger.close()
        register.close()


def _milliseconds(work: Callable[[], object], rounds: int = 50) -> float:
    spent = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - begun))
    return round(sorted(spent)[len(spent) // 2], 2)


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replay", type=Path, help="recorded outcomes")
    parser.add_argument("--week", action="store_true", help="the simulated week")
    parser.add_argument("--json", action="store_true", dest="as_json")
    given = parser.parse_args()
    switch = switch_times()
    found: dict[str, object] = {"times": decision_times(), "configuration": configuration_times(), "switch": switch}
    if given.replay:
        found["replay"] = replay(given.replay)
    if given.week:
        sys.path.insert(0, str(Path(__file__).parents[1]))
        from tests.engine.week import simulate

        with tempfile.TemporaryDirectory() as place:
            found["week"] = simulate(Path(place))
    if given.as_json:
        print(json.dumps(found))
        return
    print(f"switching the model between two requests: {switch['until_routed_ms']} ms of CPU; no store reopened")
    for name, value in found.items():
        print(f"{name}:")
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            print("  " + ", ".join(f"{field} {figure}" for field, figure in row.items()))


if __name__ == "__main__":
    main()
