"""One call of one model, streamed, and booked however it ends; every call of a provider is made here."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.engine import book
from optimizer.errors import ProviderError
from optimizer.events import Booked, Event, TextDelta
from optimizer.types import Completion, Model, Prompt, Usage

if TYPE_CHECKING:
    from optimizer.engine.parts import Parts
    from optimizer.engine.request import Request


@dataclass(frozen=True, slots=True)
class Answered:
    """What a call gave: a completion, or None and why the provider failed; `cost` in micro-dollars, None: unknown."""

    completion: Completion | None
    cost: int | None
    failure: str = ""


def ask(request: Request, model: Model, prompt: Prompt, parts: Parts) -> Generator[Event, None, Answered]:
    """Ask `model` once; raises what ends a run at once: missing consent, a secret in the payload, a broken store."""
    started = perf_counter()
    heard: list[str] = []
    try:
        completion = yield from _listen(model, prompt, heard, parts)
    except ProviderError as error:
        spent = book.Spent(error.usage or Usage(), perf_counter() - started, "provider-error")
        record = book.book(request, model, spent, parts)
        yield Booked(record)
        return Answered(None, record.cost, error.message + (f" ({error.hint})" if error.hint else ""))
    except (GeneratorExit, KeyboardInterrupt):
        spent = book.Spent(book.guess(prompt, heard), perf_counter() - started, "cancelled")
        book.book(request, model, spent, parts)
        raise
    spent = book.Spent(completion.usage, completion.seconds, "answered", completion.model_served)
    record = book.book(request, model, spent, parts)
    yield Booked(record)
    return Answered(completion, record.cost)


def _listen(model: Model, prompt: Prompt, heard: list[str], parts: Parts) -> Generator[Event, None, Completion]:
    provider = parts.provider(model)
    try:
        for piece in provider.stream(model, prompt):
            if isinstance(piece, Completion):
                return piece
            heard.append(piece)
            yield TextDelta(piece)
    finally:
        provider.close()
    raise ProviderError(f"{model.provider} ended its stream without an answer")
