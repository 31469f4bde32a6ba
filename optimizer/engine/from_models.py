"""A request that models serve: its context and route, its attempts, and their outcome."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.calls import call as calls
from optimizer.engine import decide, opinion, prepare
from optimizer.engine.prepare import Request, first_budget
from optimizer.errors import BudgetReached, NoProvider, Outdated
from optimizer.events import Chosen, ConsentQuestion, Exchanged, Flow, Notice, Routed
from optimizer.reasons import Cap
from optimizer.report import progress
from optimizer.retrieval import Query
from optimizer.types import Attempt, Outcome, Route, Task

if TYPE_CHECKING:
    from optimizer.agent.loop import AgentResult
    from optimizer.engine.options import Options
    from optimizer.engine.services import Services
    from optimizer.models.available import Available


def from_models(id: str, query: Query, services: Services, options: Options) -> Flow[Outcome]:
    """Serve `query` with models, as the options say. Raises as `run.run` does."""
    dry_run, plans = options.dry_run, options.planned
    prepared, available = yield from _prepared(id, query, services, options)
    planned = plans and prepared.task.wants_edits
    role = "editor" if planned else ""
    route = decide.route(prepared.task, services, available, role, room=prepared.room)
    if (
        (provider := decide.lacks_consent(route))
        and not dry_run
        and (yield from consented(provider, available, services))
    ):
        available = services.models.available()
        route = decide.route(prepared.task, services, available, role, room=prepared.room)
    read: int | None = 0
    cloud = decide.to_the_cloud(route, services) if route.attempts and not dry_run else ""
    reads = services.workspace.settings.context_reader == "model" and bool(route.attempts)
    if reads:
        if cloud:
            yield Notice(cloud, "to-the-cloud")
        prepared, read = yield from _read(prepared, available, services, dry_run)
    first = prepare.resized(prepared, route.attempts[0].size if route.attempts else None, services.workspace)
    yield Chosen(first.context)
    task = _sized(first, route, services)
    yield Routed(task, route, services.models.quote(task))
    if not (dry_run and route.attempts) and (line := decide.images_leave(query, route, planned)):
        yield Notice(line, "images")
    if dry_run or not route.attempts:
        return decide.unserved(id, route, dry_run)
    if cloud and not reads:
        yield Notice(cloud, "to-the-cloud")
    asked, cost = yield from _worded(prepared, query, planned, available, services)
    from optimizer.engine import escalate

    tried = yield from escalate.escalate(asked, route, services)
    attempt, ended = tried[-1]
    cost = calls.added(read, cost, *(one.cost for _, one in tried))
    if services.workspace.settings.agent_review and ended.patch is not None and ended.failure is None:
        from optimizer.engine import roles

        reviewed = yield from roles.reviewed(asked, ended.patch, ended.verdict, attempt.model.id, available, services)
        cost = calls.added(cost, reviewed)
    if prepared.talk and ended.messages:
        yield Exchanged(ended.parts, ended.messages)
    if ended.failure is None and (code := decide.caution(query, prepared.task, ended)):
        yield Notice(progress.caution(code), "caution")
    return _outcome(id, route, tried, cost)


def _sized(request: Request, route: Route, services: Services) -> Task:
    """The task with the tokens of the prompt that the first model of the route gets."""
    from optimizer.engine import escalate

    first = [attempt.model for attempt in route.attempts[:1]]
    tokens = escalate.prompt_tokens(request, first, services.workspace)
    return request.task._replace(input_tokens=tokens or request.task.input_tokens)


def _prepared(id: str, query: Query, services: Services, options: Options) -> Flow[tuple[Request, Available]]:
    """The request with its context and its kind of work, and the models there are: looked for at the same time."""
    workspace, talk, dry_run = services.workspace, options.talk, options.dry_run
    words_decide = dry_run or bool(query.images)
    router = None if words_decide else (yield from opinion.begin(query, id, services))
    try:
        with ThreadPoolExecutor(max_workers=1) as pool:
            listed = pool.submit(services.models.available)
            refreshed = prepare.refresh(workspace)
            if refreshed.notice:
                yield Notice(refreshed.notice, "index")
            fitted, budget = first_budget(query, workspace, options.planned)
            yield from _cut(query, fitted, services, dry_run)
            context = prepare.choose_in(talk, query, workspace, budget.code)
            if (commits := workspace.index.history().cut_short()) is not None:
                yield Notice(progress.few_commits(commits), "history")
            notes = prepare.notes_near(context, workspace, budget.notes_limit)
            if notes is not None and talk and talk.holds(notes.text):
                notes = None
            if notes is not None:
                yield Notice(progress.project_notes(notes.path, notes.tokens, notes.whole), "project-notes")
            available = listed.result()
    except BaseException:
        if router:
            opinion.drop(router, services.calls)
        raise
    from optimizer.engine import escalate
    from optimizer.routing.classify import classify

    sorted_as = (yield from opinion.end(router, services.calls)) if router else None
    before = talk.tokens if talk else 0
    most = before + budget.prompt(notes.tokens if notes else 0, context.tokens)
    keywords = workspace.settings.keywords
    task, room = classify(fitted, context, most, sorted_as, keywords), prepare.room(context, budget.code, workspace)
    request = Request(id, fitted, context, task, fitted, budget.code, room, notes, talk)
    if tokens := escalate.prompt_tokens(request, available.models, workspace):
        request = replace(request, task=classify(fitted, context, tokens, sorted_as, keywords))
    return request, available


def _cut(query: Query, fitted: Query, services: Services, dry_run: bool) -> Iterator[Notice]:
    """A notice for each of request and piped input that is cut; none for what this run summarises."""
    summarises = services.workspace.settings.agent_summarise
    if fitted.text != query.text:
        yield Notice(progress.request_cut(), "request-cut")
    if fitted.extra != query.extra and (dry_run or not summarises):
        yield Notice(progress.input_cut(summarises), "input-cut")


def consented(provider: str, available: Available, services: Services) -> Flow[bool]:
    """Ask for the consent that is missing; a yes is remembered."""
    from optimizer.privacy import consent

    workspace, host = services.workspace, services.models.endpoints()[provider].destination
    trains = any(model.trains for model in available.models if model.provider == provider)
    if (yield ConsentQuestion(provider, host, workspace.repository, trains)) is not True:
        return False
    consent.grant(workspace.places.state, workspace.repository, provider, host, workspace.look)
    return True


def _read(
    request: Request, available: Available, services: Services, dry_run: bool
) -> Flow[tuple[Request, int | None]]:
    """The request with the files that a reader names first, and what that cost; a dry run only says so."""
    if dry_run:
        yield Notice(progress.would_read(), "read")
        return request, 0
    from optimizer.engine import reader

    return (yield from reader.read(request, available, services))


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


def _outcome(id: str, route: Route, tried: list[tuple[Attempt, AgentResult]], cost: int | None) -> Outcome:
    """The outcome of the attempts; where all failed, with the last text that one of them gave."""
    last = tried[-1][1]
    told = last if last.failure is None else next((one for _, one in reversed(tried) if one.text.strip()), last)
    model = (tried[-1][0] if last.failure is None else route.attempts[-1]).model
    code = 0 if last.failure is None else _exit_code(route, tried)
    outdated = last.failure.hint if isinstance(last.failure, Outdated) else ""
    unanswered = all(ended.failure and ended.failure.unanswered for _, ended in tried)
    return Outcome(
        request=id,
        tier=model.tier,
        model=model.id,
        text=told.text,
        patch=last.patch,
        verdict=last.verdict,
        cost=cost,
        exit_code=code,
        hint=outdated or (progress.next_step(code == BudgetReached.exit_code, unanswered) if code else ""),
        cut=told.cut,
    )


def _exit_code(route: Route, tried: list[tuple[Attempt, AgentResult]]) -> int:
    """10 where a cap kept a model from being asked; else the code of the last answer; else 6, no model worked."""
    failures = [ended.failure for _, ended in tried if ended.failure]
    capped = any(isinstance(left.reason, Cap) for left in route.left_out)
    if capped or any(isinstance(one, BudgetReached) for one in failures):
        return BudgetReached.exit_code
    return next((one.exit_code for one in reversed(failures) if not one.unanswered), NoProvider.exit_code)
