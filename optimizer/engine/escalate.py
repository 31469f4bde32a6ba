"""Ask one model after the other until an answer passes its checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optimizer.agent import prompts
from optimizer.calls import call as calls
from optimizer.calls.services import Purpose
from optimizer.config.options import option
from optimizer.encodings import text_of
from optimizer.engine import prepare
from optimizer.errors import AnswerCut, OptimizerError, Outdated, PromptTooLong, ToolsRefused, UnusableOutput
from optimizer.events import Flow, Judged, Notice, Proposed
from optimizer.ledger.caps import DOLLAR
from optimizer.models.state import key
from optimizer.report import progress
from optimizer.retrieval import Context
from optimizer.tiers import LOOKING
from optimizer.types import Attempt, Model, Patch, Prompt, Route, Verdict

if TYPE_CHECKING:
    from optimizer.agent import loop
    from optimizer.agent.loop import AgentResult, Unfinished
    from optimizer.agent.serve import Toolbox
    from optimizer.engine.prepare import Request
    from optimizer.engine.services import Services, Workspace
    from optimizer.providers.base import Called
    from optimizer.settings import Settings

REPLIES = 3  # calls of an attempt besides those after its looks: the first, a repair, the closing one
LEAST_LOOKS = 2  # results of tools that must fit into a window beside the first request


@dataclass(frozen=True, slots=True)
class Before:
    """What earlier attempts pass on: the answer budget in tokens, what was wrong with the last answer, and a
    conversation that its provider broke off."""

    answer_tokens: int
    evidence: str = ""
    unfinished: Unfinished | None = None


def escalate(request: Request, route: Route, services: Services) -> Flow[list[tuple[Attempt, AgentResult]]]:
    """Try the attempts of `route` in order, until one succeeds; each gets the reason why the one before it failed."""
    before = Before(services.workspace.settings.max_tokens)
    tried: list[tuple[Attempt, AgentResult]] = []
    waiting: Sequence[Attempt] = route.attempts
    try:
        while waiting:
            attempt, waiting = waiting[0], waiting[1:]
            attempt = _sized(attempt, request, services, failed=bool(before.evidence))
            yield Notice(progress.starting(attempt), "starting")
            sized = prepare.resized(request, attempt.size, services.workspace)
            ended = yield from _attempt(sized, attempt.model, services, before)
            tried.append((attempt, ended))
            if ended.failure is None:
                break
            waiting = left_to_ask(waiting, attempt, ended.failure)
            failed = [check.name for check in ended.verdict.checks if check.passed is False] if ended.verdict else []
            following = waiting[0].model.id if waiting else ""
            if line := progress.going_on(attempt.model.id, ended.failure.line, failed, following):
                yield Notice(line, "going-on")
            before = _after(before, ended, ended.failure)
    finally:
        if any(attempt.model.local for attempt in route.attempts):
            calls.release(services.calls)
    return tried


def _sized(attempt: Attempt, request: Request, services: Services, failed: bool) -> Attempt:
    """The attempt with the size of its request, which may be larger where an answer before `failed` a check."""
    from optimizer.routing.size import request_size

    tariff = services.calls.candidate(attempt.model).tariff
    return attempt._replace(size=request_size(attempt.model, tariff, request.room, failed))


def left_to_ask(waiting: Sequence[Attempt], failed: Attempt, error: OptimizerError) -> Sequence[Attempt]:
    """The attempts that are left after one failed.

    A standby is asked only when the model before it in its tier gave no answer; where a provider cannot be reached, its
    other models are left out too; where files have changed meanwhile, all are.
    """
    if isinstance(error, Outdated):
        return ()
    if not error.unanswered:
        waiting = [one for one in waiting if not (one.standby and one.model.tier == failed.model.tier)]
    if error.provider_down:
        waiting = [one for one in waiting if one.model.provider != failed.model.provider]
    return waiting


def _after(before: Before, ended: AgentResult, failure: OptimizerError) -> Before:
    """What is passed on to the next attempt; a provider's failure adds only a conversation to continue."""
    if failure.unanswered:
        return replace(before, unfinished=ended.unfinished or before.unfinished)
    answer_tokens = before.answer_tokens * 2 if isinstance(failure, AnswerCut) else before.answer_tokens
    return Before(answer_tokens, _evidence(ended.verdict) if ended.verdict else failure.whole)


def _attempt(request: Request, model: Model, services: Services, before: Before) -> Flow[AgentResult]:
    """Converse with `model` and check its answer; the ledger gets what became of it.

    A prompt that the provider finds too long is built once more, with the better half of the context; one whose tools
    its server refuses, with calls as text.
    """
    ended = yield from _conversation(request, model, services, before)
    if isinstance(ended.failure, ToolsRefused) and model.tools:
        yield Notice(progress.no_tools(model.id, ended.failure.line), "no-tools")
        services.calls.states().record_no_tools(key(model))
        model = model._replace(tools=False)
        again = yield from _conversation(request, model, services, before)
        ended = replace(again, cost=calls.added(ended.cost, again.cost))
    if isinstance(ended.failure, PromptTooLong) and request.context.items:
        shorter = replace(request, context=prepare.within(request.context, request.context.tokens // 2))
        yield Notice(progress.less_context(model.id, ended.failure.line), "less-context")
        again = yield from _conversation(shorter, model, services, replace(before, unfinished=None))
        ended = replace(again, cost=calls.added(ended.cost, again.cost))
    if ended.failure is None:
        ended = yield from _proven(ended, request, services.workspace)
    if ended.answered:
        services.calls.ledger().settle(request.id, _settlement(ended))
    return ended


def _proven(ended: AgentResult, request: Request, workspace: Workspace) -> Flow[AgentResult]:
    """A conversation that gave an answer, with the verdict on it; a failed check is its failure."""
    from optimizer.verify.relevant import Asked

    seen = f"{request.talk.text}\n{ended.seen}" if request.talk else ended.seen
    asked = Asked(request.query.text, request.task.kind, request.context, prompts.RULES, seen)
    if ended.patch is None:
        from optimizer.verify.answers import check_answer

        verdict = check_answer(ended.text, workspace.index, asked)
    else:
        from optimizer.verify import place, prove

        try:
            _check_as_shown(request.context, ended.patch)
        except Outdated as error:
            return replace(ended, patch=None, failure=error)
        verdict = place.check_place(ended.patch, asked, workspace.index)
        if verdict.ok:
            proven = yield from prove.judge(ended.patch, workspace.index, workspace.means())
            verdict = place.joined(verdict, proven)
        if verdict.ok:
            yield Proposed(ended.patch)
    yield Judged(verdict)
    if verdict.ok:
        return replace(ended, verdict=verdict)
    why = "; ".join(f"{check.name}: {check.detail}" for check in verdict.checks if check.passed is False)
    return replace(ended, patch=None, verdict=verdict, failure=UnusableOutput(why))


def _evidence(verdict: Verdict) -> str:
    """What failed, with the excerpts that show it."""
    failed = [check for check in verdict.checks if check.passed is False]
    return "\n".join(f"{check.name}: {check.evidence or check.detail}" for check in failed)


def _check_as_shown(context: Context, patch: Patch) -> None:
    """Raise Outdated when a file is no longer what the model was shown: its line numbers would mean other lines."""
    before = {change.path: text_of(change.before or b"") for change in patch.changes}
    for item in context.items:
        if item.path in before:
            lines = before[item.path].split("\n")[item.start - 1 : item.end]
            if _bare(lines) != _bare(item.text.split("\n")):
                raise Outdated(f"{item.path} has changed since it was shown to the model", "ask again")


def _bare(lines: list[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")


def _settlement(ended: AgentResult) -> str:
    """What became of the last answer, as the ledger's outcomes name it."""
    if ended.failure is None:
        return "proven" if ended.patch else "accepted"
    return "checks-failed" if ended.verdict else "unusable"


def _conversation(request: Request, model: Model, services: Services, before: Before) -> Flow[AgentResult]:
    """One conversation, continuing with what earlier attempts passed on."""
    from optimizer.agent import loop, serve

    workspace = services.workspace
    before = replace(before, answer_tokens=_answer_tokens(request, model, workspace.settings, before))
    toolbox = _toolbox(request, model, workspace)
    ask = _ask(request, workspace, toolbox, before)
    prompt = prompts.build(ask, model)
    over = _over_step(prompt, model, services)
    if 0 < over <= request.context.tokens // 2:
        request = replace(request, context=prepare.within(request.context, request.context.tokens - over))
        ask = replace(ask, context=_unshown(request))
        prompt = prompts.build(ask, model)
        yield Notice(progress.higher_rate(model.id, over), "higher-rate")
    taken = before.unfinished
    if taken is not None:
        longer = prompts.build(replace(ask, looked=taken.looked), model)
        if longer.tokens + longer.max_output > model.window:
            taken = None
        else:
            yield Notice(progress.taking_over(model.id), "taking-over")
            prompt, toolbox = longer, serve.over(toolbox, taken.overlay)
            ask = replace(ask, looked=taken.looked)
    earlier = f"{taken.looked}\n\n" if taken else ""
    purpose = Purpose(request.id, request.task.kind)

    def send(prompt: Prompt) -> Flow[Called]:
        return calls.call(purpose, model, prompt, services.calls)

    def closing(looked: str) -> Prompt:
        nonlocal ask
        ask = replace(ask, look=False, looked=earlier + looked)
        return prompts.build(ask, model)

    asking = loop.Asking(
        model,
        send,
        lambda: services.calls.ledger().settle(request.id, "unusable"),
        None if request.task.wants_edits else closing,
    )
    earlier_tokens = request.talk.tokens if request.talk else 0
    ended = yield from loop.converse(prompt, toolbox, asking, _bounds(workspace, earlier_tokens))
    ended = replace(ended, parts=prompts.parts(ask))
    if taken is None:
        return ended
    unfinished = ended.unfinished and replace(ended.unfinished, looked=earlier + ended.unfinished.looked)
    return replace(ended, unfinished=unfinished, seen=earlier + ended.seen)


def _answer_tokens(request: Request, model: Model, settings: Settings, before: Before) -> int:
    """The answer budget of this model, grown by as much as that of the models before it."""
    own = option(settings, "max_tokens", model.id, model.provider, request.task.kind)
    return int(own) * before.answer_tokens // settings.max_tokens


def _over_step(prompt: Prompt, model: Model, services: Services) -> int:
    """Tokens to cut from a prompt that is little above a step of the model's price; 0 for none."""
    rates = services.calls.candidate(model).tariff
    return prompt.tokens - rates.fitting(prompt.tokens) if rates else 0


def prompt_tokens(request: Request, models: Sequence[Model], workspace: Workspace) -> int:
    """The tokens of the first prompt of a request, for that of the models with the longest form; 0 without models."""
    edits, concise = request.task.wants_edits, workspace.features.output_optimization
    forms = {
        (prompts.edit_format(one, concise) if edits else "", one.tools, _looks(request, one, workspace)): one
        for one in models
    }
    before = Before(workspace.settings.max_tokens)
    built = (
        prompts.build(_ask(request, workspace, _toolbox(request, model, workspace), before), model)
        for model in forms.values()
    )
    return max((prompt.tokens for prompt in built), default=0)


def _looks(request: Request, model: Model, workspace: Workspace) -> bool:
    """Whether the model may look around; for a question it needs a window with room for what it looks at."""
    settings = workspace.settings
    if not settings.agent_steps or request.task.wants_edits:
        return settings.agent_steps > 0
    room = settings.first_request + LEAST_LOOKS * settings.agent_result_tokens
    return request.task.kind in LOOKING and model.window >= room


def _ask(request: Request, workspace: Workspace, toolbox: Toolbox, before: Before) -> prompts.Ask:
    return prompts.Ask(
        query=request.query,
        task=request.task,
        context=_unshown(request),
        max_output=before.answer_tokens,
        concise=workspace.features.output_optimization,
        evidence=before.evidence,
        notes=request.notes,
        look=toolbox.looks,
        tests=toolbox.run_tests is not None,
        talk=request.talk,
    )


def _unshown(request: Request) -> Context:
    """The context without what was shown in the conversation and is the same."""
    from optimizer.agent.talk import without

    return without(request.context, request.talk.shown) if request.talk else request.context


def _toolbox(request: Request, model: Model, workspace: Workspace) -> Toolbox:
    from optimizer.agent.serve import Overlay, Toolbox, View
    from optimizer.agent.talk import seen
    from optimizer.edits.paths import reader
    from optimizer.privacy.secrets.redact import handling

    talk, looks = request.talk, _looks(request, model, workspace)
    edits = request.task.wants_edits or talk is not None
    overlay = Overlay(reader(workspace.root, workspace.index.sees))
    view = View(workspace.index, overlay, workspace.settings.agent_result_tokens)
    known = talk.shown if talk else {}
    shown = tuple(dict.fromkeys((*(item.path for item in request.context.items), *known)))
    tests = _tests(workspace) if edits and looks and model.tools else None
    tools = prompts.offered(edits, looks, tests is not None)
    lines = seen(request.context.items, known, overlay.read)
    return Toolbox(view, overlay, tools, tests, request.query.text, shown, handling(workspace.settings), lines=lines)


def _tests(workspace: Workspace) -> Callable[[Patch, tuple[str, ...]], str] | None:
    """How tests are run on a patch, None where the user has not allowed that."""
    from optimizer.verify import prove

    means = workspace.means()

    def run_tests(patch: Patch, paths: tuple[str, ...]) -> str:
        return prove.run_tests(patch, paths, workspace.index, means)

    return run_tests if prove.tests_allowed(means) else None


def _bounds(workspace: Workspace, before: int) -> loop.Bounds:
    """The limits of an attempt; the tokens of the conversation `before` it, sent with every call, do not count."""
    from optimizer.agent import loop

    settings = workspace.settings
    return loop.Bounds(
        steps=settings.agent_steps,
        tokens=settings.agent_tokens + before * (settings.agent_steps + REPLIES),
        cost=round(settings.agent_dollars * DOLLAR),
        seconds=settings.agent_seconds,
        repairs=int(settings.agent_repair),
    )
