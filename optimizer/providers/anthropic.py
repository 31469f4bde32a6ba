"""Anthropic's Messages."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from optimizer.events import Unseen
from optimizer.providers.base import (
    MISSHAPEN,
    Draft,
    Provider,
    ServedModel,
    ask,
    converse,
    count,
    is_absurd,
    output_cap,
    sampling,
)
from optimizer.providers.door import Door, Gate
from optimizer.providers.endpoints import Endpoint
from optimizer.types import Completion, Message, Model, Prompt, StopReason, Usage

CACHED_FROM = 4096
_STOPS: dict[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "pause_turn": "end",
    "tool_use": "tool",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


class Anthropic:
    """Anthropic's endpoint."""

    def __init__(self, endpoint: Endpoint, gate: Gate) -> None:
        import anthropic

        self.endpoint = endpoint
        self.door = Door("httpx2", gate, endpoint)
        self.client = anthropic.Anthropic(
            api_key=endpoint.key, base_url=endpoint.base_url, max_retries=0, http_client=self.door.client
        )
        self.errors = (anthropic.AnthropicError, self.door.lib.HTTPError, *MISSHAPEN)

    def stream(self, model: Model, prompt: Prompt) -> Iterator[str | Unseen | Completion]:
        def read(draft: Draft) -> Iterator[str | Unseen]:
            thoughts: dict[int, dict[str, str]] = {}
            for event in self.client.messages.create(**_request(model, prompt)):
                _keep_thoughts(event, thoughts)
                yield from _take(event, draft)
            if thoughts:
                draft.state = json.dumps(list(thoughts.values()))

        return converse(self.endpoint, (model, prompt), self.door, read, self.errors)

    def models(self) -> tuple[ServedModel, ...]:
        listed = ask(self.endpoint, lambda: list(self.client.models.list(limit=1000)), self.errors)
        return tuple(ServedModel(one.id) for one in listed)

    def close(self) -> None:
        self.door.close()


def _request(model: Model, prompt: Prompt) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "model": model.id,
        "max_tokens": output_cap(model, prompt),
        "messages": [{"role": message.role, "content": _content(message)} for message in prompt.messages],
        "stream": True,
    }
    if prompt.lasting or len(prompt.messages) > 1:
        _keep_cached(wanted["messages"][-1])
    if prompt.system:
        block: dict[str, Any] = {"type": "text", "text": prompt.system}
        if len(prompt.system) >= CACHED_FROM * 4:
            block["cache_control"] = {"type": "ephemeral"}
        wanted["system"] = [block]
    if chosen := sampling(model, prompt):
        name = next(iter(chosen))  # temperature, if both are set: several models refuse the two together
        wanted["extra_body"] = {name: chosen[name]}
    if prompt.tools and model.tools:
        wanted["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}
            for tool in prompt.tools
        ]
    return wanted


def _keep_cached(message: dict[str, Any]) -> None:
    """Mark a turn's end: in a conversation, the next request begins with all that this one holds."""
    if isinstance(message["content"], str):
        message["content"] = [{"type": "text", "text": message["content"]}]
    message["content"][-1]["cache_control"] = {"type": "ephemeral"}


def _content(message: Message) -> str | list[dict[str, Any]]:
    """The blocks of a turn: thoughts as they came, results first, then images, then text, then calls."""
    if not (message.calls or message.results or message.images):
        return message.text
    blocks: list[dict[str, Any]] = json.loads(message.state) if message.state else []
    blocks += [
        {"type": "tool_result", "tool_use_id": one.call.id, "content": one.text, "is_error": one.failed}
        for one in message.results
    ]
    for image in message.images:
        data = base64.b64encode(image.data).decode()
        blocks.append({"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": data}})
    blocks += [{"type": "text", "text": message.text}] if message.text.strip() else []
    return blocks + [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)} for call in message.calls
    ]


def _keep_thoughts(event: Any, thoughts: dict[int, dict[str, str]]) -> None:
    """Collect the blocks of thinking: with tool results they must go back as they came, signature and all."""
    if event.type == "content_block_start" and event.content_block.type == "thinking":
        thoughts[event.index] = {"type": "thinking", "thinking": "", "signature": ""}
    elif event.type == "content_block_start" and event.content_block.type == "redacted_thinking":
        thoughts[event.index] = {"type": "redacted_thinking", "data": event.content_block.data}
    elif event.type == "content_block_delta" and event.index in thoughts:
        if event.delta.type == "thinking_delta":
            thoughts[event.index]["thinking"] += event.delta.thinking
        elif event.delta.type == "signature_delta":
            thoughts[event.index]["signature"] = event.delta.signature


def _take(event: Any, draft: Draft) -> Iterator[str | Unseen]:
    """Text of one event; thinking is not text. A block that never closes means a cut answer."""
    if event.type == "message_start":
        draft.served = event.message.model or draft.served
        draft.set_usage(_usage(event.message.usage, Usage()), final=False)
    elif event.type == "content_block_start":
        draft.open_blocks += 1
        block = event.content_block
        if block.type == "tool_use":
            draft.add_call(event.index, block.name, "")
            draft.mark_call(event.index, block.id)
        elif block.type == "text" and block.text:
            yield block.text
    elif event.type == "content_block_delta":
        if event.delta.type == "text_delta":
            yield event.delta.text
        elif event.delta.type == "input_json_delta":
            draft.add_call(event.index, "", event.delta.partial_json)
            yield Unseen(len(event.delta.partial_json))
        elif event.delta.type == "thinking_delta":
            yield Unseen(len(event.delta.thinking))
    elif event.type == "content_block_stop":
        draft.open_blocks -= 1
    elif event.type == "message_delta":
        draft.set_usage(_usage(event.usage, draft.usage or Usage()), final=True)
        if event.delta.stop_reason:
            draft.stop = _STOPS.get(event.delta.stop_reason, "end")
    elif event.type == "message_stop":
        draft.ended = True


def _usage(sent: Any, before: Usage) -> Usage:
    """Anthropic's counts are disjoint and cumulative: each one that is sent replaces the one before."""
    if sent is None:
        return before
    written = getattr(sent, "cache_creation", None)
    hour = count(getattr(written, "ephemeral_1h_input_tokens", None)) if written else before.cache_write_1h
    total = sent.cache_creation_input_tokens
    counts = (sent.input_tokens, sent.cache_read_input_tokens, total, sent.output_tokens)
    return before._replace(
        input=before.input if sent.input_tokens is None else count(sent.input_tokens),
        cache_read=before.cache_read if sent.cache_read_input_tokens is None else count(sent.cache_read_input_tokens),
        cache_write_5m=before.cache_write_5m if total is None else max(0, count(total) - hour),
        cache_write_1h=hour,
        output=before.output if sent.output_tokens is None else count(sent.output_tokens),
        estimated=before.estimated or any(map(is_absurd, counts)),
    )


def open_provider(endpoint: Endpoint, gate: Gate) -> Provider:
    """Anthropic at this endpoint."""
    return Anthropic(endpoint, gate)
