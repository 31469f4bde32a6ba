"""One request from query to outcome: index, context, route, attempts, proof; nothing is written to the project."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from optimizer.engine import climb, decide, from_index, prepare
from optimizer.engine.request import Request
from optimizer.errors import InputError
from optimizer.events import Chosen, Event, Finished, Notice, Routed
from optimizer.lookup.questions import Lookup
from optimizer.retrieval import Query

if TYPE_CHECKING:
    from optimizer.engine.parts import Parts


def run(query: Query, parts: Parts, dry_run: bool = False) -> Iterator[Event]:
    """Serve `query`; the last event is Finished. `dry_run` stops before any model is asked.

    Raises OptimizerError for what ends a run at once: bad input, a secret in the payload, a store that fails.
    """
    request = uuid.uuid4().hex[:12]
    lookup = _lookup(query, parts)
    if lookup is not None and (yield from from_index.answer_from_index(request, lookup, parts)):
        return
    with ThreadPoolExecutor(max_workers=1) as pool:
        asked = pool.submit(parts.available)
        refreshed = prepare.refresh(parts)
        if refreshed.notice:
            yield Notice(refreshed.notice)
        fitted, room = prepare.room_for_context(query, parts)
        if fitted != query:
            yield Notice("the request was longer than its share of the prompt; its middle was left out")
        context = prepare.choose(query, parts, room)
        yield Chosen(context)
        notes = prepare.notes_near(context, parts)
        if notes is not None:
            share = "" if notes.whole else ", the rest is left out"
            yield Notice(f"project notes: {notes.path}, {notes.tokens:,} tokens{share} (notes.tokens)")
        available = asked.result()
<<<<<<< mine
    task, route = _decide(fitted, context, parts, available, notes.tokens if notes else 0)
=======
    task, route = decide.decide(fitted, context, parts, available)
>>>>>>> theirs
    yield Routed(task, route, parts.quote(task))
    if dry_run or not route.attempts:
        yield Finished(decide.unserved(request, route, dry_run))
        return
<<<<<<< mine
    yield from climb.climb(Request(request, fitted, context, task, notes), route, parts)
=======
    if line := decide.stand_in(route):
        yield Notice(line)
    yield from climb.climb(Request(request, fitted, context, task), route, parts)
>>>>>>> theirs


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
<<<<<<< mine


def _decide(query: Query, context: Context, parts: Parts, available: object, notes_tokens: int) -> tuple[Task, Route]:
    from optimizer.agent import prompts
    from optimizer.context import budget
    from optimizer.models.available import Available
    from optimizer.routing import classify, policy

    assert isinstance(available, Available)
    settings = parts.settings
    tokens = prompts.overhead() + notes_tokens + context.tokens
    tokens += budget.count_tokens(query.text) + budget.count_tokens(query.extra)
    task = classify.classify(query, context, tokens)
    limits = policy.Limits(
        tier=settings.tier,
        max_tier=settings.max_tier,
        model=settings.model,
        provider=settings.provider,
        routing=parts.features.multi_model_routing,
    )
    route = policy.choose(task, available.models, limits, parts.estimate, parts.consented)
    return task, Route(route.attempts, route.reason, (*available.left_out, *route.left_out))


def _unserved(request: str, route: Route, dry_run: bool) -> Outcome:
    if dry_run:
        return Outcome(request, "index", "", "", None, None, cost=0)
    return Outcome(
        request,
        "index",
        "",
        "",
        None,
        None,
        cost=0,
        exit_code=5 if _waits_for_consent(route.left_out) else 6,
        hint=_first_cure(route.left_out),
    )


def _first_cure(left_out: tuple[LeftOut, ...]) -> str:
    """The cure of the cheapest model left out; a missing yes comes first, since nothing else needs to be set up."""
    cures = sorted(left_out, key=lambda left: (not left.cure.startswith(CONSENT_CURE), TIERS.index(left.tier)))
    return next((left.cure for left in cures if left.cure), "")


def _waits_for_consent(left_out: tuple[LeftOut, ...]) -> bool:
    return any(left.cure.startswith(CONSENT_CURE) for left in left_out)
=======
>>>>>>> theirs
