"""Groq."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.providers import chat
from optimizer.providers.base import MISSHAPEN, Draft, Endpoint, Provider, ask, converse
from optimizer.providers.door import Door, Gate
from optimizer.types import Completion, Model, Prompt


class Groq:
    """Groq's endpoint."""

    def __init__(self, endpoint: Endpoint, gate: Gate) -> None:
        import groq

        self.endpoint = endpoint
        self.door = Door("httpx", gate, endpoint)
        self.client = groq.Groq(
            api_key=endpoint.key, base_url=endpoint.base_url, max_retries=0, http_client=self.door.client
        )
        self.errors = (groq.GroqError, self.door.lib.HTTPError, *MISSHAPEN)

    def stream(self, model: Model, prompt: Prompt) -> Iterator[str | Completion]:
        wanted = chat.request(model, prompt, "max_completion_tokens")

        def read(draft: Draft) -> Iterator[str]:
            yield from chat.read(self.client.chat.completions.create(**wanted), draft, self.door)

        return converse(self.endpoint, (model, prompt), self.door, read, self.errors)

    def models(self) -> tuple[str, ...]:
        return ask(self.endpoint, lambda: tuple(one.id for one in self.client.models.list().data), self.errors)

    def close(self) -> None:
        self.door.close()


def open_provider(endpoint: Endpoint, gate: Gate) -> Provider:
    """Groq at this endpoint."""
    return Groq(endpoint, gate)
