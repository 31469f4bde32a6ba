"""Ollama, through its own interface: it lets us set the window, notice a cut prompt, and manage models."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from optimizer import vendors
from optimizer.errors import BadAnswer, ModelMissing, Overloaded, PromptTooLong, ProviderError
from optimizer.events import Unseen
from optimizer.images import tokens
from optimizer.providers import chat, failures
from optimizer.providers.base import (
    MISSHAPEN,
    Draft,
    Provider,
    ServedModel,
    ask,
    converse,
    count,
    loading,
    output_cap,
    sampling,
)
from optimizer.providers.door import Door, Gate
from optimizer.providers.endpoints import Endpoint
from optimizer.types import Completion, Model, Prompt, Usage

T = TypeVar("T")
PULL_BYTES = 1_000_000_000  # of progress lines, not of the model
PULL_SECONDS = 7 * 86_400.0
PULL_SILENCE = 900.0  # a large layer is checked in silence
_GONE = ("file does not exist", "not found", "no such model", "invalid model name")
_FULL = ("no space left", "disk full", "not enough space")
SMALLEST_WINDOW = 4096
TEMPLATE_TOKENS = 256
SURE_FROM = 512


class Ollama:
    """An Ollama server."""

    def __init__(self, endpoint: Endpoint, gate: Gate) -> None:
        client, types = _sdk()
        self.endpoint = endpoint
        self.context_size, self.keep_alive = gate.limits.context_size, gate.limits.keep_alive
        self.door = Door("httpx", gate, endpoint)
        headers = {"authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        self.client = client.Client(
            endpoint.base_url, headers=headers, transport=self.door, trust_env=False, follow_redirects=False
        )
        self.errors = (types.ResponseError, types.RequestError, ConnectionError, self.door.lib.HTTPError, *MISSHAPEN)

    def stream(self, model: Model, prompt: Prompt) -> Iterator[str | Unseen | Completion]:
        def read(draft: Draft) -> Iterator[str | Unseen]:
            window = window_for(model, prompt, self.context_size)
            if model.resident and not self.context_size:
                window = self._in_force(model, window)
            for part in self.client.chat(**_request(model, prompt, window, self.keep_alive)):
                yield from _take(part, draft)
            _check_whole(draft, prompt, window)

        return converse(self.endpoint, (model, prompt), self.door, read, self.errors)

    def _in_force(self, model: Model, window: int) -> int:
        """The window that a loaded model has where it is large enough: a smaller one would load it again."""
        loaded = next((one for one in self.client.ps().models if one.model == model.id), None)
        there = count(loaded.context_length) if loaded else 0
        return there if window <= there <= (model.window or there) else window

    def models(self) -> tuple[ServedModel, ...]:
        listed = ask(self.endpoint, lambda: self.client.list().models, self.errors)
        return tuple(ServedModel(one.model or "") for one in listed)

    def close(self) -> None:
        self.door.close()


def _sdk() -> tuple[Any, Any]:
    """The SDK's clients and types, without its package: that makes a client that fails for odd proxies of others."""
    given = sys.modules.get("ollama")
    if given is None:
        spec = importlib.util.find_spec("ollama")
        assert spec
        sys.modules["ollama"] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module("ollama._client"), importlib.import_module("ollama._types")
    finally:
        if given is None:
            del sys.modules["ollama"]  # a program that uses the SDK itself gets the whole of it


def window_for(model: Model, prompt: Prompt, asked: int) -> int:
    """The window to ask for, in tokens: one of a few sizes, since each change makes the server load the model again.

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


def _request(model: Model, prompt: Prompt, window: int, keep_alive: str) -> dict[str, Any]:
    options: dict[str, Any] = {"num_ctx": window, "num_predict": output_cap(model, prompt)}
    wanted: dict[str, Any] = {
        "model": model.id,
        "messages": _turns(prompt),
        "options": options | sampling(model, prompt),
        "stream": True,
    }
    if keep_alive:
        wanted["keep_alive"] = int(keep_alive) if keep_alive in ("0", "-1") else keep_alive
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


def _take(part: Any, draft: Draft) -> Iterator[str | Unseen]:
    draft.served = part.model or draft.served
    message = part.message
    for call in message.tool_calls or ():
        arguments = json.dumps(dict(call.function.arguments))
        draft.add_call(len(draft.calls), call.function.name, arguments)
        yield Unseen(len(arguments))
    if message.thinking:
        yield Unseen(len(message.thinking))
    if message.content:
        yield message.content
    if part.done:
        draft.ended = True
        draft.stop = "length" if part.done_reason == "length" else "end"
        if part.prompt_eval_count is not None and part.eval_count is not None:
            draft.set_usage(Usage(input=count(part.prompt_eval_count), output=count(part.eval_count)), final=True)


def _check_whole(draft: Draft, prompt: Prompt, window: int) -> None:
    """Raise when the server's own count says that it read less than was sent: it drops the front and answers 200.

    A count that fills the window, or is under half of a sizable estimate, is not an error of the estimate. The latter
    leaves out images: some models count one as a single token.
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


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model on the server's disk: bytes, and how the server names family, parameter count and quantisation.

    `remote` is the host that runs it where the server does not do so itself.
    """

    id: str
    size: int = 0
    family: str = ""
    parameters: str = ""
    quantisation: str = ""
    remote: str = ""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded model: bytes in all and on the GPU, the window in force, and when it goes (ISO 8601, '' unknown)."""

    id: str
    size: int = 0
    vram: int = 0
    window: int = 0
    until: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What the server says of one model; `window` is the largest it was made for, 0 when it does not say."""

    id: str
    family: str = ""
    parameters: str = ""
    quantisation: str = ""
    capabilities: tuple[str, ...] = ()
    window: int = 0
    licence: str = ""


@dataclass(frozen=True, slots=True)
class PullStep:
    """How far a pull is: what the server does, and bytes of all layers known so far."""

    status: str
    done: int = 0
    total: int = 0


class OllamaShelf:
    """A connection to an Ollama server that manages its models. Close it after use."""

    def __init__(self, endpoint: Endpoint, gate: Gate) -> None:
        self.endpoint = endpoint
        self.door = Door("httpx", gate, endpoint)
        if endpoint.key:
            self.door.client.headers["authorization"] = f"Bearer {endpoint.key}"

    def __enter__(self) -> OllamaShelf:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.door.close()

    def held(self) -> tuple[StoredModel, ...]:
        """The models on the server's disk. Raises the tree of ProviderError, as all of these do, and ConsentMissing."""
        return self._read("GET", "/api/tags", None, lambda data: tuple(_held(one) for one in data["models"]))

    def running(self) -> tuple[LoadedModel, ...]:
        """The models that are loaded."""
        return self._read("GET", "/api/ps", None, lambda data: tuple(_running(one) for one in data["models"]))

    def card(self, name: str) -> Card:
        """What the server says of one model; raises ModelMissing when it does not hold it."""
        return self._read("POST", "/api/show", {"model": name}, lambda data: _card(name, data))

    def remove(self, name: str) -> None:
        """Delete a model from the server's disk; raises ModelMissing when it does not hold it."""
        self._read("DELETE", "/api/delete", {"model": name}, lambda _: None)

    def unload(self, name: str) -> None:
        """Take a model out of the server's memory, once it has answered what it was asked."""
        self._read("POST", "/api/generate", {"model": name, "keep_alive": 0}, lambda _: None)

    def pull(self, name: str) -> Iterator[PullStep]:
        """Fetch a model; closing the iterator hangs up, and a later pull resumes.

        Raises ModelMissing for a name that the library does not know.
        """
        sizes: dict[str, tuple[int, int]] = {}
        ended = False
        try:
            with self.door.client.stream("POST", self._url("/api/pull"), json={"model": name}) as response:
                for line in response.iter_lines():
                    step = self._step(name, line, sizes) if line.strip() else None
                    if step:
                        ended = step.status == "success"
                        yield step
        except Overloaded as error:  # some versions answer with the status instead of the first line
            raise self._refused(name, error.message) from None
        except self.door.lib.HTTPError as error:
            raise failures.from_sdk(self.endpoint.provider, self.endpoint.key, error) from None
        finally:
            self.door.hang_up()
        if not ended:
            raise BadAnswer(f"the pull of {name} broke off", "run it again: it resumes where it stopped")

    def _step(self, name: str, line: str, sizes: dict[str, tuple[int, int]]) -> PullStep:
        try:
            data = json.loads(line)
            if error := data.get("error"):
                raise self._refused(name, str(error))
            if data.get("digest") and data.get("total"):
                sizes[str(data["digest"])] = (int(data.get("completed") or 0), int(data["total"]))
            done, total = (sum(pair[at] for pair in sizes.values()) for at in (0, 1))
            return PullStep(str(data.get("status", "")), done, total)
        except MISSHAPEN:
            raise BadAnswer("ollama sent progress that cannot be read", "run it again: it resumes") from None

    def _refused(self, name: str, text: str) -> ProviderError:
        line = f"ollama cannot pull {name}: {failures.redact(text, self.endpoint.key)}"
        low = text.lower()
        if any(mark in low for mark in _GONE):
            return ModelMissing(line, "look the name up at ollama.com/library")
        if any(mark in low for mark in _FULL):
            return ProviderError(line, "free some space, or remove a model: optimize models rm NAME")
        return ProviderError(line, "check the network of the machine that Ollama runs on, and run it again: it resumes")

    def _read(self, method: str, path: str, body: Mapping[str, Any] | None, read: Callable[[Any], T]) -> T:
        try:
            response = self.door.client.request(method, self._url(path), **({"json": body} if body else {}))
            return read(response.json() if response.content.strip() else {})
        except (self.door.lib.HTTPError, *MISSHAPEN) as error:
            raise failures.from_sdk(self.endpoint.provider, self.endpoint.key, error) from None
        finally:
            self.door.hang_up()

    def _url(self, path: str) -> str:
        return self.endpoint.base_url + path


def open_shelf(endpoint: Endpoint, gate: Gate, *, pulls: bool = False) -> OllamaShelf:
    """Ollama at this endpoint; with `pulls`, no answer is too long."""
    if pulls:
        limits = replace(gate.limits, answer=PULL_SECONDS, stall=PULL_SILENCE, answer_bytes=PULL_BYTES)
        gate = replace(gate, limits=limits)
    with loading():
        return OllamaShelf(endpoint, gate)


def _held(one: Mapping[str, Any]) -> StoredModel:
    family, parameters, quantisation = _details(one)
    name, size = str(one.get("model") or one["name"]), int(one.get("size") or 0)
    there = str(one.get("remote_host") or "")
    host = urlsplit(there if "://" in there else f"//{there}").hostname or ""
    if one.get("remote_model"):
        host = host or vendors.REMOTE_HOST
    return StoredModel(name, size, family, parameters, quantisation, host)


def _running(one: Mapping[str, Any]) -> LoadedModel:
    return LoadedModel(
        str(one.get("model") or one["name"]),
        int(one.get("size") or 0),
        int(one.get("size_vram") or 0),
        int(one.get("context_length") or 0),
        str(one.get("expires_at") or ""),
    )


def _card(name: str, data: Mapping[str, Any]) -> Card:
    family, parameters, quantisation = _details(data)
    info = data.get("model_info") or {}
    windows = [int(value) for key, value in info.items() if key.endswith(".context_length")]
    licence = str(data.get("license") or info.get("general.license") or "").strip()
    return Card(
        name,
        family,
        parameters,
        quantisation,
        tuple(map(str, data.get("capabilities") or ())),
        max(windows, default=0),
        licence.split("\n")[0].strip()[:100],
    )


def _details(one: Mapping[str, Any]) -> tuple[str, str, str]:
    details = one.get("details") or {}
    found = [str(details.get(name) or "") for name in ("family", "parameter_size", "quantization_level")]
    return found[0], found[1], found[2]
