"""A change in two steps: the planner's role writes a short plan, and the editor's role makes the change from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.engine import climb, role
from optimizer.events import Event, Notice
from optimizer.types import Route

if TYPE_CHECKING:
    from optimizer.engine.request import Request
    from optimizer.engine.services import Services
    from optimizer.models.available import Available

TOKENS, USUAL = 500, 200  # tokens of a plan: at most, which are kept free in the request of the editor, and mostly
_ASKED = (
    "Write a plan for the change below, in at most eight short numbered steps: which files and functions change, and "
    "how. No code, no preamble, no edits yet.\n\nThe change: {request}"
)
_GIVEN = "{request}\n\nA plan for it, made from the same code; follow it where it is right:\n{plan}"


def climb_planned(request: Request, route: Route, available: Available, services: Services) -> Iterator[Event]:
    """Let a plan be written, then try the attempts of `route` with it; both are booked, and the outcome tells the sum.

    Without a plan, as no model made one, the change is made all the same.
    """
    work = _work(request, services)
    said = yield from role.ask_role(work, role.route(work, available, services).attempts, services)
    plan = said.texts[0]
    yield Notice(f"plan of {said.by}:\n{plan}" if plan else "there is no plan; going on without one")
    if plan:
        text = _GIVEN.format(request=request.query.text, plan=_short(plan))
        request = replace(request, query=request.query._replace(text=text))
    yield from role.adding(said.cost, climb.climb(request, route, services))


def _work(request: Request, services: Services) -> role.Work:
    from optimizer.agent.prompts import Ask

    task = replace(request.task, kind="plan", wants_edits=False, output_tokens=USUAL)
    query = request.query._replace(text=_ASKED.format(request=request.query.text))
    asked = Ask(query, task, request.context, TOKENS, notes=request.notes, temperature=services.workspace.temperature)
    return role.Work("planner", "planning", replace(request, task=task), TOKENS, (asked,))


def _short(text: str) -> str:
    from optimizer.agent import prompts

    return prompts.shorten(text, TOKENS)
