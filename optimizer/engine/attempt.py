"""Ask one model after the other until an answer passes its checks; every attempt is booked."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.engine import prepare
from optimizer.errors import Conflict, OptimizerError, ProviderError
from optimizer.events import Booked, Event, Finished, Judged, Notice, Proposed, TextDelta
from optimizer.lookup.questions import Answer, Lookup
from optimizer.types import (
    Attempt,
    Completion,
    Context,
    Model,
    Outcome,
    Patch,
    Prompt,
    Query,
    Reply,
    Route,
    Task,
    Tier,
    Usage,
    UsageRecord,
    Verdict,
    Whole,
)

if TYPE_CHECKING:
    from optimizer.engine.parts import Parts


@dataclass(frozen=True, slots=True)
class Request:
    """A request on its way: its id, and what every attempt is asked."""

    id: str
    query: Query
    context: Context
    task: Task


@dataclass(frozen=True, slots=True)
class Spent:
    """What one call consumed, and how it ended, as the ledger's outcomes name it."""

    usage: Usage
    seconds: float
    outcome: str
    served: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What one attempt came to: `failure` is '' when it passed, else why not in a line.

    The next attempt is told the `evidence`, or where there is none the failure.
    """

    failure: str
    text: str = ""
    patch: Patch | None = None
    verdict: Verdict | None = None
    evidence: str = ""
    exit_code: int = 3
    cut: bool = False
    from_provider: bool = False
    cost: int | None = 0


def climb(request: Request, route: Route, parts: Parts) -> Iterator[Event]:
    """Try the attempts of `route` in order; each failure that was checked is told to the next; ends with Finished."""
    answer_tokens = parts.settings.max_tokens
    evidence = ""
    tries: list[Tried] = []
    for number, attempt in enumerate(route.attempts):
        yield Notice(_starting(attempt))
        tried = yield from _try(request, attempt, parts, answer_tokens, evidence)
        tries.append(tried)
        if not tried.failure:
            yield Finished(_outcome(request, attempt, tries))
            return
        following = route.attempts[number + 1].model.id if number + 1 < len(route.attempts) else ""
        yield Notice(f"{attempt.model.id}: {tried.failure}" + (f"; going on to {following}" if following else ""))
        evidence = evidence if tried.from_provider else tried.evidence or tried.failure
        answer_tokens = answer_tokens * 2 if tried.cut else answer_tokens
    yield Finished(_outcome(request, route.attempts[-1], tries))


def answer_from_index(request: str, lookup: Lookup, parts: Parts) -> Generator[Event, None, bool]:
    """Answer a lookup without any model; booked as a request of tier `index` at no cost.

    Returns False, with nothing booked, when a plain word was not found: it may not have been meant as a name.
    """
    from optimizer.lookup.answer import answer
    from optimizer.lookup.lines import lines_of

    started = perf_counter()
    refreshed = prepare.refresh(parts)
    if refreshed.notice:
        yield Notice(refreshed.notice)
    answered = answer(lookup, parts.index)
    if not answered.found and lookup.subject.isalpha() and lookup.subject.islower() and not parts.settings.tier:
        yield Notice(f"nothing here is named {lookup.subject!r}; taking this as a request")
        return False
    lines = lines_of(answered.rows)
    for line in lines:
        yield TextDelta(line + "\n")
    verdict = yield from _judge_index(answered, parts)
    record = _index_record(request, lookup, perf_counter() - started, parts, "proven" if verdict.ok else "unusable")
    parts.ledger().add(record)
    yield Booked(record)
    if answered.patch:
        yield Proposed(answered.patch)
        yield Judged(verdict)
    code = 0 if verdict.ok else 3
    yield Finished(Outcome(request, "index", "", "\n".join(lines), answered.patch, verdict, 0, code))
    return True


def _judge_index(answered: Answer, parts: Parts) -> Generator[Event, None, Verdict]:
    if answered.patch:
        return (yield from _judge(answered.patch, parts))
    return Verdict(answered.found, (), 1.0 if answered.found else 0.0)


def _starting(attempt: Attempt) -> str:
    where = "on this machine" if attempt.model.local else f"cloud: {attempt.model.provider}"
    return f"asking {attempt.model.id} ({where}, {attempt.model.tier}): {attempt.reason}"


def _try(
    request: Request, attempt: Attempt, parts: Parts, answer_tokens: int, evidence: str
) -> Generator[Event, None, Tried]:
    from optimizer.agent import prompts

    ask = prompts.Ask(
        query=request.query,
        task=request.task,
        context=request.context,
        max_output=answer_tokens,
        concise=parts.features.output_optimization,
        temperature=parts.settings.temperature if parts.settings.temperature >= 0 else None,
        evidence=evidence,
    )
    prompt = prompts.build(ask, attempt.model)
    started = perf_counter()
    heard: list[str] = []
    try:
        completion = yield from _listen(parts, attempt.model, prompt, heard)
    except ProviderError as error:
        spent = Spent(error.usage or Usage(), perf_counter() - started, "provider-error")
        record = _book(request, attempt, parts, spent)
        yield Booked(record)
        failure = error.message + (f" ({error.hint})" if error.hint else "")
        return Tried(failure, exit_code=6, from_provider=True, cost=record.cost)
    except (GeneratorExit, KeyboardInterrupt):
        _book(request, attempt, parts, Spent(_guess(prompt, heard), perf_counter() - started, "cancelled"))
        raise
    spent = Spent(completion.usage, completion.seconds, "answered", completion.model_served)
    record = _book(request, attempt, parts, spent)
    yield Booked(record)
    tried = yield from _prove(request, completion, parts)
    parts.ledger().settle(request.id, _settled(tried, request.task))
    return replace(tried, cost=record.cost)


def _listen(parts: Parts, model: Model, prompt: Prompt, heard: list[str]) -> Generator[Event, None, Completion]:
    provider = parts.provider(model)
    try:
        for piece in provider.stream(model, prompt):
            if isinstance(piece, Completion):
                return piece
            heard.append(piece)
            yield TextDelta(piece)
    finally:
        provider.close()
    raise ProviderError(f"{model.provider} ended its stream without an answer")


def _prove(request: Request, completion: Completion, parts: Parts) -> Generator[Event, None, Tried]:
    from optimizer.edits.parse import parse_reply

    if completion.stop == "length":
        return Tried("the answer was cut at its token limit; answer shorter", cut=True)
    reply = parse_reply(completion.text, completion.tool_calls)
    if not request.task.wants_edits and all(isinstance(edit, Whole) for edit in reply.edits):
        return (yield from _prove_answer(completion, parts))  # a path above a fence is an excerpt here
    return (yield from _prove_edits(request, reply, parts))


def _prove_answer(completion: Completion, parts: Parts) -> Generator[Event, None, Tried]:
    from optimizer.verify.checks import check_answer

    verdict = check_answer(completion.text, parts.index)
    yield Judged(verdict)
    return Tried("" if verdict.ok else _failures(verdict), completion.text, verdict=verdict)


def _prove_edits(request: Request, reply: Reply, parts: Parts) -> Generator[Event, None, Tried]:
    from optimizer.edits.apply import apply_edits
    from optimizer.edits.read import reader

    if reply.problems:
        return Tried("; ".join(reply.problems), reply.prose)
    if not reply.edits:
        return Tried("the answer holds no edit", reply.prose)
    try:
        patch = apply_edits(reply.edits, reader(parts.root))
        _check_as_shown(request.context, patch)
    except OptimizerError as error:
        return Tried(error.message, reply.prose, exit_code=error.exit_code)
    verdict = yield from _judge(patch, parts)
    if verdict.ok:
        yield Proposed(patch)
    yield Judged(verdict)
    if verdict.ok:
        return Tried("", reply.prose, patch, verdict)
    return Tried(_failures(verdict), reply.prose, None, verdict, _evidence(verdict))


def _judge(patch: Patch, parts: Parts) -> Generator[Event, None, Verdict]:
    """The proof of a patch; a notice comes before each command that may take its time."""
    from optimizer.verify import prove

    verdict = prove.at_once(patch, parts.index)
    if not verdict.ok:
        return verdict
    means = parts.means()
    steps = prove.plan(patch, parts.index, means)
    if running := [step.command.text for step in steps if not step.skip]:
        yield Notice(f"checking in a scratch copy: {', '.join(running)}")
    return prove.prove(verdict, steps, patch, means)


def _check_as_shown(context: Context, patch: Patch) -> None:
    """Raise Conflict when a file is no longer what the model was shown: its line numbers would mean other lines."""
    before = {change.path: (change.before or b"").decode("utf-8", "replace") for change in patch.changes}
    for item in context.items:
        if item.path in before:
            lines = before[item.path].split("\n")[item.start - 1 : item.end]
            if _bare(lines) != _bare(item.text.split("\n")):
                raise Conflict(f"{item.path} has changed since it was shown to the model", "ask again")


def _bare(lines: list[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")


def _failures(verdict: Verdict) -> str:
    return "; ".join(f"{check.name}: {check.detail}" for check in verdict.checks if check.passed is False)


def _evidence(verdict: Verdict) -> str:
    """What failed, with the excerpts that show it."""
    failed = [check for check in verdict.checks if check.passed is False]
    return "\n".join(f"{check.name}: {check.evidence or check.detail}" for check in failed)


def _settled(tried: Tried, task: Task) -> str:
    if not tried.failure:
        return "proven" if tried.patch else "accepted"
    return "checks-failed" if tried.verdict else "unusable"


def _guess(prompt: Prompt, heard: list[str]) -> Usage:
    from optimizer.context.budget import count_tokens

    return Usage(input=prompt.tokens, output=count_tokens("".join(heard)), estimated=True)


def _book(request: Request, attempt: Attempt, parts: Parts, spent: Spent) -> UsageRecord:
    now = datetime.now(UTC)
    model = attempt.model
    record = UsageRecord(
        request=request.id,
        at=now.isoformat(timespec="milliseconds"),
        tier=model.tier,
        label=model.label,
        provider=model.provider,
        model_asked=model.id,
        model_served=spent.served,
        usage=spent.usage,
        seconds=round(spent.seconds, 3),
        outcome=spent.outcome,
        cost=parts.cost(model, spent.usage, now),
        task=request.task.kind,
        repository=parts.repository,
    )
    parts.ledger().add(record)
    return record


def _index_record(request: str, lookup: Lookup, seconds: float, parts: Parts, outcome: str) -> UsageRecord:
    tier: Tier = "index"
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return UsageRecord(
        request,
        now,
        tier,
        "Index",
        "index",
        "",
        "",
        Usage(),
        round(seconds, 3),
        outcome,
        0,
        lookup.kind,
        parts.repository,
    )


def _outcome(request: Request, attempt: Attempt, tries: list[Tried]) -> Outcome:
    last = tries[-1]
    costs = [tried.cost for tried in tries]
    known = [cost for cost in costs if cost is not None]
    code = 0
    if last.failure:
        code = next((t.exit_code for t in reversed(tries) if not t.from_provider), 6)
    return Outcome(
        request=request.id,
        tier=attempt.model.tier,
        model=attempt.model.id,
        text=last.text,
        patch=last.patch,
        verdict=last.verdict,
        cost=sum(known) if len(known) == len(costs) else None,
        exit_code=code,
        hint="" if not last.failure else _next_step(tries),
    )


def _next_step(tries: list[Tried]) -> str:
    if all(tried.from_provider for tried in tries):
        return "optimize models, or name one with --model"
    return "name a stronger model with --model, or ask for a smaller change"
