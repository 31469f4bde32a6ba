"""Decide which models are asked and in what order, with a reason for each, also for each model left out; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from optimizer.config.profiles import Wanted
from optimizer.ledger.caps import CapName
from optimizer.models.available import named
from optimizer.models.state import NEVER, Fit, Health, Known, Need, fit
from optimizer.providers import sight
from optimizer.reasons import (
    AboveTier,
    AskedModel,
    AskedProvider,
    AskedTier,
    Behind,
    Cap,
    Hopeless,
    Later,
    NoSaving,
    Picked,
    Plan,
    Reason,
    Reserve,
    Size,
    Why,
    Window,
)
from optimizer.routing.score import Candidate, Scored, lacking, preference, score
from optimizer.routing.size import Room, request_size
from optimizer.types import TIERS, Attempt, LeftOut, Model, Route, Task, TaskKind

HOPELESS, SURE_AFTER = 0.12, 5
MOST_STANDBYS = 2
LOADED_BONUS, LATE_MALUS = 0.1, 0.3
_AT_ONCE = Fit(0.0, 0)
_LEVEL: Mapping[str, int] = {tier: number for number, tier in enumerate(TIERS)}
_SUITING: Mapping[TaskKind, str] = {
    "quick": "fast",
    "find": "fast",
    "edit": "code",
    "refactor": "code",
    "test": "code",
    "debug": "code",
    "creative": "creative",
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the user allows: '' for anything; without `routing` a single attempt is made.

    `answer` is the answer budget in tokens (0: as the task expects), `wait` the seconds that a limit is waited for;
    `pinned`: `model` is pinned for this project; `wanted` is what profiles and roles want of models;
    `room` is what a request may take (None: it is as large for all of them).
    """

    tier: str = ""
    max_tier: str = "premium"
    model: str = ""
    provider: str = ""
    routing: bool = True
    answer: int = 0
    wait: float = 20.0
    pinned: bool = False
    wanted: tuple[Wanted, ...] = ()
    room: Room | None = None


def choose(task: Task, candidates: Sequence[Candidate], allowed: Allowed, known: Known) -> Route:
    """The attempts for a task, and why each other model is left out; no attempts when none is allowed.

    `candidates` come with the preferred of equals first. One model a tier is tried, cheapest tier first; up to two more
    of the tier are in reserve, for when it cannot be asked at all. A cloud model never replaces a local one.
    """
    left_out: list[LeftOut] = []
    fit_for: list[Scored] = []
    for candidate in candidates:
        scored = _scored(candidate, task, allowed, known, left_out)
        if scored:
            fit_for.append(scored)
    fit_for.sort(key=_order)
    tiers = _tiers(fit_for)
    steps = [tier[0] for tier in tiers]
    chosen = _chosen(steps, allowed, left_out)
    attempts: list[Attempt] = []
    for tier in tiers:
        if tier[0] not in chosen:
            left_out += [_left(one, _tier_reason(allowed)) for one in tier[1:]]
            continue
        behind = _standbys(tier, allowed)
        attempts.append(Attempt(tier[0].model, _picked(tier, allowed, known), tier[0].estimate, size=tier[0].size))
        attempts += [Attempt(one.model, _reserve(one, tier[0]), one.estimate, True, one.size) for one in behind]
        passed_over = (one for one in tier[1:] if one not in behind)
        left_out += [_left(one, Why.ONE_MODEL if allowed.model else _behind(one, tier[0])) for one in passed_over]
    return Route(tuple(attempts), Plan(allowed.model, allowed.pinned, allowed.routing), tuple(left_out))


def _scored(candidate: Candidate, task: Task, allowed: Allowed, known: Known, left_out: list[LeftOut]) -> Scored | None:
    """The candidate scored, or None with the reason added to `left_out`."""
    model = candidate.model
    size, task = _sized(candidate, task, allowed.room)
    reason = _objection(candidate, task, allowed)
    state, rest = known.of(model), 0.0
    if reason is None and not allowed.model and state.health.failing:
        rest, reason = _rest(state.health, known.now.timestamp(), allowed)
    if reason is not None:
        left_out.append(LeftOut(model.id, model.provider, model.tier, reason))
        return None
    answer = allowed.answer or task.output_tokens
    fitted = _AT_ONCE
    if state.quotas:
        need = Need(task.input_tokens, answer, min(task.output_tokens, answer))
        fitted = fit(state.quotas, need, known.now.timestamp())
    preferred = preference(allowed.wanted, model, candidate.traits, task)
    scored = replace(score(candidate, task, answer, known, preferred), size=size)
    if fitted.short and (fitted.wait > allowed.wait or fitted.wait == NEVER):
        left_out.append(_left(scored, fitted.short))
        return None
    if cap := known.money.broken_by(scored.charge):
        left_out.append(_beyond(scored, cap, known))
        return None
    wait = max(fitted.wait, rest)
    return replace(scored, wait=wait, note=Later(fitted.wait, rest)) if wait else scored


def _sized(candidate: Candidate, task: Task, room: Room | None) -> tuple[Size | None, Task]:
    """How large the request to a model may be, and the task with the tokens of that."""
    if room is None:
        return None, task
    size = request_size(candidate.model, candidate.tariff, room)
    return size, task._replace(input_tokens=task.input_tokens + size.tokens - room.least)


def _rest(health: Health, now: float, allowed: Allowed) -> tuple[float, Reason | None]:
    """Seconds for which a model still rests, when that is waited for; else why it is not asked."""
    rest = max(0.0, health.rests - now)
    return (rest, None) if 0 < rest <= allowed.wait else (0.0, health.objection(now))


def _objection(candidate: Candidate, task: Task, allowed: Allowed) -> Reason | None:
    model = candidate.model
    need = task.input_tokens + task.output_tokens
    if allowed.model and not named(model, allowed.model):
        return AskedModel(allowed.model, allowed.pinned)
    if allowed.provider and model.provider != allowed.provider:
        return AskedProvider(allowed.provider)
    if allowed.tier and model.tier != allowed.tier:
        return AskedTier(allowed.tier)
    if _LEVEL[model.tier] > _LEVEL[allowed.max_tier]:
        return AboveTier(allowed.max_tier)
    if task.needs.vision and (reason := _blind(model, task)):
        return reason
    if need > model.window:
        return Window(model.window, need)
    if not candidate.consented:
        return Why.CONSENT
    return None if allowed.model else lacking(allowed.wanted, model, candidate.traits)


def _blind(model: Model, task: Task) -> Reason | None:
    """Why a model cannot look at the images of a task; None when it can."""
    return sight.objection(model.provider, task.needs.images) if model.vision else Why.BLIND


def _beyond(scored: Scored, cap: CapName, known: Known) -> LeftOut:
    purse = known.money
    whole, used = (purse.caps.day, purse.day + purse.pending) if cap == "day" else (purse.caps.run, purse.run)
    return _left(scored, Cap(cap, whole or 0, used, scored.charge, scored.estimate is not None))


def _order(one: Scored) -> tuple[int, bool, bool, int, float, float]:
    """Tier; those that can start at once and whose price is known first; then the preferred ones; then the least cost
    to an accepted answer.

    Where that is the same, the one more likely to succeed; loading a model takes long, so one that is loaded may be a
    little worse, and so may a fast one where an answer is wanted soon.
    """
    model = one.model
    likely = one.chance + (LOADED_BONUS if model.resident else 0.0)
    likely -= LATE_MALUS if one.preference.late else 0.0
    known = (one.wait > 0, one.estimate is None)
    return _LEVEL[model.tier], *known, one.preference.rank, one.accepted_cost, -likely


def _tiers(fit_for: Sequence[Scored]) -> list[list[Scored]]:
    found: dict[str, list[Scored]] = {}
    for one in fit_for:
        found.setdefault(one.model.tier, []).append(one)
    return list(found.values())


def _chosen(steps: Sequence[Scored], allowed: Allowed, left_out: list[LeftOut]) -> list[Scored]:
    """The best of each tier that is worth trying before the tiers above it; adds the others to `left_out`."""
    if allowed.model:
        left_out += [_left(one, Why.ONE_MODEL) for one in steps[1:]]
        return list(steps[:1])
    if not allowed.routing:
        left_out += [_left(one, Why.ROUTING_OFF) for one in steps[:-1]]
        return list(steps[-1:])
    chosen: list[Scored] = []
    above = 0.0  # what it is expected to cost to go on above this step
    for step in reversed(steps):
        cost = float(step.charge if step.estimate is None else step.estimate)
        if chosen and step.tally.tries >= SURE_AFTER and step.chance < HOPELESS:
            left_out.append(_left(step, Hopeless(step.tally.accepted, step.tally.tries)))
        elif chosen and cost > step.chance * above:
            left_out.append(_left(step, NoSaving(cost, step.chance * above)))
        else:
            chosen.insert(0, step)
            above = cost + (1 - step.chance) * above
    return chosen


def _standbys(tier: Sequence[Scored], allowed: Allowed) -> list[Scored]:
    """The models to ask when the first of a tier cannot be: one that is loaded and can do the job, then its fallbacks,
    then other providers before its own."""
    if allowed.model or not allowed.routing:
        return []
    rest, found = tier[1:], list[Scored]()
    loaded = (one for one in rest if _ready(one, rest))
    own = (one for name in tier[0].candidate.traits.fallback for one in rest if one.model.id == name)
    for one in (*loaded, *own, *sorted(rest, key=lambda one: _same_provider(one, tier[0]))):
        if len(found) < MOST_STANDBYS and one not in found:
            found.append(one)
    return found


def _ready(one: Scored, others: Sequence[Scored]) -> bool:
    """Whether a model is loaded and at least half as likely to succeed as any of the others: what keeps a local model
    from being asked, mostly memory, is likely to keep another one that must be loaded first."""
    return one.model.resident and one.chance >= max(HOPELESS, max(other.chance for other in others) / 2)


def _same_provider(one: Scored, other: Scored) -> bool:
    """An outage or a spent limit of the one is likely to be one of the other too."""
    return one.model.provider == other.model.provider and not one.model.local


def _left(one: Scored, reason: Reason) -> LeftOut:
    model = one.model
    return LeftOut(model.id, model.provider, model.tier, reason)


def _tier_reason(allowed: Allowed) -> Reason:
    if allowed.model:
        return Why.ONE_MODEL
    return Why.TIER_SKIPPED if allowed.routing else Why.ROUTING_OFF


def _behind(one: Scored, first: Scored) -> Behind:
    """What puts a model behind the first of its tier."""
    name = first.model.id
    if one.wait > first.wait:
        return Behind("wait", name, later=one.note, waits=first.wait > 0)
    if one.estimate is None and first.estimate is not None:
        return Behind("unknown price", name)
    if one.preference.rank > first.preference.rank:
        return Behind("preference", name, preferred=first.preference.why)
    if one.accepted_cost == first.accepted_cost:
        return Behind(_better(one, first), name)
    if (one.estimate or 0) > (first.estimate or 0):
        return Behind("price", name, one.estimate, first.estimate)
    return Behind("accepted cost", name, round(one.accepted_cost), round(first.accepted_cost))


def _better(one: Scored, first: Scored) -> Literal["loaded", "order", "chance"]:
    if first.model.resident and not one.model.resident:
        return "loaded"
    return "order" if one.chance == first.chance else "chance"


def _picked(tier: Sequence[Scored], allowed: Allowed, known: Known) -> Picked:
    """Why the first of a tier is asked."""
    first = tier[0]
    return Picked(
        _place(tier, allowed),
        len(tier),
        first.tally.accepted,
        first.tally.tries,
        known.money.asks(first.charge),
        first.preference.why,
        first.note,
    )


def _place(tier: Sequence[Scored], allowed: Allowed) -> Literal["named", "pinned", "only", "one", "cheapest", "best"]:
    if allowed.model:
        return "pinned" if allowed.pinned else "named"
    if len(tier) == 1:
        return "only"
    if any(one.accepted_cost < tier[0].accepted_cost for one in tier if one.estimate is not None):
        return "one"
    return "cheapest" if tier[0].accepted_cost else "best"


def _reserve(one: Scored, first: Scored) -> Reserve:
    return Reserve(_behind(one, first), one.model.resident and not first.model.resident)


def profile_for(kind: TaskKind) -> str:
    """The profile, of those that come with the program, that a kind of work chooses."""
    return _SUITING.get(kind, "general")


def choose_with(
    profiles: Sequence[Wanted], task: Task, candidates: Sequence[Candidate], allowed: Allowed, known: Known
) -> Route:
    """The route of the first of `profiles` that leaves a model to ask; else of the first of all.

    `allowed.wanted` is what comes before the profile, such as a role. A model that the user named is asked
    under any profile.
    """
    first: Route | None = None
    for number, profile in enumerate(profiles):
        route = choose(task, candidates, replace(allowed, wanted=(*allowed.wanted, profile)), known)
        if route.attempts:
            instead_of = profiles[0].by if number else None
            return route._replace(plan=route.plan._replace(profile=profile.by, instead_of=instead_of))
        first = first or route
    return first or choose(task, candidates, allowed, known)
