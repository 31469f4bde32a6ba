"""Ask one model after the other until an answer passes its checks."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.engine import book, judge, room
from optimizer.engine.request import Before, Request, Tried
from optimizer.errors import BudgetReached, NoProvider
from optimizer.events import Event, Finished, Notice
from optimizer.reasons import Cap
from optimizer.report import reasons
from optimizer.types import Attempt, Outcome, Route

if TYPE_CHECKING:
    from optimizer.engine.services import Services


def climb(request: Request, route: Route, services: Services) -> Iterator[Event]:
    """Try the attempts of `route` in order; each failure that was checked is told to the next; ends with Finished."""
    try:
        yield from _climb(request, route, services)
    finally:
        if any(attempt.model.local for attempt in route.attempts):
            room.leave(services)


def _climb(request: Request, route: Route, services: Services) -> Iterator[Event]:
    before = Before(services.workspace.settings.max_tokens)
    tries: list[Tried] = []
    waiting = list(route.attempts)
    while waiting:
        attempt = waiting.pop(0)
        yield Notice(starting(attempt))
        tried = yield from _try(request, attempt, services, before)
        tries.append(tried)
        if not tried.failure:
            yield Finished(_outcome(request, attempt, tries, False))
            return
        if not tried.from_provider:
            waiting = [one for one in waiting if not (one.standby and one.model.tier == attempt.model.tier)]
        if tried.absent:
            waiting = [one for one in waiting if one.model.provider != attempt.model.provider]
        if line := _going_on(attempt, tried, waiting):
            yield Notice(line)
        before = _after(before, tried)
    capped = any(isinstance(left.reason, Cap) for left in route.left_out)
    yield Finished(_outcome(request, route.attempts[-1], tries, capped))


def _going_on(attempt: Attempt, tried: Tried, waiting: list[Attempt]) -> str:
    """Why an attempt came to nothing and who is next; the checks that failed were told already."""
    failed = [check.name for check in tried.verdict.checks if check.passed is False] if tried.verdict else []
    why = f"its answer failed on {', '.join(failed)}" if failed else tried.failure
    if waiting:
        return f"{attempt.model.id}: {why}; going on to {waiting[0].model.id}"
    return "" if failed else f"{attempt.model.id}: {why}"


def starting(attempt: Attempt) -> str:
    """The line that says who is asked next, where, and why."""
    model = attempt.model
    return f"asking {model.id} ({reasons.where(model)}, {model.tier}): {reasons.attempt(attempt)}"


def _after(before: Before, tried: Tried) -> Before:
    """What is left to the next attempt: a provider's failure adds nothing but a conversation to go on with."""
    if tried.from_provider:
        return replace(before, unfinished=tried.unfinished or before.unfinished)
    answer_tokens = before.answer_tokens * 2 if tried.cut else before.answer_tokens
    return Before(answer_tokens, tried.evidence or tried.failure)


def _try(request: Request, attempt: Attempt, services: Services, before: Before) -> Generator[Event, None, Tried]:
    from optimizer.engine import talk

    ended = yield from talk.talk(request, attempt.model, services, before)
    if ended.from_provider:
        return Tried(
            ended.failure,
            exit_code=ended.exit_code,
            from_provider=True,
            absent=ended.absent,
            cost=ended.cost,
            unfinished=ended.unfinished,
        )
    if ended.failure:
        tried = Tried(ended.failure, ended.text, evidence=ended.told, exit_code=ended.exit_code, cut=ended.cut)
    else:
        tried = yield from judge.prove(request, ended.text, ended.patch, services)
    if ended.answered:
        book.settle(request, tried, services)
    return replace(tried, cost=ended.cost)


def _outcome(request: Request, attempt: Attempt, tries: list[Tried], capped: bool) -> Outcome:
    """How the attempts ended; `capped` tells that a cap on money kept a dearer model from being asked."""
    last = tries[-1]
    code = 0
    if last.failure:
        code = _exit_code(tries, capped)
    return Outcome(
        request=request.id,
        tier=attempt.model.tier,
        model=attempt.model.id,
        text=last.text,
        patch=last.patch,
        verdict=last.verdict,
        cost=book.added(*(tried.cost for tried in tries)),
        exit_code=code,
        hint="" if not last.failure else _next_step(tries, code),
    )


def _exit_code(tries: list[Tried], capped: bool) -> int:
    """A cap that stood in the way says most; then what the last answer came to; then that no model worked."""
    if capped or any(tried.exit_code == BudgetReached.exit_code for tried in tries):
        return BudgetReached.exit_code
    return next((t.exit_code for t in reversed(tries) if not t.from_provider), NoProvider.exit_code)


def _next_step(tries: list[Tried], code: int) -> str:
    if code == BudgetReached.exit_code:
        return "optimize budget, or name a stronger free model with --model"
    if all(tried.from_provider for tried in tries):
        return "optimize models, or name one with --model"
    return "name a stronger model with --model, or ask for a smaller change"
