"""One attempt: what the model is asked, what it may look at, and within which limits."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.agent import loop, prompts, serve
from optimizer.engine import ask, book, prepare
from optimizer.events import Event, Notice
from optimizer.types import Model, Patch, Prompt

if TYPE_CHECKING:
    from optimizer.agent.serve import Bench
    from optimizer.engine.request import Before, Request
    from optimizer.engine.services import Services


def talk(request: Request, model: Model, services: Services, before: Before) -> Generator[Event, None, loop.Ended]:
    """Converse with `model` until there is an answer to check, going on from what the attempts before left.

    A prompt that the provider finds too long is made anew, once, with the better half of the context.
    """
    too_long: list[bool] = []
    ended = yield from _once(request, model, services, before, too_long)
    if not (too_long and ended.from_provider and request.context.items):
        return ended
    shorter = replace(request, context=prepare.better_half(request.context))
    yield Notice(f"{model.id}: {ended.failure}; asking once more with less context")
    again = yield from _once(shorter, model, services, replace(before, unfinished=None), [])
    return replace(again, cost=book.added(ended.cost, again.cost))


def _once(
    request: Request, model: Model, services: Services, before: Before, too_long: list[bool]
) -> Generator[Event, None, loop.Ended]:
    """One conversation; `too_long` is told of a prompt that was."""
    bench = _bench(request, model, services)
    prompt = prompts.build(_wanted(request, services, bench, before), model)
    over = _over_step(prompt, model, services)
    if 0 < over <= request.context.tokens // 2:
        request = replace(request, context=prepare.within(request.context, request.context.tokens - over))
        prompt = prompts.build(_wanted(request, services, bench, before), model)
        yield Notice(
            f"{model.id}: {over:,} tokens of code less, as all of the prompt would be charged at a higher rate"
        )
    taken = before.unfinished
    if taken is not None:
        longer = prompts.build(_wanted(request, services, bench, before, taken.looked), model)
        if longer.tokens + longer.max_output > model.window:
            taken = None
        else:
            yield Notice(f"{model.id} goes on from what was looked at so far")
            prompt, bench = longer, serve.over(bench, taken.overlay)

    def call(prompt: Prompt) -> Generator[Event, None, ask.Answered]:
        answered = yield from ask.ask(request, model, prompt, services)
        if answered.too_long:
            too_long.append(True)
        return answered

    asking = loop.Asking(model, call, lambda: services.calls.ledger().settle(request.id, "unusable"))
    ended = yield from loop.converse(prompt, request.task.wants_edits, bench, asking, _limits(services))
    if taken is None or ended.unfinished is None:
        return ended
    looked = f"{taken.looked}\n\n{ended.unfinished.looked}"
    return replace(ended, unfinished=replace(ended.unfinished, looked=looked))


def _over_step(prompt: Prompt, model: Model, services: Services) -> int:
    """Tokens to cut from a prompt that is little above a step of the model's price; 0 for none."""
    rates = services.calls.candidates((model,), services.calls.clock())[0].tariff
    return prompt.tokens - rates.fitting(prompt.tokens) if rates else 0


def _looks(request: Request, services: Services) -> bool:
    return request.task.wants_edits and services.workspace.settings.agent_steps > 0


def _wanted(request: Request, services: Services, bench: Bench, before: Before, looked: str = "") -> prompts.Ask:
    return prompts.Ask(
        query=request.query,
        task=request.task,
        context=request.context,
        max_output=before.answer_tokens,
        concise=services.workspace.features.output_optimization,
        temperature=services.workspace.temperature,
        evidence=before.evidence,
        notes=request.notes,
        look=_looks(request, services),
        tests=bench.run_tests is not None,
        looked=looked,
    )


def _bench(request: Request, model: Model, services: Services) -> Bench:
    from optimizer.agent.look import View
    from optimizer.agent.overlay import Overlay
    from optimizer.agent.serve import Bench
    from optimizer.edits.paths import reader

    overlay = Overlay(reader(services.workspace.root))
    view = View(services.workspace.index, overlay, services.workspace.settings.agent_result_tokens)
    if not (_looks(request, services) and model.tools):
        return Bench(view, overlay)
    from optimizer.verify import rerun

    means = services.workspace.means()

    def run_tests(patch: Patch, paths: tuple[str, ...]) -> str:
        return rerun.run_tests(patch, paths, services.workspace.index, means)

    return Bench(view, overlay, run_tests if rerun.tests_allowed(means) else None)


def _limits(services: Services) -> loop.Limits:
    settings = services.workspace.settings
    return loop.Limits(
        steps=settings.agent_steps,
        tokens=settings.agent_tokens,
        cost=round(settings.agent_dollars * 1_000_000),
        seconds=settings.agent_seconds,
        repairs=int(settings.agent_repair),
    )
