"""One request from query to outcome: index, context, route, attempts, proof; nothing is written to the project."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from optimizer.engine import climb, decide, from_index, opinion, plan, prepare
from optimizer.engine.request import Request
from optimizer.errors import InputError
from optimizer.events import Chosen, Event, Finished, Notice, Routed
from optimizer.lookup.questions import Lookup
from optimizer.retrieval import Query

if TYPE_CHECKING:
    from optimizer.engine.parts import Parts


def run(query: Query, parts: Parts, dry_run: bool = False, planned: bool = False) -> Iterator[Event]:
    """Serve `query`; the last event is Finished. `dry_run` stops before any model is asked, `planned` lets a change be
    planned before it is made.

    Raises OptimizerError for what ends a run at once: bad input, a secret in the payload, a store that fails.
    """
    request = uuid.uuid4().hex[:12]
    lookup = _lookup(query, parts)
    if lookup is not None and (yield from from_index.answer_from_index(request, lookup, parts)):
        return
    router = None if dry_run else opinion.begin(query, parts)
    if parts.settings.local_router and not (router or dry_run):
        yield Notice("local.router is not asked: Ollama is not on this machine; words decide")
    with ThreadPoolExecutor(max_workers=1) as pool:
        asked = pool.submit(parts.available)
        refreshed = prepare.refresh(parts)
        if refreshed.notice:
            yield Notice(refreshed.notice)
        fitted, room = prepare.room_for_context(query, parts)
        if fitted != query:
            yield Notice("the request was longer than its share of the prompt; its middle was left out")
        context = prepare.choose(query, parts, room - (plan.TOKENS if planned else 0))
        yield Chosen(context)
        notes = prepare.notes_near(context, parts)
        if notes is not None:
            share = "" if notes.whole else ", the rest is left out"
            yield Notice(f"project notes: {notes.path}, {notes.tokens:,} tokens{share} (notes.tokens)")
        available = asked.result()
    said = (yield from opinion.end(router, request, parts)) if router else None
    task = decide.task_of((fitted, context), notes.tokens if notes else 0, said)
    planned = planned and task.wants_edits
    route = decide.route(task, parts, available, "editor" if planned else "")
    yield Routed(task, route, parts.quote(task))
    if dry_run or not route.attempts:
        yield Finished(decide.unserved(request, route, dry_run))
        return
    if line := decide.stand_in(route):
        yield Notice(line)
    wanted = Request(request, fitted, context, task, notes)
    events = plan.climb_planned(wanted, route, available, parts) if planned else climb.climb(wanted, route, parts)
    if parts.settings.agent_review:
        from optimizer.engine import critic

        events = critic.reviewed(events, wanted, available, parts)
    yield from events


def _lookup(query: Query, parts: Parts) -> Lookup | None:
    from optimizer.lookup.ask import parse_lookup

    settings = parts.settings
    if settings.model or settings.provider or settings.tier not in ("", "index") or query.extra:
        return None
    if not parts.features.multi_model_routing:
        return None
    lookup = parse_lookup(query.text)
    if lookup is None and settings.tier == "index":
        raise InputError(
            "the index alone cannot answer that",
            "ask one of: where is X · show X · list functions in F · who calls X · what imports F · rename X to Y",
        )
    return lookup
