"""Decide which models are asked and in what order, with a reason for each, also for each model left out; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optimizer.config.profiles import Wanted
from optimizer.humanize import duration
from optimizer.models.available import named
from optimizer.models.standing import NEVER, Fit, Health, Need, Standing, fit
from optimizer.providers import sight
from optimizer.report.money import money
from optimizer.routing.preference import lacking, preference
from optimizer.routing.weigh import Candidate, Weighed, weigh
from optimizer.types import TIERS, Attempt, LeftOut, Model, Route, Task

HOPELESS, SURE_AFTER = 0.12, 5
MOST_STANDBYS = 2
LOADED_BONUS, LATE_MALUS = 0.1, 0.3
_AT_ONCE = Fit(0.0, 0)
_LEVEL: Mapping[str, int] = {tier: number for number, tier in enumerate(TIERS)}
BUDGET_CURE = "optimize budget set"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user allows: '' is no wish; without `routing` a single attempt is made.

    `answer` is the answer budget in tokens (0: as the task expects), `wait` the seconds that a limit is waited for;
    `remembered` tells that `model` is the one kept for this project; `wanted` is what profiles and roles wish of
    models.
    """

    tier: str = ""
    max_tier: str = "premium"
    model: str = ""
    provider: str = ""
    routing: bool = True
    answer: int = 0
    wait: float = 20.0
    remembered: bool = False
    wanted: tuple[Wanted, ...] = ()


def choose(task: Task, candidates: Sequence[Candidate], limits: Limits, standing: Standing) -> Route:
    """The attempts for a task, and why each other model is left out; no attempts when none is allowed.

    `candidates` come with the preferred of equals first. One model a tier is tried, cheapest tier first; up to two more
    of the tier stand by in case it cannot be asked at all. A local model is never stood in for by a cloud model.
    """
    left_out: list[LeftOut] = []
    fit_for: list[Weighed] = []
    for candidate in candidates:
        weighed = _weighed(candidate, task, limits, standing, left_out)
        if weighed:
            fit_for.append(weighed)
    fit_for.sort(key=_order)
    tiers = _tiers(fit_for)
    steps = [tier[0] for tier in tiers]
    chosen = _chosen(steps, limits, left_out)
    attempts: list[Attempt] = []
    for tier in tiers:
        if tier[0] not in chosen:
            left_out += [_left(one, _tier_why(one, limits)) for one in tier[1:]]
            continue
        behind = _standbys(tier, limits)
        attempts.append(Attempt(tier[0].model, _reason(tier, limits, standing), tier[0].estimate))
        attempts += [Attempt(one.model, _standby_reason(one, tier[0]), one.estimate, standby=True) for one in behind]
        left_out += [_left(one, _passed_over(one, tier[0], limits)) for one in tier[1:] if one not in behind]
    return Route(tuple(attempts), _summary(task, limits, attempts), tuple(left_out))


def _weighed(
    candidate: Candidate, task: Task, limits: Limits, standing: Standing, left_out: list[LeftOut]
) -> Weighed | None:
    """The candidate weighed, or None with the reason added to `left_out`."""
    model = candidate.model
    why, cure = _objection(candidate, task, limits)
    known, rest = standing.of(model), 0.0
    if not (why or limits.model) and known.health.failing:
        rest, why = _rest(known.health, standing.now.timestamp(), limits)
        cure = f"--model {model.id} asks it anyway"
    if why:
        left_out.append(LeftOut(model.id, model.provider, model.tier, why, cure))
        return None
    answer = limits.answer or task.output_tokens
    fitted = _AT_ONCE
    if known.quotas:
        need = Need(task.input_tokens, answer, min(task.output_tokens, answer))
        fitted = fit(known.quotas, need, standing.now.timestamp())
    wish = preference(limits.wanted, model, candidate.traits, task)
    weighed = weigh(candidate, task, answer, standing, wish)
    if fitted.wait > limits.wait or fitted.wait == NEVER:
        left_out.append(_left(weighed, fitted.why))
        return None
    if cap := standing.money.broken_by(weighed.charge):
        left_out.append(_beyond(weighed, cap, standing))
        return None
    wait = max(fitted.wait, rest)
    return replace(weighed, wait=wait, note=_later(fitted.wait, rest)) if wait else weighed


def _later(limit: float, rest: float) -> str:
    """When a model can be asked that its limits, or its rest after a failure, hold back."""
    soon = "in a moment" if max(limit, rest) < 1 else f"in {duration(max(limit, rest))}"
    return f"can be asked again {soon}" if rest > limit else f"can be asked {soon}, when its limit allows it"


def _rest(health: Health, now: float, limits: Limits) -> tuple[float, str]:
    """Seconds for which a model still rests, when that is waited for; else why it is not asked."""
    rest = max(0.0, health.rests - now)
    return (rest, "") if 0 < rest <= limits.wait else (0.0, health.objection(now))


def _objection(candidate: Candidate, task: Task, limits: Limits) -> tuple[str, str]:
    model = candidate.model
    need = task.input_tokens + task.output_tokens
    if limits.model and not named(model, limits.model):
        return _wish(limits, limits.model), "optimize models unlock" if limits.remembered else ""
    if limits.provider and model.provider != limits.provider:
        return f"you asked for {limits.provider}", ""
    if limits.tier and model.tier != limits.tier:
        return f"you asked for the tier {limits.tier} only", ""
    if _LEVEL[model.tier] > _LEVEL[limits.max_tier]:
        return f"its tier {model.tier} is above {limits.max_tier}", f"--max-tier {model.tier}"
    if task.needs.vision and (objection := _blind(model, task))[0]:
        return objection
    if need > model.window:
        return f"its window of {model.window:,} tokens cannot hold {need:,}", "ask about less, or lower max_tokens"
    if not candidate.consented:
        return (
            f"no consent to send this repository's code to {model.provider}",
            f"optimize consent grant {model.provider}",
        )
    return ("", "") if limits.model else lacking(limits.wanted, model, candidate.traits)


def _blind(model: Model, task: Task) -> tuple[str, str]:
    """Why a model cannot look at the images of a task, and the cure; '' when it can."""
    if not model.vision:
        known = "it is not known to see images: write vision = true for it into models.toml if it does"
        return known, "optimize models list"
    return sight.objection(model.provider, task.needs.images), "send a smaller image, or another kind"


def _wish(limits: Limits, name: str) -> str:
    return f"you chose {name} for this project" if limits.remembered else f"you asked for {name}"


def _beyond(weighed: Weighed, cap: str, standing: Standing) -> LeftOut:
    purse = standing.money
    whole, used = (purse.caps.day, purse.day + purse.pending) if cap == "day" else (purse.caps.run, purse.run)
    unknown = " at the rate for unknown prices" if weighed.estimate is None else ""
    why = f"{cap_left(cap, whole or 0, used)}, this may cost {money(weighed.charge)}"
    return _left(weighed, why + unknown, f"{BUDGET_CURE} {cap} AMOUNT")


def _order(one: Weighed) -> tuple[int, bool, bool, int, float, float]:
    """Tier; those that can start at once and whose price is known first; then the preferred ones; then the least cost
    to an accepted answer.

    Where that is the same, the likelier one; loading a model takes long, so one that is loaded may be a little worse,
    and so may a fast one where an answer is wanted soon.
    """
    likely = one.chance + (LOADED_BONUS if one.model.resident else 0.0)
    likely -= LATE_MALUS if one.preference.late else 0.0
    known = (one.wait > 0, one.estimate is None)
    return _LEVEL[one.model.tier], *known, one.preference.rank, one.accepted_cost, -likely


def _tiers(fit_for: Sequence[Weighed]) -> list[list[Weighed]]:
    found: dict[str, list[Weighed]] = {}
    for one in fit_for:
        found.setdefault(one.model.tier, []).append(one)
    return list(found.values())


def _chosen(steps: Sequence[Weighed], limits: Limits, left_out: list[LeftOut]) -> list[Weighed]:
    """The best of each tier that is worth trying before the tiers above it; adds the others to `left_out`."""
    if limits.model:
        left_out += [_left(one, "only one model is asked") for one in steps[1:]]
        return list(steps[:1])
    if not limits.routing:
        left_out += [_left(one, "routing is off: only the best tier is asked") for one in steps[:-1]]
        return list(steps[-1:])
    chosen: list[Weighed] = []
    above = 0.0  # what it is expected to cost to go on above this step
    for step in reversed(steps):
        cost = float(step.charge if step.estimate is None else step.estimate)
        if chosen and step.tally.tries >= SURE_AFTER and step.chance < HOPELESS:
            seen = f"{step.tally.accepted} of {step.tally.tries}"
            left_out.append(_left(step, f"accepted {seen} times on such tasks here: starting above it"))
        elif chosen and cost > step.chance * above:
            why = f"trying it first costs {_amount(int(cost))} and saves {_amount(step.chance * above)} on average"
            left_out.append(_left(step, why))
        else:
            chosen.insert(0, step)
            above = cost + (1 - step.chance) * above
    return chosen


def _standbys(tier: Sequence[Weighed], limits: Limits) -> list[Weighed]:
    """Who is asked when the first of a tier cannot be: one that is loaded and can do the job, its own fallbacks, then
    other providers before its own."""
    if limits.model or not limits.routing:
        return []
    rest, found = tier[1:], list[Weighed]()
    loaded = (one for one in rest if _ready(one, rest))
    own = (one for name in tier[0].candidate.traits.fallback for one in rest if one.model.id == name)
    for one in (*loaded, *own, *sorted(rest, key=lambda one: _same_provider(one, tier[0]))):
        if len(found) < MOST_STANDBYS and one not in found:
            found.append(one)
    return found


def _ready(one: Weighed, others: Sequence[Weighed]) -> bool:
    """Whether a model is loaded and at least half as likely to succeed as any of the others: what keeps a local model
    from being asked, mostly memory, is likely to keep another one that must be loaded first."""
    return one.model.resident and one.chance >= max(HOPELESS, max(other.chance for other in others) / 2)


def _same_provider(one: Weighed, other: Weighed) -> bool:
    """An outage or a spent limit of the one is likely to be one of the other too."""
    return one.model.provider == other.model.provider and not one.model.local


def _left(one: Weighed, why: str, cure: str = "") -> LeftOut:
    return LeftOut(one.model.id, one.model.provider, one.model.tier, why, cure)


def cap_left(name: str, cap: int, used: int) -> str:
    """What a cap on money leaves, for people; all in micro-dollars."""
    return f"the cap of {_amount(cap)} a {name} leaves {_amount(max(0, cap - used))}"


def _amount(micro: float) -> str:
    """An amount of money that is no price."""
    return money(round(micro)) if round(micro) else "nothing"


def _tier_why(one: Weighed, limits: Limits) -> str:
    if limits.model:
        return "only one model is asked"
    return (
        f"its tier {one.model.tier} is not asked" if limits.routing else "routing is off: only the best tier is asked"
    )


def _passed_over(one: Weighed, first: Weighed, limits: Limits) -> str:
    if limits.model:
        return "only one model is asked"
    return _comparison(one, first)


def _comparison(one: Weighed, first: Weighed) -> str:
    name = first.model.id
    if one.wait > first.wait:
        return f"{one.note}; {name} {'sooner' if first.wait else 'at once'}"
    if one.estimate is None and first.estimate is not None:
        return f"its price is unknown, that of {name} is known"
    if one.preference.rank > first.preference.rank:
        return f"{name} comes first: {first.preference.why or 'it calls tools'}"
    if one.accepted_cost == first.accepted_cost:
        return f"costs the same as {name}, which is {_better(one, first)}"
    if (one.estimate or 0) > (first.estimate or 0):
        return f"dearer than {name}: {money(one.estimate)} against {money(first.estimate)}"
    each = f"{money(round(one.accepted_cost))} against {money(round(first.accepted_cost))}"
    return f"dearer than {name} for an accepted answer: {each}"


def _better(one: Weighed, first: Weighed) -> str:
    if first.model.resident and not one.model.resident:
        return "loaded already"
    return "preferred" if one.chance == first.chance else "likelier to succeed"


def _reason(tier: Sequence[Weighed], limits: Limits, standing: Standing) -> str:
    first = tier[0]
    said = [_place(tier, limits)]
    if first.estimate or first.model.tier != "free":
        said.append(money(first.estimate))
    if first.tally.tries:
        said.append(f"accepted {first.tally.accepted} of {first.tally.tries} times on such tasks here")
    if standing.money.asks(first.charge):
        said.append("you are asked first at this price")
    return ", ".join([*said, *filter(None, [first.preference.why, first.note])])


def _place(tier: Sequence[Weighed], limits: Limits) -> str:
    if limits.model:
        return _wish(limits, "it")
    name = tier[0].model.tier
    if len(tier) == 1:
        return f"the only {name} model"
    if any(one.accepted_cost < tier[0].accepted_cost for one in tier if one.estimate is not None):
        return f"one of {len(tier)} {name} models"
    best = "cheapest" if tier[0].accepted_cost else "best"
    return f"the {best} of {len(tier)} {name} models"


def _standby_reason(one: Weighed, first: Weighed) -> str:
    loaded = "as it is loaded already; " if one.model.resident and not first.model.resident else ""
    return f"in reserve, {loaded}{_comparison(one, first)}"


def _summary(task: Task, limits: Limits, attempts: Sequence[Attempt]) -> str:
    what = f"{task.kind}, difficulty {task.difficulty:g}"
    if not attempts:
        return f"{what}: no model may be asked"
    if limits.model:
        return f"{what}: only {limits.model}, as you {'chose for this project' if limits.remembered else 'asked'}"
    if not limits.routing:
        return f"{what}: one attempt in {attempts[0].model.tier}, routing is off"
    tiers: list[str] = [one.model.tier for one in attempts if not one.standby]
    if len(tiers) == 1:
        return f"{what}: {tiers[0]} only"
    return f"{what}: {' -> '.join(tiers)}, up on a failed check"
