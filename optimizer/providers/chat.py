"""Chat completions, as OpenAI, Groq and compatible servers (llama.cpp, vLLM, LM Studio, DeepSeek) serve them."""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from optimizer.errors import InputError, ProviderError
from optimizer.events import Unseen
from optimizer.providers.base import (
    MISSHAPEN,
    Draft,
    Provider,
    ServedModel,
    ask,
    converse,
    disjoint,
    output_cap,
    sampling,
)
from optimizer.providers.door import Door, Gate
from optimizer.providers.endpoints import Endpoint
from optimizer.types import Completion, Message, Model, Prompt, StopReason, Usage
from optimizer.vendors import ChatSdk

_STOPS: dict[str, StopReason] = {
    "stop": "end",
    "tool_calls": "tool",
    "function_call": "tool",
    "length": "length",
    "content_filter": "refusal",
}


class Chat:
    """An endpoint that is asked through an SDK made like OpenAI's."""

    def __init__(self, endpoint: Endpoint, gate: Gate, sdk: ChatSdk) -> None:
        module = importlib.import_module(sdk.module)
        self.endpoint, self.sdk = endpoint, sdk
        self.door = Door(sdk.http, gate, endpoint)
        self.client = getattr(module, sdk.client)(
            api_key=endpoint.key or "none",  # the SDK wants one; the door takes the header off again
            base_url=endpoint.base_url,
            max_retries=0,
            http_client=self.door.client,
        )
        self.errors = (getattr(module, sdk.error), self.door.lib.HTTPError, *MISSHAPEN)

    def stream(self, model: Model, prompt: Prompt) -> Iterator[str | Unseen | Completion]:
        wanted = request(model, prompt, self._dialect())

        def read_all(draft: Draft) -> Iterator[str | Unseen]:
            yield from read(self.client.chat.completions.create(**wanted), draft, self.door)

        return converse(self.endpoint, (model, prompt), self.door, read_all, self.errors)

    def _dialect(self) -> ChatSdk:
        """The name of the limit that the server understands: servers of others know only the older one."""
        vendor = self.endpoint.vendor
        if vendor.server == "cloud" or self.endpoint.host == vendor.own_host:
            return self.sdk
        return self.sdk._replace(limit="max_tokens", detail="")

    def models(self) -> tuple[ServedModel, ...]:
        return ask(self.endpoint, self._models, self.errors)

    def _models(self) -> tuple[ServedModel, ...]:
        listed = tuple(served(one.model_dump(warnings=False)) for one in self.client.models.list().data or ())
        if not self.endpoint.local or len(listed) != 1 or listed[0].window:
            return listed
        root = self.endpoint.base_url.rstrip("/").removesuffix("/v1")
        with contextlib.suppress(ProviderError, *MISSHAPEN):  # only llama.cpp has this page
            return (props(listed[0], dict(self.door.client.get(f"{root}/props").json())),)
        return listed

    def close(self) -> None:
        self.door.close()


def open_provider(endpoint: Endpoint, gate: Gate) -> Provider:
    """The server at this endpoint."""
    if endpoint.vendor.sdk is None:
        raise InputError(f"{endpoint.provider} has no SDK like OpenAI's", "correct its row in vendors.py")
    return Chat(endpoint, gate, endpoint.vendor.sdk)


def served(row: Mapping[str, Any]) -> ServedModel:
    """A row of `/v1/models`, with what servers add to it.

    The window in force is `meta.n_ctx` of llama.cpp, `max_model_len` of vLLM and SGLang, `loaded_context_length` of LM
    Studio, `context_window` of Groq; images are among `architecture.input_modalities` where the model sees.
    """
    facts = {**_object(row, "meta"), **row}
    names = ("n_ctx", "max_model_len", "loaded_context_length", "context_window", "context_length")
    windows = [size for name in names if (size := _tokens(facts.get(name)))]
    seen = _object(row, "architecture").get("input_modalities")
    sees = isinstance(seen, list) and "image" in seen
    name = str(row.get("id") or "").encode("utf-8", "replace").decode()
    return ServedModel(name, next(iter(windows), 0), sees)


def props(model: ServedModel, answer: Mapping[str, Any]) -> ServedModel:
    """The model with what `/props` of llama.cpp says of it: the window of a slot, and its modalities."""
    window = _object(answer, "default_generation_settings").get("n_ctx")
    sees = _object(answer, "modalities").get("vision") is True
    return model._replace(window=_tokens(window), vision=model.vision or sees)


def _tokens(value: Any) -> int:
    """The count that a server gives; 0 where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _object(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def request(model: Model, prompt: Prompt, sdk: ChatSdk) -> dict[str, Any]:
    """Arguments of `chat.completions.create`."""
    wanted: dict[str, Any] = {
        "model": model.id,
        "messages": turns(prompt, sdk.reasoning, sdk.detail),
        sdk.limit: output_cap(model, prompt),
        "stream": True,
    }
    if sdk.counts:
        wanted["stream_options"] = {"include_usage": True}
    wanted |= sampling(model, prompt)
    if prompt.tools and model.tools:
        wanted["tools"] = tools(prompt)
    return wanted


def turns(prompt: Prompt, reasoning: bool = False, detail: str = "") -> list[dict[str, Any]]:
    """The system text and the messages, in the order of the wire; calls without an id get one from their place."""
    wanted: list[dict[str, Any]] = [{"role": "system", "content": prompt.system}] if prompt.system else []
    for number, message in enumerate(prompt.messages):
        wanted += [_result(number - 1, place, message) for place in range(len(message.results))]
        if message.calls:
            calls = [
                {
                    "id": call.id or f"call_{number}_{place}",
                    "type": "function",
                    "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))},
                }
                for place, call in enumerate(message.calls)
            ]
            thought = {"reasoning_content": message.state} if reasoning and message.state else {}
            wanted.append({"role": "assistant", "content": message.text or None, "tool_calls": calls} | thought)
        elif message.text or message.images or not message.results:
            wanted.append({"role": message.role, "content": _content(message, detail)})
    return wanted


def _content(message: Message, detail: str) -> str | list[dict[str, Any]]:
    """The text of a turn, after its images, if any."""
    if not message.images:
        return message.text
    chosen = {"detail": detail} if detail else {}
    parts: list[dict[str, Any]] = []
    for image in message.images:
        url = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": url} | chosen})
    return [*parts, {"type": "text", "text": message.text}]


def _result(number: int, place: int, message: Message) -> dict[str, Any]:
    result = message.results[place]
    return {"role": "tool", "tool_call_id": result.call.id or f"call_{number}_{place}", "content": result.text}


def tools(prompt: Prompt) -> list[dict[str, Any]]:
    """The tools offered, as the wire declares functions."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
        }
        for tool in prompt.tools
    ]


def read(chunks: Iterable[Any], draft: Draft, door: Door) -> Iterator[str | Unseen]:
    """Text of the chunks; only a finish reason and the closing [DONE] complete the answer."""
    finished = False
    for chunk in chunks:
        draft.served = getattr(chunk, "model", None) or draft.served
        usage = _usage(chunk)
        if usage is not None:
            draft.set_usage(usage, final=False)
        for choice in getattr(chunk, "choices", None) or ():
            if choice.index not in (0, None):
                continue
            if choice.finish_reason:
                finished = True
                draft.stop = _STOPS.get(choice.finish_reason, "end")
            if choice.delta is not None:
                yield from _take_delta(choice.delta, draft)
        draft.usage_final = finished and draft.usage is not None
    draft.ended = finished and door.saw_at_end(b"[DONE]")


def _take_delta(delta: Any, draft: Draft) -> Iterator[str | Unseen]:
    for call in delta.tool_calls or ():
        function = call.function
        if function is not None:
            draft.add_call(call.index, function.name or "", function.arguments or "")
            draft.mark_call(call.index, call.id)
            yield Unseen(len(function.arguments or ""))
    thought = getattr(delta, "reasoning_content", None) or ""
    draft.state += thought
    if thought := thought or getattr(delta, "reasoning", None) or "":  # Groq's name for it
        yield Unseen(len(thought))
    if getattr(delta, "refusal", None):
        draft.fault = "the model refused"
    if delta.content:
        yield delta.content


def _usage(chunk: Any) -> Usage | None:
    """The counts of a chunk, which are of the whole call so far; Groq names them differently."""
    usage = getattr(chunk, "usage", None) or getattr(getattr(chunk, "x_groq", None), "usage", None)
    if usage is None:
        return None
    details = getattr(usage, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None)
    written = getattr(details, "cache_write_tokens", None)
    return disjoint(usage.prompt_tokens, cached, written, usage.completion_tokens)
