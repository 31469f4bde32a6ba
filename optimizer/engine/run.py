"""One request from query to outcome: index, context, route, attempts, proof, and the files where it may write them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.calls import call as calls
from optimizer.calls.services import Purpose
from optimizer.engine import decide, escalate, opinion, prepare
from optimizer.engine.prepare import Request, first_budget
from optimizer.errors import BudgetReached, InputError, NoProvider, UnusableOutput
from optimizer.events import (
    Answer,
    Booked,
    Chosen,
    ConsentQuestion,
    Event,
    Finished,
    Flow,
    Judged,
    Notice,
    Proposed,
    Question,
    Routed,
    T,
    TextDelta,
)
from optimizer.lookup.questions import Lookup
from optimizer.reasons import Cap
from optimizer.report import progress
from optimizer.retrieval import Query
from optimizer.types import Attempt, Outcome, Route, Task, Verdict

if TYPE_CHECKING:
    from optimizer.agent.loop import Ended
    from optimizer.engine.landing import Landing
    from optimizer.engine.services import Services
    from optimizer.models.available import Available


@dataclass(frozen=True, slots=True)
class Options:
    """How a request is served: `dry_run` stops before any model is asked, `planned` plans a change before it is made,
    `landing` lets a proven change be written (None: it is only shown)."""

    dry_run: bool = False
    planned: bool = False
    landing: Landing | None = None


PLAIN = Options()


def run(query: Query, services: Services, options: Options = PLAIN) -> Flow[None]:
    """Serve `query`; the last event is Finished.

    Raises OptimizerError for what ends a run at once: bad input, a secret in the payload, a store that fails.
    """
    request = uuid.uuid4().hex[:12]
    lookup = _lookup(query, services)
    outcome = (yield from _from_index(request, lookup, services)) if lookup is not None else None
    if outcome is None:
        outcome = yield from _from_models(request, query, services, options)
    if outcome.patch is not None and not outcome.exit_code and options.landing is not None:
        from optimizer.engine.landing import land

        outcome = yield from land(outcome, outcome.patch, query.text, options.landing, services)
    yield Finished(outcome)


def answered(flow: Flow[T], answer: Callable[[Question], Answer]) -> Generator[Event, None, None]:
    """The events of a flow, its questions answered by `answer`; where that raises, the flow is closed."""
    sent: Answer = None
    try:
        while True:
            step = flow.send(sent)
            sent = None
            if isinstance(step, Question):
                sent = answer(step)
            else:
                yield step
    except StopIteration:
        return
    finally:
        flow.close()


def _from_models(id: str, query: Query, services: Services, options: Options) -> Flow[Outcome]:
    prepared, available = yield from _prepared(id, query, services, options)
    planned = options.planned and prepared.task.wants_edits
    role = "editor" if planned else ""
    route = yield from _routed(prepared.task, role, available, services)
    if (provider := decide.lacks_consent(route)) and not options.dry_run and (yield from _consent(provider, services)):
        available = services.models.available()
        route = yield from _routed(prepared.task, role, available, services)
    if not (options.dry_run and route.attempts) and (line := decide.images_leave(query, route, planned)):
        yield Notice(line)
    if options.dry_run or not route.attempts:
        return decide.unserved(id, route, options.dry_run)
    if line := decide.to_the_cloud(route, services):
        yield Notice(line)
    asked, cost = yield from _worded(prepared, query, planned, available, services)
    tried = yield from escalate.escalate(asked, route, services)
    attempt, ended = tried[-1]
    cost = calls.added(cost, *(one.cost for _, one in tried))
    if services.workspace.settings.agent_review and ended.patch is not None and ended.failure is None:
        from optimizer.engine import roles

        reviewed = yield from roles.reviewed(asked, ended.patch, ended.verdict, attempt.model.id, available, services)
        cost = calls.added(cost, reviewed)
    return _outcome(id, route, tried, cost)


def _prepared(id: str, query: Query, services: Services, options: Options) -> Flow[tuple[Request, Available]]:
    """The request with its context and its kind of work, and the models there are: looked for at the same time."""
    workspace = services.workspace
    words_decide = options.dry_run or bool(query.images)
    router = None if words_decide else (yield from opinion.begin(query, id, services))
    try:
        with ThreadPoolExecutor(max_workers=1) as pool:
            listed = pool.submit(services.models.available)
            refreshed = prepare.refresh(workspace)
            if refreshed.notice:
                yield Notice(refreshed.notice)
            fitted, budget = first_budget(query, workspace, options.planned)
            for line in _cut(query, fitted, services, options.dry_run):
                yield Notice(line)
            context = prepare.choose(query, workspace, budget.code)
            yield Chosen(context)
            notes = prepare.notes_near(context, workspace, budget.notes_limit)
            if notes is not None:
                yield Notice(progress.project_notes(notes.path, notes.tokens, notes.whole))
            available = listed.result()
    except BaseException:
        if router:
            opinion.drop(router, services.calls)
        raise
    from optimizer.routing.classify import classify

    sorted_as = (yield from opinion.end(router, services.calls)) if router else None
    task = classify(fitted, context, budget.prompt(notes.tokens if notes else 0, context.tokens), sorted_as)
    return Request(id, fitted, context, task, notes), available


def _cut(query: Query, fitted: Query, services: Services, dry_run: bool) -> Iterator[str]:
    """A line for each of request and piped input that is cut; none for what this run summarises."""
    summarises = services.workspace.settings.agent_summarise
    if fitted.text != query.text:
        yield progress.request_cut()
    if fitted.extra != query.extra and (dry_run or not summarises):
        yield progress.input_cut(summarises)


def _routed(task: Task, role: str, available: Available, services: Services) -> Flow[Route]:
    route = decide.route(task, services, available, role)
    yield Routed(task, route, services.models.quote(task))
    return route


def _consent(provider: str, services: Services) -> Flow[bool]:
    """Ask for the consent that is missing; a yes is remembered."""
    from optimizer.privacy import consent

    workspace, host = services.workspace, services.models.endpoints()[provider].host
    if (yield ConsentQuestion(provider, host, workspace.repository)) is not True:
        return False
    consent.grant(workspace.places.state, workspace.repository, provider, host)
    return True


def _worded(
    request: Request, query: Query, planned: bool, available: Available, services: Services
) -> Flow[tuple[Request, int | None]]:
    """The request with a summary of what was piped in, and with a plan, each where it is wanted; and what that cost."""
    summary: int | None = 0
    plan: int | None = 0
    if services.workspace.settings.agent_summarise and request.query.extra != query.extra:
        from optimizer.engine import summarise

        request, summary = yield from summarise.summarised(request, query.extra, available, services)
    if planned:
        from optimizer.engine import roles

        request, plan = yield from roles.planned(request, available, services)
    return request, calls.added(summary, plan)


def _outcome(id: str, route: Route, tried: list[tuple[Attempt, Ended]], cost: int | None) -> Outcome:
    """The outcome of the attempts."""
    last = tried[-1][1]
    model = (tried[-1][0] if last.failure is None else route.attempts[-1]).model
    code = 0 if last.failure is None else _exit_code(route, tried)
    unanswered = all(ended.failure and ended.failure.unanswered for _, ended in tried)
    return Outcome(
        request=id,
        tier=model.tier,
        model=model.id,
        text=last.text,
        patch=last.patch,
        verdict=last.verdict,
        cost=cost,
        exit_code=code,
        hint=progress.next_step(code == BudgetReached.exit_code, unanswered) if code else "",
    )


def _exit_code(route: Route, tried: list[tuple[Attempt, Ended]]) -> int:
    """10 where a cap kept a model from being asked; else the code of the last answer; else 6, no model worked."""
    failures = [ended.failure for _, ended in tried if ended.failure]
    capped = any(isinstance(left.reason, Cap) for left in route.left_out)
    if capped or any(isinstance(one, BudgetReached) for one in failures):
        return BudgetReached.exit_code
    return next((one.exit_code for one in reversed(failures) if not one.unanswered), NoProvider.exit_code)


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


def _from_index(request: str, lookup: Lookup, services: Services) -> Flow[Outcome | None]:
    """Answer a lookup without any model; recorded as a request of tier `index` at no cost.

    None, with nothing recorded, when a plain word was not found: it may not have been meant as a name.
    """
    from optimizer.lookup.answer import answer
    from optimizer.lookup.questions import lines_of

    started, workspace = perf_counter(), services.workspace
    refreshed = prepare.refresh(workspace)
    if refreshed.notice:
        yield Notice(refreshed.notice)
    answered, subject = answer(lookup, workspace.index), lookup.subject
    if not answered.found and subject.isalpha() and subject.islower() and not workspace.settings.tier:
        yield Notice(progress.not_named(subject))
        return None
    lines = lines_of(answered.citations)
    for line in lines:
        yield TextDelta(line + "\n")
    verdict = Verdict(answered.found, (), 1.0 if answered.found else 0.0)
    if answered.patch:
        from optimizer.verify import prove

        verdict = yield from prove.judge(answered.patch, workspace.index, workspace.means())
    purpose, ending = Purpose(request, lookup.kind), "proven" if verdict.ok else "unusable"
    yield Booked(calls.record_index(purpose, perf_counter() - started, ending, services.calls))
    if answered.patch:
        yield Proposed(answered.patch)
        yield Judged(verdict)
        if workspace.settings.agent_review:
            yield Notice(progress.no_review("no model made this change"))
    code = 0 if verdict.ok else UnusableOutput.exit_code
    return Outcome(request, "index", "", "\n".join(lines), answered.patch, verdict, 0, code)
