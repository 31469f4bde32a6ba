"""A short live test of one model: how soon and how fast it answers, whether it sees its window, and calls a tool."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.calls import call as calls
from optimizer.calls.services import Purpose
from optimizer.errors import BadAnswer, OptimizerError, PromptTooLong, UnusableOutput
from optimizer.events import Flow, Notice, TextDelta, Unseen, UserAnswer
from optimizer.toolspec import ToolSpec
from optimizer.types import Completion, Message, Model, Prompt

if TYPE_CHECKING:
    from optimizer.calls.services import CallServices
    from optimizer.providers.base import Called

SYSTEM = "You are being tested. Do exactly what is asked, and nothing else."
COUNT = "Write the whole numbers from 1 to 60, separated by blanks."
ANSWER = 400
WINDOW = 6000  # tokens of a usual first request
SIGN = "heliotrope"
REPORT = ToolSpec(
    "report",
    "Report a sum.",
    {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]},
)


@dataclass(frozen=True, slots=True)
class Probe:
    """The result: seconds to the first word, tokens a second after it, whether the window and tools are right
    (None: not tried, or unknown), whether it follows an instruction of one line (None: not asked), micro-dollars (None:
    unknown), and a failure in a line."""

    model: str
    local: bool
    first: float | None = None
    rate: float | None = None
    window: bool | None = None
    tools: bool | None = None
    follows: bool | None = None
    cost: int | None = 0
    failure: str = ""
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class _Heard:
    called: Called
    first: float | None
    seconds: float


def probe(model: Model, services: CallServices) -> Flow[Probe]:
    """Ask a model four things at most; the window of a model that costs is not tried. Raises what `call` raises."""
    try:
        speed = yield from _hear(_prompt(COUNT, model), model, services)
        result = speed.called.result
        if isinstance(result, OptimizerError):
            return Probe(model.id, model.local, cost=speed.called.cost, failure=result.line, exit_code=result.exit_code)
        window, follows, tools = None, None, None
        cost = speed.called.cost
        if model.tier == "local":
            window, follows, charged = yield from _window(model, services)
            cost = calls.added(cost, charged)
        if model.tools:
            tools, charged = yield from _tools(model, services)
            cost = calls.added(cost, charged)
    finally:
        calls.release(services)
    busy = speed.seconds - (speed.first or 0.0)
    return Probe(
        model=model.id,
        local=model.local,
        first=speed.first,
        rate=result.usage.output / busy if speed.first is not None and busy > 0 else None,
        window=window,
        tools=tools,
        follows=follows,
        cost=cost,
        failure=_failure(window, tools, follows),
        exit_code=UnusableOutput.exit_code if False in (window, tools, follows) else 0,
    )


def _prompt(text: str, model: Model, tools: tuple[ToolSpec, ...] = ()) -> Prompt:
    from optimizer.context.budget import count_tokens

    tokens = count_tokens(SYSTEM) + count_tokens(text) + 100 * len(tools)
    return Prompt(SYSTEM, (Message("user", text),), tools, min(ANSWER, model.max_output), tokens)


def _hear(prompt: Prompt, model: Model, services: CallServices) -> Flow[_Heard]:
    """One call, timed; the pieces of its answer are left out."""
    flow = calls.call(Purpose(uuid.uuid4().hex[:12], "general"), model, prompt, services)
    begun, first = perf_counter(), None
    sent: UserAnswer = None
    while True:
        try:
            step = flow.send(sent)
        except StopIteration as stop:
            return _Heard(stop.value, first, perf_counter() - begun)
        sent = None
        if isinstance(step, TextDelta):
            first = perf_counter() - begun if first is None else first
            yield Unseen(len(step.text))
        else:
            sent = yield step


def _window(model: Model, services: CallServices) -> Flow[tuple[bool | None, bool | None, int | None]]:
    """Whether the beginning of a prompt of usual size is seen, whether the same is done with a short one where that
    fails, and the cost; the adapter notices a cut prompt."""
    from optimizer.context.budget import count_tokens

    line = "The grey heron stands in the water and waits for the evening.\n"
    space = min(WINDOW, model.window // 2) - ANSWER
    if space < count_tokens(line):
        return None, None, 0
    called = yield from _recall(line * (space // count_tokens(line)), model, services)
    if not isinstance(called.result, Completion):
        return False if isinstance(called.result, PromptTooLong) else None, None, called.cost
    if SIGN in called.result.text.lower():
        return True, None, called.cost
    again = yield from _recall(line, model, services)
    follows = SIGN in again.result.text.lower() if isinstance(again.result, Completion) else None
    return False if follows else None, follows, calls.added(called.cost, again.cost)


def _recall(between: str, model: Model, services: CallServices) -> Flow[Called]:
    """Ask for the word that stands before `between`."""
    text = f"The password is {SIGN}.\n{between}Answer with the password only."
    called = (yield from _hear(_prompt(text, model), model, services)).called
    if not isinstance(called.result, Completion):
        yield Notice(f"{model.id}: {called.result.line}", "failed")
    return called


def _tools(model: Model, services: CallServices) -> Flow[tuple[bool | None, int | None]]:
    """Whether the model calls a tool, and the cost."""
    prompt = _prompt("Call the tool `report` with the sum of 2 and 3.", model, (REPORT,))
    called = (yield from _hear(prompt, model, services)).called
    if isinstance(called.result, Completion):
        made = any(call.name == "report" and not call.malformed for call in called.result.tool_calls)
        return made, called.cost
    yield Notice(f"{model.id}: {called.result.line}", "failed")
    return False if isinstance(called.result, BadAnswer) else None, called.cost


def _failure(window: bool | None, tools: bool | None, follows: bool | None) -> str:
    if follows is False:
        return "it does not follow an instruction of one line, so its window is unknown: use a stronger model"
    if window is False:
        return "it does not see the beginning of such a prompt: set a smaller window for it in models.toml"
    return "it does not call tools: write tools = false for it in models.toml" if tools is False else ""
