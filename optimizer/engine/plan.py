"""A change in two steps: the planner's role writes a short plan, and the editor's role makes the change from it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optimizer.engine import ask, climb, decide, room
from optimizer.events import Event, Finished, Notice, TextDelta
from optimizer.retrieval import Query
from optimizer.types import Prompt, Route

if TYPE_CHECKING:
    from optimizer.engine.parts import Parts
    from optimizer.engine.request import Request
    from optimizer.models.available import Available
    from optimizer.types import Model

TOKENS = 500  # most tokens of a plan, kept free in the request of the editor
_ASKED = (
    "Write a plan for the change below, in at most eight short numbered steps: which files and functions change, and "
    "how. No code, no preamble, no edits yet.\n\nThe change: {request}"
)
_GIVEN = "{request}\n\nA plan for it, made from the same code; follow it where it is right:\n{plan}"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, '' where none was made, and what it cost (micro-dollars; None: unknown)."""

    text: str
    cost: int | None


def climb_planned(request: Request, route: Route, available: Available, parts: Parts) -> Iterator[Event]:
    """Let a plan be written, then try the attempts of `route` with it; both are booked, and the outcome tells the sum.

    Without a plan, as no model made one, the change is made all the same.
    """
    planned = yield from _plan(request, available, parts)
    if planned.text:
        text = _GIVEN.format(request=request.query.text, plan=planned.text)
        request = replace(request, query=Query(text, request.query.extra))
    for event in climb.climb(request, route, parts):
        if isinstance(event, Finished):
            costs = (planned.cost, event.outcome.cost)
            known = [cost for cost in costs if cost is not None]
            event = Finished(replace(event.outcome, cost=sum(known) if len(known) == len(costs) else None))
        yield event


def _plan(request: Request, available: Available, parts: Parts) -> Generator[Event, None, Planned]:
    task = replace(request.task, kind="design", wants_edits=False, output_tokens=TOKENS)
    asking = replace(request, task=task, query=Query(_ASKED.format(request=request.query.text), request.query.extra))
    cost: int | None = 0
    for attempt in decide.route(task, parts, available, "planner").attempts:
        model = attempt.model
        yield Notice(f"planning: {climb.starting(attempt)}")
        answered = yield from _unheard(ask.ask(asking, model, _prompt(asking, model, parts), parts))
        if model.local:
            room.leave(parts)
        cost = None if cost is None or answered.cost is None else cost + answered.cost
        text = answered.completion.text.strip() if answered.completion else ""
        if answered.completion:
            parts.ledger().settle(request.id, "accepted" if text else "unusable")
        if text:
            yield Notice(f"plan of {model.id}:\n{text}")
            return Planned(_short(text), cost)
        yield Notice(f"{model.id}: {answered.failure or 'the plan is empty'}")
    yield Notice("there is no plan; going on without one")
    return Planned("", cost)


def _prompt(request: Request, model: Model, parts: Parts) -> Prompt:
    from optimizer.agent import prompts

    wanted = prompts.Ask(
        query=request.query, task=request.task, context=request.context, max_output=TOKENS, notes=request.notes
    )
    return prompts.build(wanted, model)


def _short(text: str) -> str:
    from optimizer.agent import prompts

    return prompts.shorten(text, TOKENS)


def _unheard(events: Generator[Event, None, ask.Answered]) -> Generator[Event, None, ask.Answered]:
    """The events of a call without the pieces of its answer, which is no answer to the request."""
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            answered: ask.Answered = end.value
            return answered
        if not isinstance(event, TextDelta):
            yield event
