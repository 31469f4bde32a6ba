"""One request from query to outcome: index, context, route, attempts, proof, and the files where it may write them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.calls.record import record_index
from optimizer.calls.services import Purpose
from optimizer.engine import prepare
from optimizer.engine.options import PLAIN, Options
from optimizer.errors import InputError, UnusableOutput
from optimizer.events import (
    Event,
    Finished,
    Flow,
    Judged,
    Notice,
    Proposed,
    Question,
    Recorded,
    RenameQuestion,
    T,
    TextDelta,
    UserAnswer,
)
from optimizer.lookup.questions import Lookup
from optimizer.retrieval import Query
from optimizer.types import Outcome, Verdict

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.index.reader import Index
    from optimizer.lookup.questions import LookupResult


def run(query: Query, services: Services, options: Options = PLAIN) -> Flow[None]:
    """Serve `query`; the last event is Finished.

    Raises OptimizerError for what ends a run at once: bad input, a secret in the payload, a store that fails.
    """
    request = uuid.uuid4().hex[:12]
    lookup = _lookup(query, services)
    outcome = (yield from _from_index(request, lookup, services, options)) if lookup is not None else None
    if outcome is None:
        from optimizer.engine.from_models import from_models

        outcome = yield from from_models(request, query, services, options)
    if outcome.patch is not None and not outcome.exit_code and options.landing is not None:
        from optimizer.engine.landing import land

        outcome = yield from land(outcome, outcome.patch, query.text, options.landing, services)
    yield Finished(outcome)


def answered(flow: Flow[T], answer: Callable[[Question], UserAnswer]) -> Generator[Event, None, T]:
    """The events of a flow, its questions answered by `answer`; where that raises, the flow is closed.

    Returns what the flow does.
    """
    sent: UserAnswer = None
    try:
        while True:
            step = flow.send(sent)
            sent = None
            if isinstance(step, Question):
                sent = answer(step)
            else:
                yield step
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()


# ── questions that the index can answer ──────────────────────────────────────────────────────────


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


def _from_index(request: str, lookup: Lookup, services: Services, options: Options) -> Flow[Outcome | None]:
    """Answer a lookup without any model; recorded as a request of tier `index` at no cost.

    None, with nothing recorded, when a plain word was not found: it may not have been meant as a name.
    """
    from optimizer.lookup.questions import lines_of

    started, workspace = perf_counter(), services.workspace
    refreshed = prepare.refresh(workspace)
    if refreshed.notice:
        yield Notice(refreshed.notice, "index")
    answered = yield from _answer(lookup, workspace.index, options)
    subject = lookup.within if lookup.kind == "list" else lookup.subject
    if not answered.found and subject.isalpha() and subject.islower() and not workspace.settings.tier:
        from optimizer.report import progress

        yield Notice(progress.not_named(subject), "not-named")
        return None
    lines = lines_of(answered.citations)
    for line in lines:
        yield TextDelta(line + "\n")
    verdict = Verdict(answered.found, (), 1.0 if answered.found else 0.0)
    if answered.patch:
        from optimizer.verify import prove

        verdict = yield from prove.judge(answered.patch, workspace.index, workspace.means())
    purpose, ending = Purpose(request, lookup.kind), "proven" if verdict.ok else "unusable"
    yield Recorded(record_index(purpose, perf_counter() - started, ending, services.calls))
    if answered.patch:
        yield Proposed(answered.patch)
        yield Judged(verdict)
        if workspace.settings.agent_review:
            from optimizer.report import progress

            yield Notice(progress.no_review("no model made this change"), "no-review")
    code = 0 if verdict.ok else UnusableOutput.exit_code
    return Outcome(request, "index", "", "\n".join(lines), answered.patch, verdict, 0, code)


def _answer(lookup: Lookup, index: Index, options: Options) -> Flow[LookupResult]:
    """The answer to a lookup; where a rename meets places that cannot be resolved, the user decides.

    Raises Conflict when nobody decides and the rename without them is likely to break the program.
    """
    from optimizer.lookup.answer import answer
    from optimizer.report import outcome as report

    wanted = replace(lookup, docs=options.docs)
    found = answer(wanted, index)
    if not found.open:
        return found
    places = tuple(f"{one.path}:{one.line}" for one in found.open)
    decided = options.landing is not None and options.landing.yes
    chosen = None if decided else (yield RenameQuestion(lookup.subject, places))
    if chosen is True:
        return answer(replace(wanted, unresolved=True), index)
    if chosen is None and found.breaks:
        raise report.not_renamed(lookup.subject, places)
    return found
