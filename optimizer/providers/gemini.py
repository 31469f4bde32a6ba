"""Google's Gemini."""

from __future__ import annotations

import base64
import json
import warnings
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
    disjoint,
    is_absurd,
    output_cap,
    sampling,
)
from optimizer.providers.door import Door, Gate
from optimizer.providers.endpoints import Endpoint
from optimizer.types import Completion, Message, Model, Prompt, StopReason

_STOPS: dict[str, StopReason] = {"STOP": "end", "MAX_TOKENS": "length"}
_REFUSALS = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY"}
)


class Gemini:
    """Gemini's endpoint."""

    def __init__(self, endpoint: Endpoint, gate: Gate) -> None:
        import ssl

        from google import genai
        from google.genai import errors, types

        warnings.filterwarnings("ignore", module=r"google\.genai")  # it would print a line for each new reason
        self.endpoint = endpoint
        self.types = types
        self.door = Door("httpx2", gate, endpoint)
        # The SDK makes two more clients that are never used: without certificates they take no time to make.
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.client = genai.Client(
            api_key=endpoint.key,
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=endpoint.base_url,
                api_version="v1beta",
                httpx_client=self.door.client,
                async_client_args={"verify": unused, "ssl": unused, "trust_env": False},
            ),
        )
        self.errors = (errors.APIError, errors.UnknownApiResponseError, self.door.lib.HTTPError, *MISSHAPEN)

    def stream(self, model: Model, prompt: Prompt) -> Iterator[str | Unseen | Completion]:
        def read(draft: Draft) -> Iterator[str | Unseen]:
            answer = self.client.models.generate_content_stream(
                model=model.id, contents=self._contents(prompt), config=self._config(model, prompt)
            )
            for chunk in answer:
                yield from _take(chunk, draft)
            draft.usage_final = draft.ended and draft.usage is not None

        return converse(self.endpoint, (model, prompt), self.door, read, self.errors)

    def _contents(self, prompt: Prompt) -> list[Any]:
        role = {"user": "user", "assistant": "model"}
        return [self.types.Content(role=role[message.role], parts=self._parts(message)) for message in prompt.messages]

    def _parts(self, message: Message) -> list[Any]:
        """The parts of a turn; a call goes back with the signature of the thought that led to it."""
        types = self.types
        parts = []
        for result in message.results:
            output = {"error" if result.failed else "output": result.text}
            answer = types.FunctionResponse(name=result.call.name, response=output, id=result.call.id or None)
            parts.append(types.Part(function_response=answer))
        for image in message.images:
            parts.append(types.Part(inline_data=types.Blob(data=image.data, mime_type=image.media_type)))
        if message.text or not (message.results or message.calls):
            parts.append(types.Part(text=message.text))
        for call in message.calls:
            made = types.FunctionCall(name=call.name, args=dict(call.arguments), id=call.id or None)
            signature = base64.b64decode(call.signature) if call.signature else None
            parts.append(types.Part(function_call=made, thought_signature=signature))
        return parts

    def _config(self, model: Model, prompt: Prompt) -> Any:
        types = self.types
        config = types.GenerateContentConfig(
            max_output_tokens=output_cap(model, prompt),
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        if prompt.system:
            config.system_instruction = prompt.system
        for name, value in sampling(model, prompt).items():
            setattr(config, name, value)
        if prompt.tools and model.tools:
            offered = [
                types.FunctionDeclaration(
                    name=tool.name, description=tool.description, parameters_json_schema=dict(tool.parameters)
                )
                for tool in prompt.tools
            ]
            config.tools = [types.Tool(function_declarations=offered)]
        return config

    def models(self) -> tuple[ServedModel, ...]:
        listed = ask(self.endpoint, lambda: list(self.client.models.list()), self.errors)
        return tuple(
            ServedModel((one.name or "").removeprefix("models/"), one.input_token_limit or 0) for one in listed
        )

    def close(self) -> None:
        self.door.close()


def _take(chunk: Any, draft: Draft) -> Iterator[str | Unseen]:
    """Text of one chunk; thoughts are not text. Only a finish reason completes the answer."""
    draft.served = chunk.model_version or draft.served
    counts = chunk.usage_metadata
    if counts is not None:
        written = (counts.candidates_token_count, counts.thoughts_token_count)
        sent = (counts.prompt_token_count, counts.tool_use_prompt_token_count)
        usage = disjoint(sum(map(count, sent)), counts.cached_content_token_count, 0, sum(map(count, written)))
        odd = usage.estimated or any(map(is_absurd, (*written, *sent)))
        draft.set_usage(usage._replace(estimated=odd), final=False)
    feedback = chunk.prompt_feedback
    if feedback is not None and feedback.block_reason:
        draft.ended, draft.stop = True, "refusal"
    for candidate in (chunk.candidates or ())[:1]:
        parts = candidate.content.parts if candidate.content else None
        for part in parts or ():
            if part.function_call is not None:
                call, key = part.function_call, len(draft.calls)
                arguments = json.dumps(call.args or {})
                draft.add_call(key, call.name or "", arguments)
                yield Unseen(len(arguments))
                draft.mark_call(key, call.id, base64.b64encode(part.thought_signature or b"").decode())
            elif part.text:
                yield Unseen(len(part.text)) if part.thought else part.text
        if candidate.finish_reason is not None:
            _stop(str(getattr(candidate.finish_reason, "value", candidate.finish_reason)), draft)


def _stop(reason: str, draft: Draft) -> None:
    draft.ended = True
    if reason in _STOPS:
        draft.stop = _STOPS[reason]
    elif reason in _REFUSALS:
        draft.stop = "refusal"
    else:
        draft.fault = f"it stopped with {reason}"


def open_provider(endpoint: Endpoint, gate: Gate) -> Provider:
    """Gemini at this endpoint."""
    return Gemini(endpoint, gate)
