"""One call of one model, streamed, and booked however it ends; every call of a provider is made here."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.engine import admit, book, room
from optimizer.errors import BadAnswer, NoConnection, NoProvider, PromptTooLong, ProviderError
from optimizer.events import Booked, Event, Notice, TextDelta
from optimizer.types import Completion, Model, Prompt, Usage

if TYPE_CHECKING:
    from optimizer.engine.request import Request
    from optimizer.engine.services import Services


@dataclass(frozen=True, slots=True)
class Answered:
    """What a call gave: a completion, or None and why the provider failed; `cost` in micro-dollars, None: unknown.

    `exit_code` is what a run that ends with this failure ends with; `too_long` tells that a shorter prompt may do,
    `useless` that an answer came of which nothing can be used,
    `absent` that none of the provider's models can be asked.
    """

    completion: Completion | None
    cost: int | None
    failure: str = ""
    exit_code: int = NoProvider.exit_code
    too_long: bool = False
    useless: bool = False
    absent: bool = False


def ask(request: Request, model: Model, prompt: Prompt, services: Services) -> Generator[Event, None, Answered]:
    """Ask `model`, once more when a limit or an overload passes soon; all calls are booked.

    Raises what ends a run at once: missing consent, a secret in the payload, a broken store.
    """
    cost: int | None = 0
    retries = 0
    if crowded := (yield from room.sit(model, prompt, services)):
        return Answered(None, cost, crowded)
    while True:
        permit = yield from admit.enter(request, model, prompt, services, retries)
        if isinstance(permit, admit.Refusal):
            return Answered(None, cost, permit.why, permit.exit_code)
        done = yield from _call(request, permit, services)
        cost = book.added(cost, done.cost)
        if done.error is None:
            return Answered(done.completion, cost)
        if not admit.worth_another(done.error, retries, services):
            too_long = isinstance(done.error, PromptTooLong)
            useless = isinstance(done.error, BadAnswer)
            absent = isinstance(done.error, NoConnection)
            return Answered(None, cost, _said(done.error), done.error.exit_code, too_long, useless, absent)
        retries += 1
        yield Notice(f"{model.id}: {done.error.message}; asking again")


@dataclass(frozen=True, slots=True)
class _Done:
    """How one call ended, and what it cost."""

    completion: Completion | None
    error: ProviderError | None
    cost: int | None


def _call(request: Request, permit: admit.Permit, services: Services) -> Generator[Event, None, _Done]:
    model, prompt = permit.candidate.model, permit.prompt
    started = perf_counter()
    heard: list[str] = []
    try:
        completion = yield from _listen(request, permit, heard, services)
    except ProviderError as error:
        spent = book.Spent(error.usage or Usage(), perf_counter() - started, "provider-error")
        record = book.book(request, model, spent, services)
        admit.failed(permit, error, services)
        yield Booked(record)
        return _Done(None, error, record.cost)
    except BaseException as error:
        if isinstance(error, GeneratorExit | KeyboardInterrupt):
            spent = book.Spent(book.guess(prompt, heard), perf_counter() - started, "cancelled")
            book.book(request, model, spent, services)
        admit.failed(permit, None, services)
        raise
    spent = book.Spent(completion.usage, completion.seconds, "answered", completion.model_served)
    record = book.book(request, model, spent, services)
    yield from admit.answered(permit, completion, services)
    yield Booked(record)
    yield from admit.warnings(request, permit, services)
    return _Done(completion, None, record.cost)


def _said(error: ProviderError) -> str:
    return error.message + (f" ({error.hint})" if error.hint else "")


def _listen(
    request: Request, permit: admit.Permit, heard: list[str], services: Services
) -> Generator[Event, None, Completion]:
    model = permit.candidate.model
    provider = services.calls.provider(model, request.task.kind, admit.heard(permit, services))
    try:
        for piece in provider.stream(model, permit.prompt):
            if isinstance(piece, Completion):
                return piece
            heard.append(piece)
            yield TextDelta(piece)
    finally:
        provider.close()
    raise ProviderError(f"{model.provider} ended its stream without an answer")
