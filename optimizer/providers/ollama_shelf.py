"""What an Ollama server holds and runs, and how models come and go there: its own interface, through the one door."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from optimizer.errors import BadAnswer, ModelMissing, Overloaded, ProviderError
from optimizer.providers import failures
from optimizer.providers.base import MISSHAPEN, Endpoint
from optimizer.providers.door import Door, Gate
from optimizer.providers.loading import loading

T = TypeVar("T")
PULL_BYTES = 1_000_000_000  # of progress lines, not of the model
PULL_SECONDS = 7 * 86_400.0
PULL_SILENCE = 900.0  # a large layer is checked in silence
_GONE = ("file does not exist", "not found", "no such model", "invalid model name")
_FULL = ("no space left", "disk full", "not enough space")


@dataclass(frozen=True, slots=True)
class Held:
    """A model on the server's disk: bytes, and how the server names family, parameter count and quantisation."""

    id: str
    size: int = 0
    family: str = ""
    parameters: str = ""
    quantisation: str = ""


@dataclass(frozen=True, slots=True)
class Running:
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
class Step:
    """How far a pull is: what the server does, and bytes of all layers known so far."""

    status: str
    done: int = 0
    total: int = 0


class OllamaShelf:
    """A connection to an Ollama server for the care of its models. Close it after use."""

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

    def held(self) -> tuple[Held, ...]:
        """The models on the server's disk. Raises the tree of ProviderError, as all of these do, and ConsentMissing."""
        return self._read("GET", "/api/tags", None, lambda data: tuple(_held(one) for one in data["models"]))

    def running(self) -> tuple[Running, ...]:
        """The models that are loaded."""
        return self._read("GET", "/api/ps", None, lambda data: tuple(_running(one) for one in data["models"]))

    def card(self, name: str) -> Card:
        """What the server says of one model; raises ModelMissing when it does not hold it."""
        return self._read("POST", "/api/show", {"model": name}, lambda data: _card(name, data))

    def remove(self, name: str) -> None:
        """Delete a model from the server's disk; raises ModelMissing when it does not hold it."""
        self._read("DELETE", "/api/delete", {"model": name}, lambda _: None)

    def pull(self, name: str) -> Iterator[Step]:
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
            raise failures.from_sdk("ollama", self.endpoint.key, error) from None
        finally:
            self.door.hang_up()
        if not ended:
            raise BadAnswer(f"the pull of {name} broke off", "run it again: it resumes where it stopped")

    def _step(self, name: str, line: str, sizes: dict[str, tuple[int, int]]) -> Step:
        try:
            data = json.loads(line)
            if error := data.get("error"):
                raise self._refused(name, str(error))
            if data.get("digest") and data.get("total"):
                sizes[str(data["digest"])] = (int(data.get("completed") or 0), int(data["total"]))
            done, total = (sum(pair[at] for pair in sizes.values()) for at in (0, 1))
            return Step(str(data.get("status", "")), done, total)
        except MISSHAPEN:
            raise BadAnswer("ollama sent progress that cannot be read", "run it again: it resumes") from None

    def _refused(self, name: str, said: str) -> ProviderError:
        line = f"ollama cannot pull {name}: {failures.redact(said, self.endpoint.key)}"
        low = said.lower()
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
            raise failures.from_sdk("ollama", self.endpoint.key, error) from None
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


def _held(one: Mapping[str, Any]) -> Held:
    family, parameters, quantisation = _details(one)
    return Held(str(one.get("model") or one["name"]), int(one.get("size") or 0), family, parameters, quantisation)


def _running(one: Mapping[str, Any]) -> Running:
    return Running(
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
