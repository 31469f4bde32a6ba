"""Ask one who plays a role beside the model that answers a request: the planner, the critic, the summariser."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optimizer.engine import ask, book, climb, decide, room
from optimizer.errors import ConsentMissing, SafetyRefused, SecretFound
from optimizer.events import Event, Finished, Notice, TextDelta

if TYPE_CHECKING:
    from optimizer.agent.prompts import Ask
    from optimizer.engine.request import Request
    from optimizer.engine.services import Services
    from optimizer.models.available import Available
    from optimizer.types import Attempt, Model, Prompt, Route

REFUSED = (ConsentMissing, SecretFound, SafetyRefused)


@dataclass(frozen=True, slots=True)
class Work:
    """What a role is to do: its name as profiles have it, what it is doing as people are told, and its questions.

    The task of `request` says what kind of work it is, and how long an answer is expected; `most` is the most tokens of
    one.
    """

    role: str
    doing: str
    request: Request
    most: int
    asks: tuple[Ask, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """An answer for each question, '' where there is none.

    `by` names the models that gave them; `cost` is micro-dollars of all calls, None when that of one is unknown.
    """

    texts: tuple[str, ...]
    by: str
    cost: int | None


def route(work: Work, available: Available, services: Services, may: Callable[[Model], bool] = lambda _: True) -> Route:
    """Who may be asked, the first first: of the models for which `may` is true, those that fit role and task."""
    held = replace(available, models=tuple(model for model in available.models if may(model)))
    return decide.route(work.request.task, services, held, work.role, work.most)


def ask_role(work: Work, attempts: Sequence[Attempt], services: Services) -> Generator[Event, None, Said]:
    """Ask the first of `attempts` all questions, the next from where one failed; every call is booked and settled.

    Nothing that is said here is a verdict: who cannot be asked, or may not be sent a question, leaves '' behind.
    Raises StorageError.
    """
    waiting, told = list(attempts), ""
    texts: list[str] = []
    by: dict[str, None] = {}
    cost: int | None = 0
    try:
        for question in work.asks:
            text = ""
            while waiting and not text:
                attempt = waiting[0]
                if told != attempt.model.id:
                    told = attempt.model.id
                    yield Notice(f"{work.doing}: {climb.starting(attempt)}")
                try:
                    text, charged = yield from _once(work.request, attempt.model, question, services)
                except REFUSED as error:
                    yield Notice(f"{work.doing}: {error.message}")
                    break
                cost = book.added(cost, charged)
                if text:
                    by[attempt.model.id] = None
                else:
                    waiting.pop(0)
            texts.append(text)
    finally:
        if any(attempt.model.local for attempt in attempts):
            room.leave(services)
    return Said(tuple(texts), " and ".join(by), cost)


def adding(cost: int | None, events: Iterator[Event]) -> Iterator[Event]:
    """The events of a run, its outcome with what a role cost beside it."""
    for event in events:
        if isinstance(event, Finished):
            event = Finished(replace(event.outcome, cost=book.added(cost, event.outcome.cost)))
        yield event


def _once(
    request: Request, model: Model, question: Ask, services: Services
) -> Generator[Event, None, tuple[str, int | None]]:
    """One question to one model: its answer, '' for none, and what it cost."""
    answered = yield from _unheard(ask.ask(request, model, _prompt(question, model), services))
    text = spoken(answered.completion.text) if answered.completion else ""
    if answered.completion:
        services.calls.ledger().settle(request.id, "accepted" if text else "unusable")
    if not text:
        yield Notice(f"{model.id}: {answered.failure or 'its answer is empty'}")
    return text, answered.cost


def spoken(text: str) -> str:
    """An answer without the thinking before it; '' when it ends while still thinking."""
    rest = text.rpartition("</think>")[2].strip()
    return "" if rest.startswith("<think>") else rest


def _prompt(question: Ask, model: Model) -> Prompt:
    from optimizer.agent import prompts

    return prompts.build(question, model)


def _unheard(events: Generator[Event, None, ask.Answered]) -> Generator[Event, None, ask.Answered]:
    """The events of a call without the pieces of its answer, which is no answer to the request."""
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            answered: ask.Answered = end.value
            return answered
        if not isinstance(event, TextDelta):
            yield event
