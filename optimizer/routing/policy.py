"""Decide which models are asked and in what order: at most one a tier, the cheapest first, with every reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from optimizer.models.available import named
from optimizer.types import TIERS, Attempt, LeftOut, Model, Route, Task

Estimate = Callable[[Model, Task], int | None]
Consented = Callable[[Model], bool]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user allows: '' is no wish; without `routing` a single attempt is made."""

    tier: str = ""
    max_tier: str = "premium"
    model: str = ""
    provider: str = ""
    routing: bool = True


def choose(task: Task, models: Sequence[Model], limits: Limits, estimate: Estimate, consented: Consented) -> Route:
    """The attempts for a task, and why each other model is left out; no attempts when none is allowed.

    `models` are those that can be asked, the preferred of equals first; `estimate` gives micro-dollars, None when the
    price is unknown; `consented` tells whether this repository may be sent there.
    """
    left_out: list[LeftOut] = []
    fit: list[Attempt] = []
    for model in models:
        why, cure = _objection(model, task, limits, consented)
        if why:
            left_out.append(LeftOut(model.id, model.provider, model.tier, why, cure))
        else:
            fit.append(Attempt(model, "", estimate(model, task)))
    fit.sort(key=_order)
    chosen = _chosen(fit, limits)
    for attempt in fit:
        if attempt not in chosen:
            first = next((one for one in chosen if one.model.tier == attempt.model.tier), chosen[0])
            why = _passed_over(attempt, first, limits)
            left_out.append(LeftOut(attempt.model.id, attempt.model.provider, attempt.model.tier, why))
    attempts = tuple(Attempt(one.model, _reason(one, fit, limits), one.estimate) for one in chosen)
    return Route(attempts, _summary(task, limits, attempts), tuple(left_out))


def money(micro: int | None) -> str:
    """Micro-dollars for people: `$0.0014`, `free`, `price unknown`."""
    if micro is None:
        return "price unknown"
    return f"${micro / 1_000_000:.4f}" if micro else "free"


def _objection(model: Model, task: Task, limits: Limits, consented: Consented) -> tuple[str, str]:
    need = task.input_tokens + task.output_tokens
    if limits.model and not named(model, limits.model):
        return f"you asked for {limits.model}", ""
    if limits.provider and model.provider != limits.provider:
        return f"you asked for {limits.provider}", ""
    if limits.tier and model.tier != limits.tier:
        return f"you asked for the tier {limits.tier} only", ""
    if TIERS.index(model.tier) > _index(limits.max_tier):
        return f"its tier {model.tier} is above {limits.max_tier}", f"--max-tier {model.tier}"
    if need > model.window:
        return f"its window of {model.window} tokens cannot hold {need}", "ask about less, or lower max_tokens"
    if not consented(model):
        return (
            f"no consent to send this repository's code to {model.provider}",
            f"optimize consent grant {model.provider}",
        )
    return "", ""


def _index(tier: str) -> int:
    return next(number for number, known in enumerate(TIERS) if known == tier)


def _order(attempt: Attempt) -> tuple[int, bool, int]:
    return TIERS.index(attempt.model.tier), attempt.estimate is None, attempt.estimate or 0


def _chosen(fit: Sequence[Attempt], limits: Limits) -> list[Attempt]:
    by_tier: dict[str, Attempt] = {}
    for attempt in fit:
        by_tier.setdefault(attempt.model.tier, attempt)
    chosen = list(by_tier.values())
    if limits.model:
        return chosen[:1]
    return chosen if limits.routing else chosen[-1:]


def _passed_over(attempt: Attempt, first: Attempt, limits: Limits) -> str:
    if first.model.tier != attempt.model.tier:
        return "one model is asked only" if limits.model else "routing is off: only the best tier is asked"
    if attempt.estimate is None and first.estimate is not None:
        return f"its price is unknown, {first.model.id} has one"
    if attempt.estimate == first.estimate:
        return f"{first.model.id} costs the same and is preferred"
    return f"dearer than {first.model.id} ({money(attempt.estimate)} against {money(first.estimate)})"


def _reason(attempt: Attempt, fit: Sequence[Attempt], limits: Limits) -> str:
    tier, price = attempt.model.tier, money(attempt.estimate)
    if limits.model:
        return f"you asked for it, {price}"
    others = sum(one.model.tier == tier for one in fit) - 1
    place = f"the cheapest of {others + 1} in {tier}" if others else f"the only one in {tier}"
    return f"{place}, {price}"


def _summary(task: Task, limits: Limits, attempts: Sequence[Attempt]) -> str:
    what = f"{task.kind}, difficulty {task.difficulty:g}"
    if not attempts:
        return f"{what}: no model may be asked"
    if limits.model:
        return f"{what}: only {limits.model}, as you asked"
    if not limits.routing:
        return f"{what}: one attempt in {attempts[0].model.tier}, routing is off"
    if len(attempts) == 1:
        return f"{what}: {attempts[0].model.tier} only"
    return f"{what}: {' -> '.join(one.model.tier for one in attempts)}, up on a failed check"
