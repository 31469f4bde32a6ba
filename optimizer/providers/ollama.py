"""Ollama, through its own chat interface: there the window can be set, and a cut prompt be noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from optimizer.errors import PromptTooLong
from optimizer.images import tokens
from optimizer.providers import chat
from optimizer.providers.base import MISSHAPEN, Draft, Endpoint, Provider, ask, converse, count, output_cap
from optimizer.providers.door import Door, Gate
from optimizer.types import Completion, Model, Prompt, Usage

SMALLEST_WINDOW = 4096
TEMPLATE_TOKENS = 256
SURE_FROM = 512


class Ollama:
    """An Ollama server."""

    def __init__(self, endpoint: Endpoint, gate: Gate) -> None:
        import ollama

        self.endpoint = endpoint
        self.context_size = gate.limits.context_size
        self.door = Door("httpx", gate, endpoint)
        headers = {"authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        self.client = ollama.Client(
            endpoint.base_url, headers=headers, transport=self.door, trust_env=False, follow_redirects=False
        )
        self.errors = (ollama.ResponseError, ollama.RequestError, ConnectionError, self.door.lib.HTTPError, *MISSHAPEN)

    def stream(self, model: Model, prompt: Prompt) -> Iterator[str | Completion]:
        def read(draft: Draft) -> Iterator[str]:
            window = window_for(model, prompt, self.context_size)
            if model.resident and not self.context_size:
                window = self._in_force(model, window)
            for part in self.client.chat(**_request(model, prompt, window)):
                yield from _take(part, draft)
            _check_whole(draft, prompt, window)

        return converse(self.endpoint, (model, prompt), self.door, read, self.errors)

    def _in_force(self, model: Model, window: int) -> int:
        """The window that a loaded model has where it is large enough: a smaller one would load it anew."""
        loaded = next((one for one in self.client.ps().models if one.model == model.id), None)
        there = count(loaded.context_length) if loaded else 0
        return there if window <= there <= (model.window or there) else window

    def models(self) -> tuple[str, ...]:
        return ask(self.endpoint, lambda: tuple(one.model or "" for one in self.client.list().models), self.errors)

    def close(self) -> None:
        self.door.close()


def window_for(model: Model, prompt: Prompt, asked: int) -> int:
    """The window to ask for, in tokens: one of a few sizes, since each change makes the server load anew.

    Raises PromptTooLong when the model's window cannot hold prompt and answer: the server would drop the front.
    """
    need = prompt.tokens + output_cap(model, prompt) + TEMPLATE_TOKENS
    largest = asked or model.window or need
    if need > largest:
        raise PromptTooLong(
            f"ollama ({model.id}): the request needs {need} tokens, the window holds {largest}",
            "send less, raise context_size, or choose a larger model",
        )
    size = SMALLEST_WINDOW
    while size < need:
        size *= 2
    return asked or (min(size, model.window) if model.window else size)


def _request(model: Model, prompt: Prompt, window: int) -> dict[str, Any]:
    options: dict[str, Any] = {"num_ctx": window, "num_predict": output_cap(model, prompt)}
    if prompt.temperature is not None and "temperature" in model.parameters:
        options["temperature"] = prompt.temperature
    wanted: dict[str, Any] = {"model": model.id, "messages": _turns(prompt), "options": options, "stream": True}
    if prompt.tools and model.tools:
        wanted["tools"] = chat.tools(prompt)
    return wanted


def _turns(prompt: Prompt) -> list[dict[str, Any]]:
    """Ollama's turns know no ids: a result names its tool, and arguments are objects."""
    wanted: list[dict[str, Any]] = [{"role": "system", "content": prompt.system}] if prompt.system else []
    for message in prompt.messages:
        wanted += [{"role": "tool", "tool_name": one.call.name, "content": one.text} for one in message.results]
        calls = [{"function": {"name": call.name, "arguments": dict(call.arguments)}} for call in message.calls]
        seen = [image.data for image in message.images]
        if message.text or calls or seen or not message.results:
            more = ({"tool_calls": calls} if calls else {}) | ({"images": seen} if seen else {})
            wanted.append({"role": message.role, "content": message.text} | more)
    return wanted


def _take(part: Any, draft: Draft) -> Iterator[str]:
    draft.served = part.model or draft.served
    message = part.message
    for call in message.tool_calls or ():
        draft.add_call(len(draft.calls), call.function.name, json.dumps(dict(call.function.arguments)))
    if message.content:
        yield message.content
    if part.done:
        draft.ended = True
        draft.stop = "length" if part.done_reason == "length" else "end"
        if part.prompt_eval_count is not None and part.eval_count is not None:
            draft.set_usage(Usage(input=count(part.prompt_eval_count), output=count(part.eval_count)), final=True)


def _check_whole(draft: Draft, prompt: Prompt, window: int) -> None:
    """Raise when the server's own count says that it read less than was sent: it drops the front and answers 200.

    A count that fills the window, or is under half of a sizable estimate, is no error of estimation. Pictures are left
    out of the latter: some models count one as a single token.
    """
    if draft.usage is None or not draft.ended:
        return
    seen = draft.usage.input
    sure = prompt.tokens - sum(tokens(image) for message in prompt.messages for image in message.images)
    if seen >= window - 1 or (sure >= SURE_FROM and 0 < seen < sure // 2):
        raise PromptTooLong(
            f"ollama read only {seen:,} of about {prompt.tokens:,} tokens and dropped the rest",
            "send less, or raise context_size",
            draft.usage,
        )


def open_provider(endpoint: Endpoint, gate: Gate) -> Provider:
    """Ollama at this endpoint."""
    return Ollama(endpoint, gate)
