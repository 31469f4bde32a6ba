"""A short live check of one model: how soon and how fast it answers, whether it sees its window, and calls a tool."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.engine import ask, book, room
from optimizer.engine.request import Request
from optimizer.errors import ConsentMissing, NoProvider
from optimizer.events import Event, Notice, TextDelta
from optimizer.report import reasons
from optimizer.report.money import dollars
from optimizer.retrieval import Context, Query
from optimizer.toolspec import ToolSpec
from optimizer.types import Message, Model, Prompt, Task

if TYPE_CHECKING:
    from optimizer.engine.services import Services

SYSTEM = "You are being tested. Do exactly what is asked, and nothing else."
COUNT = "Write the whole numbers from 1 to 60, separated by blanks."
ANSWER = 400
WINDOW = 6000  # what a first request takes
SIGN = "heliotrope"
REPORT = ToolSpec(
    "report",
    "Report a sum.",
    {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]},
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it: seconds to the first word, tokens a second after it, whether the window and tools are right
    (None: not tried, or it could not be told), micro-dollars (None: unknown), and a failure in a line."""

    model: str
    local: bool
    first: float | None = None
    rate: float | None = None
    window: bool | None = None
    tools: bool | None = None
    cost: int | None = 0
    failure: str = ""
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class _Heard:
    answered: ask.Answered
    first: float | None
    seconds: float


def run(name: str, services: Services, notice: Callable[[str], None]) -> Trial:
    """Ask a model three things at most; the window of a model that costs is not tried.

    Raises NoProvider when it cannot be asked, ConsentMissing, and what `ask` raises.
    """
    model = _model(name, services)
    try:
        return _tried(model, services, notice)
    finally:
        room.leave(services)


def _tried(model: Model, services: Services, notice: Callable[[str], None]) -> Trial:
    speed = _hear(_prompt(COUNT, model, services), model, services, notice)
    if speed.answered.completion is None:
        return Trial(
            model.id,
            model.local,
            cost=speed.answered.cost,
            failure=speed.answered.failure,
            exit_code=speed.answered.exit_code,
        )
    written = speed.answered.completion.usage.output
    busy = speed.seconds - (speed.first or 0.0)
    asked = [speed.answered]
    window = _window(model, services, notice, asked) if model.tier == "local" else None
    tools = _tools(model, services, notice, asked) if model.tools else None
    return Trial(
        model=model.id,
        local=model.local,
        first=speed.first,
        rate=written / busy if speed.first is not None and busy > 0 else None,
        window=window,
        tools=tools,
        cost=book.added(*(one.cost for one in asked)),
        failure=_failure(window, tools),
        exit_code=3 if False in (window, tools) else 0,
    )


def spoken(trial: Trial) -> list[str]:
    """The result as a person reads it."""
    if trial.first is None and trial.failure:
        return [f"{trial.model}: {trial.failure}"]
    marks = {True: "ok", False: "failed", None: "not told" if trial.local else "not tried"}
    rate = "unknown" if trial.rate is None else f"{trial.rate:.1f} tokens a second"
    first = "unknown" if trial.first is None else f"{trial.first:.2f} s"
    return [
        f"{trial.model} ({'on this machine' if trial.local else 'cloud'})",
        f"  first word  {first}",
        f"  speed       {rate}",
        f"  window      {marks[trial.window]} ({WINDOW:,} tokens)",
        f"  tool call   {marks[trial.tools]}",
        f"  cost        {dollars(trial.cost)}, booked",
        *([f"  {trial.failure}"] if trial.failure else []),
    ]


def _model(name: str, services: Services) -> Model:
    from optimizer.models.available import named

    found = services.models.available()
    model = next((one for one in found.models if named(one, name)), None)
    if model is None:
        left = next((one for one in found.left_out if one.model == name), None)
        why, hint = (reasons.why(left), reasons.hint(left)) if left else ("unknown", "")
        raise NoProvider(f"{name} cannot be asked: {why}", hint)
    if not services.calls.candidates((model,), services.calls.clock())[0].consented:
        raise ConsentMissing(model.provider, services.models.endpoints()[model.provider].host)
    return model


def _prompt(text: str, model: Model, services: Services, tools: tuple[ToolSpec, ...] = ()) -> Prompt:
    from optimizer.context.budget import count_tokens

    tokens = count_tokens(SYSTEM) + count_tokens(text) + 100 * len(tools)
    return Prompt(
        SYSTEM, (Message("user", text),), tools, min(ANSWER, model.max_output), tokens, services.workspace.temperature
    )


def _hear(prompt: Prompt, model: Model, services: Services, notice: Callable[[str], None]) -> _Heard:
    query = Query("models test")
    task = Task("general", 0.0, (), False, prompt.tokens, prompt.max_output)
    request = Request(uuid.uuid4().hex[:12], query, Context(query.text, 0, (), ()), task)
    begun, first = perf_counter(), None
    events: Generator[Event, None, ask.Answered] = ask.ask(request, model, prompt, services)
    while True:
        try:
            event = next(events)
        except StopIteration as stop:
            answered: ask.Answered = stop.value
            return _Heard(answered, first, perf_counter() - begun)
        if isinstance(event, TextDelta) and first is None:
            first = perf_counter() - begun
        elif isinstance(event, Notice):
            notice(event.text)


def _window(model: Model, services: Services, notice: Callable[[str], None], asked: list[ask.Answered]) -> bool | None:
    """Whether the beginning of a prompt of usual size is seen; the adapter notices what the server cut."""
    from optimizer.context.budget import count_tokens

    line = "The grey heron stands in the water and waits for the evening.\n"
    room = min(WINDOW, model.window // 2) - ANSWER
    if room < count_tokens(line):
        return None
    text = f"The password is {SIGN}.\n" + line * (room // count_tokens(line)) + "Answer with the password only."
    heard = _hear(_prompt(text, model, services), model, services, notice)
    _tell(heard, model, notice)
    asked.append(heard.answered)
    if heard.answered.too_long:
        return False
    completion = heard.answered.completion
    return None if completion is None else SIGN in completion.text.lower()


def _tools(model: Model, services: Services, notice: Callable[[str], None], asked: list[ask.Answered]) -> bool | None:
    prompt = _prompt("Call the tool `report` with the sum of 2 and 3.", model, services, (REPORT,))
    heard = _hear(prompt, model, services, notice)
    _tell(heard, model, notice)
    asked.append(heard.answered)
    completion = heard.answered.completion
    if completion is None:
        return False if heard.answered.useless else None
    return any(call.name == "report" and not call.malformed for call in completion.tool_calls)


def _tell(heard: _Heard, model: Model, notice: Callable[[str], None]) -> None:
    """Why one of the later questions was not answered; why the first was not is the result."""
    if heard.answered.failure:
        notice(f"{model.id}: {heard.answered.failure}")


def _failure(window: bool | None, tools: bool | None) -> str:
    if window is False:
        return "it does not see the beginning of such a prompt: set a smaller window for it in models.toml"
    return "it does not call tools: write tools = false for it in models.toml" if tools is False else ""
