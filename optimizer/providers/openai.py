"""OpenAI, and every server that speaks its chat completions: llama.cpp, vLLM, LM Studio, DeepSeek."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.providers import chat
from optimizer.providers.base import MISSHAPEN, Draft, Endpoint, Provider, ask, converse
from optimizer.providers.door import Door, Gate
from optimizer.types import Completion, Model, Prompt

OWN_HOST = "api.openai.com"
DETAIL = "high"  # left out, newer models are charged for every pixel of a picture


class OpenAI:
    """An OpenAI-compatible endpoint."""

    def __init__(self, endpoint: Endpoint, gate: Gate) -> None:
        import openai

        self.endpoint = endpoint
        self.door = Door("httpx2", gate, endpoint)
        self.client = openai.OpenAI(
            api_key=endpoint.key or "none",  # the SDK wants one; the door takes the header off again
            base_url=endpoint.base_url,
            max_retries=0,
            http_client=self.door.client,
        )
        self.errors = (openai.OpenAIError, self.door.lib.HTTPError, *MISSHAPEN)

    def stream(self, model: Model, prompt: Prompt) -> Iterator[str | Completion]:
        own = self.endpoint.host == OWN_HOST
        cap_name, detail = ("max_completion_tokens", DETAIL) if own else ("max_tokens", "")
        wanted = chat.request(model, prompt, cap_name, True, detail) | {"stream_options": {"include_usage": True}}

        def read(draft: Draft) -> Iterator[str]:
            yield from chat.read(self.client.chat.completions.create(**wanted), draft, self.door)

        return converse(self.endpoint, (model, prompt), self.door, read, self.errors)

    def models(self) -> tuple[str, ...]:
        return ask(self.endpoint, lambda: tuple(one.id for one in self.client.models.list()), self.errors)

    def close(self) -> None:
        self.door.close()


def open_provider(endpoint: Endpoint, gate: Gate) -> Provider:
    """OpenAI or a compatible server at this endpoint."""
    return OpenAI(endpoint, gate)
