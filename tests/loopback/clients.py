"""Providers pointed at the loopback server, with a model and a prompt to ask them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from optimizer.errors import ProviderError
from optimizer.events import Unseen
from optimizer.privacy import consent
from optimizer.providers import base, endpoints
from optimizer.providers.base import Provider
from optimizer.providers.door import ExchangeLimits, Gate
from optimizer.types import Completion, Message, Model, Prompt, ToolSpec
from tests.loopback.replies import Reply, Wire
from tests.loopback.server import Loopback

KEY = "k3y-" + "c4nary-" + "0123456789"
QUICK = ExchangeLimits(connect=1.0, first=1.0, stall=0.3, answer=1.0, load=1.0)
EDIT = ToolSpec("edit_file", "Edit a file.", {"type": "object", "properties": {"path": {"type": "string"}}})


def a_model(wire: Wire, *, window: int = 32768, parameters: frozenset[str] = frozenset({"temperature"})) -> Model:
    """A model of this provider that can call tools."""
    return Model(
        id="stub-1",
        provider=wire,
        tier="local" if wire == "ollama" else "budget",
        window=window,
        max_output=8192,
        tools=True,
        edit_format="tool",
        parameters=parameters,
        licence="",
        label="Stub",
    )


def a_prompt(text: str = "hello", *, tokens: int = 1000, max_output: int = 500, system: str = "Be brief.") -> Prompt:
    """A prompt with one message and one tool."""
    return Prompt(system, (Message("user", text),), (EDIT,), max_output, tokens, 0.2)


def connect(
    loopback: Loopback, wire: Wire, state: Path, *, consented: bool = True, limits: ExchangeLimits = QUICK
) -> Provider:
    """A provider that asks the server with the canary key, on behalf of the repository /repo."""
    endpoint = endpoints.endpoint(wire, loopback.url, KEY)
    if consented:
        consent.grant(state, "/repo", wire, endpoint.host)
    return base.open_provider(endpoint, Gate("/repo", state, limits))


@dataclass
class Heard:
    """How one call ended."""

    pieces: list[str] = field(default_factory=list)
    unseen: int = 0
    completion: Completion | None = None
    error: ProviderError | None = None


def hear(loopback: Loopback, wire: Wire, provider: Provider, reply: Reply, prompt: Prompt | None = None) -> Heard:
    """Queue a reply, ask once and collect what came."""
    loopback.queue(wire, reply)
    heard = Heard()
    try:
        for item in provider.stream(a_model(wire), prompt or a_prompt()):
            if isinstance(item, Completion):
                heard.completion = item
            elif isinstance(item, Unseen):
                heard.unseen += item.characters
            else:
                heard.pieces.append(item)
    except ProviderError as error:
        heard.error = error
    return heard
