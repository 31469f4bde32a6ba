"""The bounded conversation with one model: one answer, one repair where it cannot be used, looks where it asks for any.

The first answer is the last one, unless the model asks for a tool, or gives edits that do not fit. What it edits is
kept in memory. Every limit ends the conversation with a reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Protocol

from optimizer.agent import look, serve, turns
from optimizer.agent.overlay import Overlay
from optimizer.agent.serve import EDITS, Bench
from optimizer.edits.parse import parse_reply
from optimizer.errors import OptimizerError
from optimizer.events import Event, Notice, Stepped
from optimizer.report.money import dollars
from optimizer.types import Completion, Model, Patch, Prompt, Whole

LAST = "That was the last look: now make the change with edit calls only."
TOO_LONG = "Your last answer was cut at its limit: leave out everything but the edits."
REPAIRED = (3, 4, 6, 8)  # exit codes of failures that lie with the answer


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one attempt: answers after which a model may be asked on, tokens in and out, micro-dollars, seconds.

    `repairs` is how often an answer that cannot be used is told to the model that gave it.
    """

    steps: int
    tokens: int
    cost: int
    seconds: float
    repairs: int = 1


class Answered(Protocol):
    """What a call gave: a completion, or None and why there is none; `cost` in micro-dollars, None: unknown.

    `useless`: an answer came, but none that can be used, so that asking the same model once more may help. `absent`: no
    model of its provider can be asked.
    """

    @property
    def completion(self) -> Completion | None: ...
    @property
    def cost(self) -> int | None: ...
    @property
    def failure(self) -> str: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def useless(self) -> bool: ...
    @property
    def absent(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Asking:
    """The model that is asked, how one call of it is made, and what is done when its last answer was of no use."""

    model: Model
    ask: Callable[[Prompt], Generator[Event, None, Answered]]
    refused: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a conversation had come to when its provider failed: what was looked at, and the files as edited."""

    looked: str
    overlay: Overlay


@dataclass(frozen=True, slots=True)
class Ended:
    """How a conversation ended: a patch, a text without edits, or a failure, with the exit code of its kind.

    `told` is what another model should know of the failure. `cost` is None when that of one call is unknown;
    `answered` tells that the last call gave an answer, `unfinished` is what another model can go on from.
    """

    failure: str = ""
    text: str = ""
    patch: Patch | None = None
    told: str = ""
    exit_code: int = 3
    cut: bool = False
    from_provider: bool = False
    absent: bool = False
    cost: int | None = 0
    answered: bool = False
    unfinished: Unfinished | None = None


@dataclass(slots=True)
class _Talk:
    prompt: Prompt
    begun: float = field(default_factory=time.monotonic)
    steps: int = 0
    repairs: int = 0
    tokens: int = 0
    cost: int = 0
    unpriced: bool = False
    refused: Ended | None = None

    def count(self, answered: Answered) -> None:
        usage = answered.completion.usage if answered.completion else None
        self.tokens += usage.prompt + usage.output if usage else self.prompt.tokens
        self.cost += answered.cost or 0
        self.unpriced = self.unpriced or answered.cost is None


def converse(
    prompt: Prompt, wants_edits: bool, bench: Bench, asking: Asking, limits: Limits
) -> Generator[Event, None, Ended]:
    """Ask until there is an answer that can be checked, or a reason to stop.

    Every call is made, and booked, by `asking.ask`. Raises what that raises, and StorageError.
    """
    talk = _Talk(prompt)
    while True:
        answered = yield from asking.ask(talk.prompt)
        talk.count(answered)
        completion = answered.completion
        following: Prompt | None
        if completion is not None and _asks_for_tools(talk.prompt, completion):
            following, ended = yield from _served(talk, completion, bench, asking.model, limits)
            if following is not None and (over := _over(talk, following, asking.model, limits)):
                ended = Ended(f"stopped after {talk.steps} steps: {over}", completion.text)
        else:
            ended = _end(answered, wants_edits, bench)
            if ended.from_provider and talk.refused is not None:
                ended = replace(talk.refused, failure=f"{talk.refused.failure}; asked once more: {ended.failure}")
            following = _repair(talk, answered, ended, asking.model, limits)
            if following is not None:
                yield Notice(f"{asking.model.id}: {ended.failure}\nasking it once more, told what was wrong")
                if completion is not None:
                    asking.refused()
                talk.repairs += 1
                talk.refused = ended
                ended = Ended()
        if following is None or ended.failure:
            cost = None if talk.unpriced else talk.cost
            if ended.from_provider and talk.steps:
                ended = replace(ended, unfinished=Unfinished(turns.transcript(talk.prompt), bench.overlay))
            return replace(ended, cost=cost, answered=completion is not None)
        talk.prompt = following


def _asks_for_tools(prompt: Prompt, completion: Completion) -> bool:
    """Whether an answer, come whole, calls more than the edit tools, and more was offered."""
    if completion.stop == "length" or any(call.malformed for call in completion.tool_calls):
        return False
    more = any(tool.name not in EDITS for tool in prompt.tools)
    return more and any(call.name not in EDITS for call in completion.tool_calls)


def _served(
    talk: _Talk, completion: Completion, bench: Bench, model: Model, limits: Limits
) -> Generator[Event, None, tuple[Prompt | None, Ended]]:
    """The next prompt after the calls were served; or None and the failure that ends the conversation."""
    talk.steps += 1
    if talk.steps > limits.steps:
        why = f"stopped: it asked for more after all of its {limits.steps} steps (agent.steps)"
        return None, Ended(why, completion.text)
    reply = parse_reply(completion.text, completion.tool_calls)
    results = []
    for served in serve.serve(bench, completion.tool_calls, reply):
        call = served.result.call
        yield Stepped(talk.steps, model.id, call.name, look.about(dict(call.arguments)), served.summary)
        results.append(served.result)
    if again := next((call for call in completion.tool_calls if serve.repeated(bench, call)), None):
        return None, Ended(f"stopped: it made the same call of {again.name} three times", completion.text)
    note = LAST if talk.steps == limits.steps else ""
    return turns.with_results(talk.prompt, completion, tuple(results), note), Ended()


def _end(answered: Answered, wants_edits: bool, bench: Bench) -> Ended:
    """What an answer that asks for no tools comes to."""
    completion = answered.completion
    if completion is None:
        return Ended(answered.failure, exit_code=answered.exit_code, from_provider=True, absent=answered.absent)
    if completion.stop == "length":
        return Ended("the answer was cut at its token limit; answer shorter", cut=True)
    reply = parse_reply(completion.text, completion.tool_calls)
    if not wants_edits and all(isinstance(edit, Whole) for edit in reply.edits):
        return Ended(text=completion.text)  # a path above a fence is an excerpt here
    if reply.problems:
        return Ended("; ".join(reply.problems), reply.prose)
    try:
        if reply.edits:
            serve.apply(bench, reply.edits)
    except OptimizerError as error:
        told = error.message + (f" ({error.hint})" if error.hint else "")
        return Ended(error.message, reply.prose, told=told, exit_code=error.exit_code)
    patch = bench.overlay.patch()
    if not patch.changes:
        return Ended("the edits change nothing" if reply.edits else "the answer holds no edit", reply.prose)
    return Ended(text=reply.prose, patch=patch)


def _repair(talk: _Talk, answered: Answered, ended: Ended, model: Model, limits: Limits) -> Prompt | None:
    """The prompt that gives the same model its one chance to mend its answer; None where there is none."""
    completion = answered.completion
    if not ended.failure or talk.repairs >= limits.repairs or ended.exit_code not in REPAIRED:
        return None
    if completion is None and not answered.useless:
        return None
    if completion is None:
        following = turns.amended(
            talk.prompt, f"Your last answer was of no use: {ended.failure}", talk.prompt.max_output
        )
    elif ended.cut:
        more = min(talk.prompt.max_output * 2, model.max_output or talk.prompt.max_output * 2)
        following = turns.amended(talk.prompt, TOO_LONG, more)
    else:
        following = turns.refused(talk.prompt, completion, ended.told or ended.failure)
    return None if _over(talk, following, model, limits) else following


def _over(talk: _Talk, following: Prompt, model: Model, limits: Limits) -> str:
    """The limit that a further call would break, '' for none."""
    need = following.tokens + following.max_output
    if talk.tokens + need > limits.tokens:
        return f"the next would go over the {limits.tokens:,} tokens of one attempt (agent.tokens)"
    if talk.cost >= limits.cost > 0:
        return f"{dollars(limits.cost)} are spent (agent.dollars)"
    if time.monotonic() - talk.begun > limits.seconds:
        return f"{limits.seconds:g} s are over (agent.seconds)"
    if model.window and need > model.window:
        return f"the next would not fit into the {model.window:,} tokens of its window"
    return ""
