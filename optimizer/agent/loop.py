"""The bounded conversation with one model: one answer, tool calls if it asks for any, and one repair.

The first answer is the last one, unless the model calls a tool, or gives edits that do not fit. What it edits is kept
in memory. A limit ends the work on edits with a reason; a question is then asked once more, without tools.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from optimizer.agent import prompts, serve
from optimizer.agent.held import Held
from optimizer.agent.serve import Toolbox
from optimizer.context import budget
from optimizer.edits.edit import Reply, Whole
from optimizer.edits.formats.arguments import kind_of
from optimizer.edits.parse import parse_reply
from optimizer.errors import AnswerCut, Bound, OptimizerError, ProviderError, Repeating, Stopped, UnusableOutput
from optimizer.events import Flow, Notice, Stepped, TextDelta, Unseen, UserAnswer
from optimizer.report import progress
from optimizer.types import Completion, Cut, Message, Model, Part, Patch, Prompt, ToolCall, ToolResult, Verdict

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
    """The model that is asked, how one call of it is made, and what is done when its last answer was unusable.

    `closing` builds the prompt for the last answer to a question, without tools, from what was looked at; None for
    edits.
    """

    model: Model
    ask: Callable[[Prompt], Flow[Called]]
    refused: Callable[[], None]
    closing: Callable[[str], Prompt] | None = None


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
    `seen`: what calls of tools gave, as the model got it. `messages` are those of this request, its answer included,
    and `parts` what the first of them is made of.
    """

    text: str = ""
    patch: Patch | None = None
    failure: OptimizerError | None = None
    cost: int | None = 0
    answered: bool = False
    unfinished: Unfinished | None = None
    verdict: Verdict | None = None
    cut: Cut = ""
    seen: str = ""
    messages: tuple[Message, ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(slots=True)
class _Talk:
    prompt: Prompt
    toolbox: Toolbox
    asking: Asking
    bounds: Bounds
    begun: float = field(default_factory=time.monotonic)
    steps: int = 0
    repairs: int = 0
    tokens: int = 0
    cost: int = 0
    unpriced: bool = False
    closed: bool = False
    results: list[ToolResult] = field(default_factory=list)
    refused: AgentResult | None = None

    def count(self, called: Called) -> None:
        usage = called.result.usage if isinstance(called.result, Completion) else None
        self.tokens += usage.prompt + usage.output if usage else self.prompt.tokens
        self.cost += called.cost or 0
        self.unpriced = self.unpriced or called.cost is None


def converse(prompt: Prompt, toolbox: Toolbox, asking: Asking, bounds: Bounds) -> Flow[AgentResult]:
    """Ask until there is an answer that can be checked, or a reason to stop.

    Every call is made, and recorded, by `asking.ask`. Raises what that raises, and StorageError.
    """
    talk, before = _Talk(prompt, toolbox, asking, bounds), len(prompt.messages) - 1
    while True:
        called, held = yield from _heard(asking.ask(talk.prompt), asking.closing is not None)
        talk.count(called)
        result = called.result
        reply = parse_reply(result.text, result.tool_calls) if isinstance(result, Completion) else None
        following: Prompt | OptimizerError | None
        if isinstance(result, Completion) and reply and (calls := _wanted(talk, result, reply)):
            following = yield from _served(talk, result, reply, calls)
            ended = AgentResult("" if asking.closing else result.text)
        else:
            ended = _end(talk, result, reply)
            if held and not (isinstance(result, Completion) and reply and _no_answer(result, reply)):
                yield TextDelta(held)
            if talk.refused is not None and ended.failure is not None and ended.failure.unanswered:
                ended = _still_refused(talk.refused, ended.failure)
            cut = isinstance(ended.failure, AnswerCut) and asking.closing is not None
            following = ended.failure if cut else _repair(talk, result, ended.failure)
            if isinstance(following, Prompt) and ended.failure is not None:
                yield Notice(progress.refused(asking.model.id, ended.failure.line), "refused")
                if isinstance(result, Completion):
                    asking.refused()
                talk.repairs += 1
                talk.refused = ended
        if isinstance(following, Prompt):
            talk.prompt = following
            continue
        said = _message(result) if isinstance(result, Completion) else None
        messages = (*talk.prompt.messages[before:], *((said,) if said else ()))
        return replace(_ended(talk, ended, following, said is not None), messages=messages)


def _heard(call: Flow[Called], question: bool) -> Flow[tuple[Called, str]]:
    """A call of a model; of a reply to a question, what may be a call as text is unseen, and returned as well."""
    held = Held()
    sent: UserAnswer = None
    with contextlib.closing(call):
        while True:
            try:
                step = call.send(sent)
            except StopIteration as end:
                return end.value, held.text
            sent = None
            if not (question and isinstance(step, TextDelta)):
                sent = yield step
            elif shown := held.take(step.text):
                yield TextDelta(shown)
            else:
                yield Unseen(len(step.text))


def _ended(talk: _Talk, ended: AgentResult, failure: OptimizerError | None, answered: bool) -> AgentResult:
    """The end of a conversation, with all that it has cost and seen."""
    unfinished = None
    if failure is not None and failure.unanswered and talk.steps:
        unfinished = Unfinished(_transcript(talk.results), talk.toolbox.overlay)
    return replace(
        ended,
        failure=failure,
        cost=None if talk.unpriced else talk.cost,
        answered=answered,
        unfinished=unfinished,
        seen="\n".join(one.text for one in talk.results if not one.failed),
    )


def _wanted(talk: _Talk, completion: Completion, reply: Reply) -> tuple[ToolCall, ...]:
    """The calls to serve: those of a complete answer, native or in its text, that call more than tools which edit."""
    if talk.closed or not talk.toolbox.looks or completion.stop in ("length", "loop"):
        return ()
    calls = completion.tool_calls or reply.looks
    if any(call.malformed for call in calls):
        return ()
    return calls if any(not (kind_of(call.name) and talk.toolbox.edits) for call in calls) else ()


def _served(talk: _Talk, completion: Completion, reply: Reply, calls: tuple[ToolCall, ...]) -> Flow[Prompt | Stopped]:
    """The next prompt after the calls were served, or why the conversation ends."""
    talk.steps += 1
    limit = talk.bounds.steps
    if talk.steps > limit:
        return _stopped("steps", talk, limit)
    results = []
    for served in serve.serve(talk.toolbox, calls, reply):
        call = served.result.call
        yield Stepped(talk.steps, talk.asking.model.id, call.name, serve.about(dict(call.arguments)), served.summary)
        results.append(served.result)
    talk.results += [one for one in results if one.text != serve.SAME]
    stopped = None
    if again := next((call for call in calls if serve.repeated(talk.toolbox, call)), None):
        stopped = Stopped(progress.repeats(again.name), bound="repeats")
    note = LAST if talk.steps == limit else ""
    following = _with_results(talk.prompt, completion, tuple(results), note)
    if talk.asking.closing is None:
        return stopped or _over(talk, following) or following
    stopped = stopped or (_stopped("steps", talk, limit) if talk.steps == limit else None)
    stopped = stopped or _over(talk, following, spare=following.tokens + following.max_output)
    return _closing(talk, talk.asking.closing, stopped) if stopped else following


def _closing(talk: _Talk, closing: Callable[[str], Prompt], why: Stopped) -> Prompt | Stopped:
    """The prompt for an answer without further calls, with what was looked at as far as it fits; `why` if it cannot."""
    most = talk.bounds.tokens - talk.tokens
    most = min(most, talk.asking.model.window) if talk.asking.model.window else most
    looked = _transcript(talk.results)
    prompt = closing(looked)
    if (over := prompt.tokens + prompt.max_output - most) > 0:
        prompt = closing(prompts.shorten(looked, budget.count_tokens(looked) - over))
    talk.closed = True
    return why if prompt.tokens + prompt.max_output > most else prompt


def _end(talk: _Talk, result: Completion | OptimizerError, reply: Reply | None) -> AgentResult:
    """The result of an answer of which no call is served."""
    question = talk.asking.closing is not None
    if isinstance(result, OptimizerError) or reply is None:
        failure = result if isinstance(result, OptimizerError) else None
        heard = result.heard if isinstance(result, ProviderError) else ""
        return AgentResult(heard, failure=failure, cut="late" if heard else "")
    if result.stop == "length":
        return AgentResult(result.text, failure=AnswerCut(progress.unusable("cut")), cut="length")
    if result.stop == "loop":
        return AgentResult(
            result.text, failure=None if question else Repeating(progress.unusable("repeating")), cut="loop"
        )
    if question and (why := _no_answer(result, reply)):
        return AgentResult(reply.prose, failure=UnusableOutput(why))
    if question and all(isinstance(edit, Whole) for edit in reply.edits):
        return AgentResult(result.text)  # a path above a fence is an excerpt here
    if reply.problems:
        return AgentResult(reply.prose, failure=UnusableOutput("; ".join(reply.problems)))
    try:
        if reply.edits:
            serve.apply(talk.toolbox, reply.edits)
    except OptimizerError as error:
        return AgentResult(reply.prose, failure=error)
    patch = talk.toolbox.overlay.patch()
    if not patch.changes:
        why = progress.unusable("unchanged" if reply.edits else "no-edit")
        return AgentResult(reply.prose, failure=UnusableOutput(why))
    return AgentResult(reply.prose, patch)


def _no_answer(completion: Completion, reply: Reply) -> str:
    """Why a reply to a question is no answer to it: it calls a tool, or tries to; '' where it is one."""
    if reply.broken or any(call.malformed for call in completion.tool_calls):
        return "; ".join(reply.problems)
    called = reply.looks or any(not kind_of(call.name) for call in completion.tool_calls)
    return progress.unusable("called") if called else ""


def _still_refused(refused: AgentResult, error: OptimizerError) -> AgentResult:
    """The end of a conversation whose answer was refused, and for which asking again gave none."""
    first = refused.failure or error
    return AgentResult(refused.text, failure=type(first)(f"{first.line}; asked again: {error.line}", first.hint))


def _repair(
    talk: _Talk, result: Completion | OptimizerError, failure: OptimizerError | None
) -> Prompt | OptimizerError | None:
    """The prompt that gives the same model its one chance to correct its answer; else the failure."""
    model = talk.asking.model
    if failure is None:
        return None
    if talk.repairs >= talk.bounds.repairs or not failure.repairable:
        return failure
    if isinstance(result, OptimizerError):
        if not result.repairable:
            return failure
        why = UNUSABLE.format(why=failure.line)
        following = _amended(talk.prompt, why, talk.prompt.max_output)
    elif isinstance(failure, AnswerCut):
        more = min(talk.prompt.max_output * 2, model.max_output or talk.prompt.max_output * 2)
        following = _amended(talk.prompt, TOO_LONG, more)
    elif talk.asking.closing is not None:
        following = _amended(talk.prompt, UNUSABLE.format(why=failure.whole), talk.prompt.max_output)
    else:
        following = _refused(talk.prompt, result, failure.whole)
    return failure if _over(talk, following) else following


def _over(talk: _Talk, following: Prompt, spare: int = 0) -> Stopped | None:
    """The limit that a further call would break, with `spare` tokens left for one after it; None for none."""
    need, bounds, window = following.tokens + following.max_output, talk.bounds, talk.asking.model.window
    if talk.tokens + need + spare > bounds.tokens:
        return _stopped("tokens", talk, bounds.tokens)
    if talk.cost >= bounds.cost > 0:
        return _stopped("cost", talk, bounds.cost)
    if time.monotonic() - talk.begun > bounds.seconds:
        return _stopped("seconds", talk, bounds.seconds)
    if window and need > window:
        return _stopped("window", talk, window)
    return None


def _stopped(bound: Bound, talk: _Talk, limit: float) -> Stopped:
    return Stopped(progress.stopped(bound, talk.steps, limit), bound=bound)


# ── the next prompt of a conversation ────────────────────────────────────────────────────────────


def _message(completion: Completion) -> Message:
    """What a model answered, as a message that can go back to it."""
    if not completion.tool_calls:
        return Message("assistant", completion.text.strip() or UNREADABLE)
    return Message("assistant", completion.text, completion.tool_calls, state=completion.state)


def _with_results(prompt: Prompt, completion: Completion, results: tuple[ToolResult, ...], note: str = "") -> Prompt:
    """The prompt after the calls of a completion were served, one result for each, then `note`.

    Where the calls stood in its text, so do the results.
    """
    made = _message(completion)
    if not completion.tool_calls:
        text = prompts.looked_at(_transcript(results))
        return _extended(prompt, made, Message("user", f"{text}\n\n{note}".rstrip()))
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


def _transcript(results: Sequence[ToolResult]) -> str:
    """The calls of a conversation with their results, as text that any model can read."""
    return "\n\n".join(f"{one.call.name} {json.dumps(dict(one.call.arguments))}\n{one.text}" for one in results)


def _extended(prompt: Prompt, *messages: Message) -> Prompt:
    tokens = prompt.tokens + sum(map(_tokens, messages))
    return prompt._replace(messages=(*prompt.messages, *messages), tokens=tokens)


def _tokens(message: Message) -> int:
    calls = json.dumps([[call.name, dict(call.arguments)] for call in message.calls]) if message.calls else ""
    texts = (message.text, message.state, calls, *(result.text for result in message.results))
    return sum(map(budget.count_tokens, texts))
