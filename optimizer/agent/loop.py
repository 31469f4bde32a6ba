"""The bounded conversation with one model: one answer, tool calls if it asks for any, and one repair.

The first answer is the last one, unless the model asks for a tool, or gives edits that do not fit. What it edits is
kept in memory. Every limit ends the conversation with a reason.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from optimizer.agent import serve
from optimizer.agent.serve import Toolbox
from optimizer.context import budget
from optimizer.edits.edit import Whole
from optimizer.edits.formats.arguments import kind_of
from optimizer.edits.parse import parse_reply
from optimizer.errors import AnswerCut, Bound, OptimizerError, ProviderError, Repeating, Stopped, UnusableOutput
from optimizer.events import Flow, Notice, Stepped
from optimizer.report import progress
from optimizer.types import Completion, Cut, Message, Model, Patch, Prompt, ToolResult, Verdict

if TYPE_CHECKING:
    from optimizer.providers.base import Called

LAST = "That was the last look: now make the change with edit calls only."
TOO_LONG = "Your last answer was cut at its limit: leave out everything but the edits."
UNUSABLE = "Your last answer was unusable: {why}"
REFUSED = (
    "Nothing of this answer was applied: {why}\nThe files are as they were before it. Give all of its edits once more, "
    "corrected; explain nothing."
)
UNREADABLE = "(an answer that could not be read)"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one attempt: answers after which the model is asked again, tokens in and out, micro-dollars, seconds.

    `repairs` is how often a model may correct an answer that cannot be used.
    """

    steps: int
    tokens: int
    cost: int
    seconds: float
    repairs: int = 1


@dataclass(frozen=True, slots=True)
class Asking:
    """The model that is asked, how one call of it is made, and what is done when its last answer was unusable."""

    model: Model
    ask: Callable[[Prompt], Flow[Called]]
    refused: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The state of a conversation when its provider failed: what was looked at, and the files as edited."""

    looked: str
    overlay: serve.Overlay


@dataclass(frozen=True, slots=True)
class AgentResult:
    """How a conversation ended: a patch, a text without edits, or why there is neither.

    `cost` is None when that of one call is unknown; `answered`: the last call gave an answer; `unfinished` is what
    another model can go on from; `verdict` is that of the checks, once they ran; `cut`: why `text` is not whole;
    `looked`: its model called tools.
    """

    text: str = ""
    patch: Patch | None = None
    failure: OptimizerError | None = None
    cost: int | None = 0
    answered: bool = False
    unfinished: Unfinished | None = None
    verdict: Verdict | None = None
    cut: Cut = ""
    looked: bool = False


@dataclass(slots=True)
class _Talk:
    prompt: Prompt
    begun: float = field(default_factory=time.monotonic)
    steps: int = 0
    repairs: int = 0
    tokens: int = 0
    cost: int = 0
    unpriced: bool = False
    refused: AgentResult | None = None

    def count(self, called: Called) -> None:
        usage = called.result.usage if isinstance(called.result, Completion) else None
        self.tokens += usage.prompt + usage.output if usage else self.prompt.tokens
        self.cost += called.cost or 0
        self.unpriced = self.unpriced or called.cost is None


def converse(prompt: Prompt, wants_edits: bool, toolbox: Toolbox, asking: Asking, bounds: Bounds) -> Flow[AgentResult]:
    """Ask until there is an answer that can be checked, or a reason to stop.

    Every call is made, and recorded, by `asking.ask`. Raises what that raises, and StorageError.
    """
    talk = _Talk(prompt)
    while True:
        called = yield from asking.ask(talk.prompt)
        talk.count(called)
        result = called.result
        following: Prompt | OptimizerError | None
        if isinstance(result, Completion) and _asks_for_tools(talk.prompt, result):
            following = yield from _served(talk, result, toolbox, asking.model, bounds)
            ended = AgentResult(result.text)
        else:
            ended = _end(result, wants_edits, toolbox)
            if talk.refused is not None and ended.failure is not None and ended.failure.unanswered:
                ended = _still_refused(talk.refused, ended.failure)
            cut = isinstance(ended.failure, AnswerCut) and not wants_edits
            following = ended.failure if cut else _repair(talk, result, ended.failure, asking.model, bounds)
            if isinstance(following, Prompt) and ended.failure is not None:
                yield Notice(progress.refused(asking.model.id, ended.failure.line), "refused")
                if isinstance(result, Completion):
                    asking.refused()
                talk.repairs += 1
                talk.refused = ended
        if isinstance(following, Prompt):
            talk.prompt = following
            continue
        unfinished = None
        if following is not None and following.unanswered and talk.steps:
            unfinished = Unfinished(_transcript(talk.prompt), toolbox.overlay)
        cost = None if talk.unpriced else talk.cost
        answered = isinstance(result, Completion)
        return replace(
            ended, failure=following, cost=cost, answered=answered, unfinished=unfinished, looked=talk.steps > 0
        )


def _asks_for_tools(prompt: Prompt, completion: Completion) -> bool:
    """Whether a complete answer calls more than the edit tools, and more were offered."""
    if completion.stop in ("length", "loop") or any(call.malformed for call in completion.tool_calls):
        return False
    more = any(not kind_of(tool.name) for tool in prompt.tools)
    return more and any(not kind_of(call.name) for call in completion.tool_calls)


def _served(
    talk: _Talk, completion: Completion, toolbox: Toolbox, model: Model, bounds: Bounds
) -> Flow[Prompt | OptimizerError]:
    """The next prompt after the calls were served, or why the conversation ends."""
    talk.steps += 1
    if talk.steps > bounds.steps:
        return _stopped("steps", talk, bounds.steps)
    reply = parse_reply(completion.text, completion.tool_calls)
    results = []
    for served in serve.serve(toolbox, completion.tool_calls, reply):
        call = served.result.call
        yield Stepped(talk.steps, model.id, call.name, serve.about(dict(call.arguments)), served.summary)
        results.append(served.result)
    if again := next((call for call in completion.tool_calls if serve.repeated(toolbox, call)), None):
        return Stopped(progress.repeats(again.name), bound="repeats")
    note = LAST if talk.steps == bounds.steps else ""
    following = _with_results(talk.prompt, completion, tuple(results), note)
    return _over(talk, following, model, bounds) or following


def _end(result: Completion | OptimizerError, wants_edits: bool, toolbox: Toolbox) -> AgentResult:
    """The result of an answer that asks for no tools."""
    if isinstance(result, OptimizerError):
        heard = result.heard if isinstance(result, ProviderError) else ""
        return AgentResult(heard, failure=result, cut="late" if heard else "")
    if result.stop == "length":
        why = "the answer was cut at its token limit; answer shorter"
        return AgentResult(result.text, failure=AnswerCut(why), cut="length")
    if result.stop == "loop":
        why = "the answer repeats itself and was stopped"
        return AgentResult(result.text, failure=Repeating(why) if wants_edits else None, cut="loop")
    reply = parse_reply(result.text, result.tool_calls)
    if not wants_edits and all(isinstance(edit, Whole) for edit in reply.edits):
        return AgentResult(result.text)  # a path above a fence is an excerpt here
    if reply.problems:
        return AgentResult(reply.prose, failure=UnusableOutput("; ".join(reply.problems)))
    try:
        if reply.edits:
            serve.apply(toolbox, reply.edits)
    except OptimizerError as error:
        return AgentResult(reply.prose, failure=error)
    patch = toolbox.overlay.patch()
    if not patch.changes:
        why = "the edits change nothing" if reply.edits else "the answer holds no edit"
        return AgentResult(reply.prose, failure=UnusableOutput(why))
    return AgentResult(reply.prose, patch)


def _still_refused(refused: AgentResult, error: OptimizerError) -> AgentResult:
    """The end of a conversation whose answer was refused, and for which asking again gave none."""
    first = refused.failure or error
    return AgentResult(refused.text, failure=type(first)(f"{first.line}; asked again: {error.line}", first.hint))


def _repair(
    talk: _Talk, result: Completion | OptimizerError, failure: OptimizerError | None, model: Model, bounds: Bounds
) -> Prompt | OptimizerError | None:
    """The prompt that gives the same model its one chance to correct its answer; else the failure."""
    if failure is None:
        return None
    if talk.repairs >= bounds.repairs or not failure.repairable:
        return failure
    if isinstance(result, OptimizerError):
        if not result.repairable:
            return failure
        why = UNUSABLE.format(why=failure.line)
        following = _amended(talk.prompt, why, talk.prompt.max_output)
    elif isinstance(failure, AnswerCut):
        more = min(talk.prompt.max_output * 2, model.max_output or talk.prompt.max_output * 2)
        following = _amended(talk.prompt, TOO_LONG, more)
    else:
        following = _refused(talk.prompt, result, failure.whole)
    return failure if _over(talk, following, model, bounds) else following


def _over(talk: _Talk, following: Prompt, model: Model, bounds: Bounds) -> Stopped | None:
    """The limit that a further call would break, None for none."""
    need = following.tokens + following.max_output
    if talk.tokens + need > bounds.tokens:
        return _stopped("tokens", talk, bounds.tokens)
    if talk.cost >= bounds.cost > 0:
        return _stopped("cost", talk, bounds.cost)
    if time.monotonic() - talk.begun > bounds.seconds:
        return _stopped("seconds", talk, bounds.seconds)
    if model.window and need > model.window:
        return _stopped("window", talk, model.window)
    return None


def _stopped(bound: Bound, talk: _Talk, limit: float) -> Stopped:
    return Stopped(progress.stopped(bound, talk.steps, limit), bound=bound)


# ── the next prompt of a conversation ────────────────────────────────────────────────────────────


def _with_results(prompt: Prompt, completion: Completion, results: tuple[ToolResult, ...], note: str = "") -> Prompt:
    """The prompt after the calls of a completion were served, one result for each, then `note`."""
    made = Message("assistant", completion.text, completion.tool_calls, state=completion.state)
    return _extended(prompt, made, Message("user", note, results=results))


def _refused(prompt: Prompt, completion: Completion, why: str) -> Prompt:
    """The prompt that gives a model the reason why its answer could not be used."""
    advice = REFUSED.format(why=why)
    if completion.tool_calls and not any(call.malformed for call in completion.tool_calls):
        results = tuple(ToolResult(call, "not applied", failed=True) for call in completion.tool_calls)
        return _with_results(prompt, completion, results, advice)
    made = Message("assistant", completion.text.strip() or UNREADABLE)
    return _extended(prompt, made, Message("user", advice))


def _amended(prompt: Prompt, note: str, max_output: int) -> Prompt:
    """The same prompt with a note at its end, for an answer that was cut."""
    last = prompt.messages[-1]
    messages = (*prompt.messages[:-1], last._replace(text=f"{last.text}\n\n{note}".lstrip("\n")))
    tokens = prompt.tokens + budget.count_tokens(note)
    return prompt._replace(messages=messages, tokens=tokens, max_output=max_output)


def _transcript(prompt: Prompt) -> str:
    """The calls of a conversation with their results, as text that any model can read."""
    results = [result for message in prompt.messages for result in message.results]
    return "\n\n".join(f"{one.call.name} {json.dumps(dict(one.call.arguments))}\n{one.text}" for one in results)


def _extended(prompt: Prompt, *messages: Message) -> Prompt:
    tokens = prompt.tokens + sum(map(_tokens, messages))
    return prompt._replace(messages=(*prompt.messages, *messages), tokens=tokens)


def _tokens(message: Message) -> int:
    calls = json.dumps([[call.name, dict(call.arguments)] for call in message.calls]) if message.calls else ""
    texts = (message.text, message.state, calls, *(result.text for result in message.results))
    return sum(map(budget.count_tokens, texts))
