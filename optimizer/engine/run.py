"""One request from query to outcome: index, context, route, attempts, proof; nothing is written to the project."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from optimizer.engine import climb, decide, from_index, opinion, plan, prepare, role
from optimizer.engine.request import Request
from optimizer.errors import InputError
from optimizer.events import Chosen, Event, Finished, Notice, Routed
from optimizer.lookup.questions import Lookup
from optimizer.retrieval import Query

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.models.available import Available


def run(query: Query, services: Services, dry_run: bool = False, planned: bool = False) -> Iterator[Event]:
    """Serve `query`; the last event is Finished. `dry_run` stops before any model is asked, `planned` lets a change be
    planned before it is made.

    Raises OptimizerError for what ends a run at once: bad input, a secret in the payload, a store that fails.
    """
    request = uuid.uuid4().hex[:12]
    lookup = _lookup(query, services)
    if lookup is not None and (yield from from_index.answer_from_index(request, lookup, services)):
        return
    words_decide = dry_run or bool(query.images)
    router = None if words_decide else opinion.begin(query, services)
    if services.workspace.settings.local_router and not (router or words_decide):
        yield Notice("local.router is not asked: Ollama is not on this machine; words decide")
    with ThreadPoolExecutor(max_workers=1) as pool:
        asked = pool.submit(services.models.available)
        refreshed = prepare.refresh(services)
        if refreshed.notice:
            yield Notice(refreshed.notice)
        fitted, room = prepare.room_for_context(query, services)
        for line in prepare.cut(query, fitted, services, dry_run):
            yield Notice(line)
        context = prepare.choose(query, services, room - (plan.TOKENS if planned else 0))
        yield Chosen(context)
        notes = prepare.notes_near(context, services)
        if notes is not None:
            share = "" if notes.whole else ", the rest is left out"
            yield Notice(f"project notes: {notes.path}, {notes.tokens:,} tokens{share} (notes.tokens)")
        available = asked.result()
    said = (yield from opinion.end(router, request, services)) if router else None
    task = decide.task_of((fitted, context), notes.tokens if notes else 0, said)
    planned = planned and task.wants_edits
    route = decide.route(task, services, available, "editor" if planned else "")
    yield Routed(task, route, services.models.quote(task))
    if not (dry_run and route.attempts) and (line := decide.images_leave(query, route, planned)):
        yield Notice(line)
    if dry_run or not route.attempts:
        yield Finished(decide.unserved(request, route, dry_run))
        return
    if line := decide.stand_in(route, services):
        yield Notice(line)
    wanted, cost = yield from _summarised(query, Request(request, fitted, context, task, notes), available, services)
    events = plan.climb_planned(wanted, route, available, services) if planned else climb.climb(wanted, route, services)
    if services.workspace.settings.agent_review:
        from optimizer.engine import critic

        events = critic.reviewed(events, wanted, available, services)
    yield from role.adding(cost, events)


def _summarised(
    query: Query, request: Request, available: Available, services: Services
) -> Generator[Event, None, tuple[Request, int | None]]:
    """The request with what was piped in in few words, where that is wished and needed; and what it cost."""
    if not services.workspace.settings.agent_summarise or request.query.extra == query.extra:
        return request, 0
    from optimizer.engine import summary

    return (yield from summary.summarised(request, query.extra, available, services))


def _lookup(query: Query, services: Services) -> Lookup | None:
    from optimizer.lookup.ask import parse_lookup

    settings = services.workspace.settings
    if settings.model or settings.provider or settings.tier not in ("", "index") or query.extra or query.images:
        return None
    if not services.workspace.features.multi_model_routing:
        return None
    lookup = parse_lookup(query.text)
    if lookup is None and settings.tier == "index":
        raise InputError(
            "the index alone cannot answer that",
            "ask one of: where is X · show X · list functions in F · who calls X · what imports F · rename X to Y",
        )
    return lookup
