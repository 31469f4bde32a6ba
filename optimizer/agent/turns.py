"""The next prompt of a conversation: what was asked and answered so far, and what came of it."""

from __future__ import annotations

import json
from dataclasses import replace

from optimizer.context import budget
from optimizer.types import Completion, Message, Prompt, ToolResult

REFUSED = (
    "Nothing of this answer was applied: {why}\nThe files are as they were before it. Give all of its edits once more, "
    "corrected; explain nothing."
)
UNREADABLE = "(an answer that could not be read)"


def with_results(prompt: Prompt, completion: Completion, results: tuple[ToolResult, ...], note: str = "") -> Prompt:
    """The prompt after the calls of a completion were served, one result for each; `note` is said after them."""
    made = Message("assistant", completion.text, completion.tool_calls, state=completion.state)
    return _extended(prompt, made, Message("user", note, results=results))


def refused(prompt: Prompt, completion: Completion, why: str) -> Prompt:
    """The prompt that tells a model, once, why its answer could not be used."""
    advice = REFUSED.format(why=why)
    if completion.tool_calls and not any(call.malformed for call in completion.tool_calls):
        results = tuple(ToolResult(call, "not applied", failed=True) for call in completion.tool_calls)
        return with_results(prompt, completion, results, advice)
    made = Message("assistant", completion.text.strip() or UNREADABLE)
    return _extended(prompt, made, Message("user", advice))


def amended(prompt: Prompt, note: str, max_output: int) -> Prompt:
    """The same prompt with a note at its end, for an answer that never came whole."""
    last = prompt.messages[-1]
    messages = (*prompt.messages[:-1], replace(last, text=f"{last.text}\n\n{note}".lstrip("\n")))
    tokens = prompt.tokens + budget.count_tokens(note)
    return replace(prompt, messages=messages, tokens=tokens, max_output=max_output)


def transcript(prompt: Prompt) -> str:
    """The calls of a conversation with their results, as text that any model can read."""
    results = [result for message in prompt.messages for result in message.results]
    return "\n\n".join(f"{one.call.name} {json.dumps(dict(one.call.arguments))}\n{one.text}" for one in results)


def _extended(prompt: Prompt, *messages: Message) -> Prompt:
    tokens = prompt.tokens + sum(map(_tokens, messages))
    return replace(prompt, messages=(*prompt.messages, *messages), tokens=tokens)


def _tokens(message: Message) -> int:
    calls = json.dumps([[call.name, dict(call.arguments)] for call in message.calls]) if message.calls else ""
    texts = (message.text, message.state, calls, *(result.text for result in message.results))
    return sum(map(budget.count_tokens, texts))
