"""One attempt: what the model is asked, what it may look at, and within which limits."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.agent import loop, prompts
from optimizer.engine import ask, prepare
from optimizer.events import Event, Notice
from optimizer.types import Model, Patch, Prompt

if TYPE_CHECKING:
    from optimizer.agent.serve import Bench
    from optimizer.engine.parts import Parts
    from optimizer.engine.request import Request


def talk(
    request: Request, model: Model, parts: Parts, answer_tokens: int, evidence: str
) -> Generator[Event, None, loop.Ended]:
    """Converse with `model` until there is an answer to check; `evidence` says what was wrong with an earlier one.

    A prompt that the provider finds too long is made anew, once, with the better half of the context.
    """
    too_long: list[bool] = []
    ended = yield from _once(request, model, parts, (answer_tokens, evidence), too_long)
    if not (too_long and ended.from_provider and request.context.items):
        return ended
    shorter = replace(request, context=prepare.better_half(request.context))
    yield Notice(f"{model.id}: {ended.failure}; asking once more with less context")
    again = yield from _once(shorter, model, parts, (answer_tokens, evidence), [])
    known = ended.cost is not None and again.cost is not None
    return replace(again, cost=(ended.cost or 0) + (again.cost or 0) if known else None)


def _once(
    request: Request, model: Model, parts: Parts, wish: tuple[int, str], too_long: list[bool]
) -> Generator[Event, None, loop.Ended]:
    """One conversation; `wish` is the answer budget and the evidence, `too_long` is told of a prompt that was."""
    answer_tokens, evidence = wish
    look = request.task.wants_edits and parts.settings.agent_steps > 0
    bench = _bench(parts, look and model.tools)
    wanted = prompts.Ask(
        query=request.query,
        task=request.task,
        context=request.context,
        max_output=answer_tokens,
        concise=parts.features.output_optimization,
        temperature=parts.settings.temperature if parts.settings.temperature >= 0 else None,
        evidence=evidence,
        notes=request.notes,
        look=look,
        tests=bench.run_tests is not None,
    )

    def call(prompt: Prompt) -> Generator[Event, None, ask.Answered]:
        answered = yield from ask.ask(request, model, prompt, parts)
        if answered.too_long:
            too_long.append(True)
        return answered

    asking = loop.Asking(model, call, lambda: parts.ledger().settle(request.id, "unusable"))
    prompt = prompts.build(wanted, model)
    return (yield from loop.converse(prompt, request.task.wants_edits, bench, asking, _limits(parts)))


def _bench(parts: Parts, look: bool) -> Bench:
    from optimizer.agent.look import View
    from optimizer.agent.overlay import Overlay
    from optimizer.agent.serve import Bench
    from optimizer.edits.read import reader

    overlay = Overlay(reader(parts.root))
    view = View(parts.index, overlay, parts.settings.agent_result_tokens)
    if not look:
        return Bench(view, overlay)
    from optimizer.verify import rerun

    means = parts.means()

    def run_tests(patch: Patch, paths: tuple[str, ...]) -> str:
        return rerun.run_tests(patch, paths, parts.index, means)

    return Bench(view, overlay, run_tests if rerun.tests_allowed(means) else None)


def _limits(parts: Parts) -> loop.Limits:
    settings = parts.settings
    return loop.Limits(
        steps=settings.agent_steps,
        tokens=settings.agent_tokens,
        cost=round(settings.agent_dollars * 1_000_000),
        seconds=settings.agent_seconds,
        repairs=int(settings.agent_repair),
    )
