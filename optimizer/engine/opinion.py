"""What a small local model says of a request: asked beside the refresh of the index, heard if it is in time."""

from __future__ import annotations

import re
import threading
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.engine import book
from optimizer.engine.request import Request
from optimizer.errors import OptimizerError, ProviderError
from optimizer.events import Booked, Event, Notice
from optimizer.retrieval import Context, Query
from optimizer.types import Completion, Message, Model, Prompt, Task, Usage, UsageRecord

if TYPE_CHECKING:
    from optimizer.engine.services import Router, Services
    from optimizer.models.memory_leases import MemoryClaim
    from optimizer.providers.base import Provider
    from optimizer.routing.classify import Opinion

MOST_TIMES = 4  # as long as its time: connecting, loading, the first word and the answer have that each
LONGEST = 1500  # characters of a request, and of what was piped in, that are shown
_SAID = re.compile(r"\b([a-z]+)(?:\W+(0(?:\.\d+)?|1(?:\.0+)?)\b)?", re.IGNORECASE)


@dataclass(slots=True)
class Asked:
    """A small model that is being asked; the thread that asks it sets what comes after `thread`.

    `crowded` names the models beside which it has no room in memory, `sent` tells that a request went out.
    """

    model: Model
    prompt: Prompt
    begun: float
    seconds: float
    thread: threading.Thread | None = None
    crowded: tuple[str, ...] = ()
    sent: bool = False
    answer: Completion | None = None
    error: OptimizerError | None = None
    heard: list[str] = field(default_factory=list)


def begin(query: Query, services: Services) -> Asked | None:
    """Begin to ask the model of `local.router`; None where there is none."""
    if not services.workspace.settings.local_router:
        return None
    router = services.models.router()
    if router is None:
        return None
    asked = Asked(router.model, _prompt(query), perf_counter(), services.workspace.settings.local_router_seconds)
    claim = services.calls.claim(router.model, asked.prompt.tokens + asked.prompt.max_output)
    asked.thread = threading.Thread(target=_ask, args=(asked, router, claim), daemon=True)
    asked.thread.start()
    return asked


def end(asked: Asked, request: str, services: Services) -> Generator[Event, None, Opinion | None]:
    """What the model said, waited for no longer than its time; None where words are to decide. A call that was made is
    booked for `request`.

    Raises StorageError.
    """
    if asked.thread is not None:
        asked.thread.join(max(0.0, asked.begun + asked.seconds - perf_counter()))
    asked = replace(asked)  # as it is now: a late answer changes nothing any more
    opinion = read(asked.answer.text, asked.model.id) if asked.answer else None
    if asked.sent:
        yield Booked(_booked(asked, request, services))
    if asked.answer:
        services.calls.ledger().settle(request, "accepted" if opinion else "unusable")
    if opinion is None:
        yield Notice(f"{asked.model.id} (local.router): {_why(asked)}; words decide")
    return opinion


def _why(asked: Asked) -> str:
    """Why there is no opinion."""
    if asked.crowded:
        return f"not asked, as there is no room in memory beside {' and '.join(asked.crowded)}"
    if asked.error:
        return asked.error.message
    return "it named no kind of work" if asked.answer else f"no answer in {asked.seconds:g} s"


def _booked(asked: Asked, request: str, services: Services) -> UsageRecord:
    answer, error = asked.answer, asked.error
    if answer:
        spent = book.Spent(answer.usage, answer.seconds, "answered", answer.model_served)
    elif error:
        usage = error.usage if isinstance(error, ProviderError) else None
        spent = book.Spent(usage or Usage(), perf_counter() - asked.begun, "provider-error")
    else:
        spent = book.Spent(book.guess(asked.prompt, asked.heard), asked.seconds, "cancelled")
    task = Task("sorting", 0.0, (), False, asked.prompt.tokens, asked.prompt.max_output)
    booked = Request(request, Query(""), Context("", 0, (), ()), task)
    return book.book(booked, asked.model, spent, services)


def read(text: str, name: str) -> Opinion | None:
    """The opinion in an answer, `KIND DIFFICULTY`; None where it names no kind."""
    from optimizer.routing.classify import KINDS, Opinion

    kinds = {str(kind): kind for kind in KINDS}
    for found in _SAID.finditer(text[:200]):
        if kind := kinds.get(found[1].lower()):
            return Opinion(kind, f"{name} takes it for {kind}", float(found[2]) if found[2] else None)
    return None


def _prompt(query: Query) -> Prompt:
    from optimizer.context import budget
    from optimizer.routing.classify import KINDS

    system = (
        "You sort requests to a programming tool. Answer with one word and one number, nothing else: the kind of work "
        f"({', '.join(KINDS)}) and how hard it is, from 0.0 to 1.0. Example: edit 0.3"
    )
    text = f"Request: {query.text[:LONGEST]}"
    if query.extra:
        text = f"Piped in: {query.extra[:LONGEST]}\n\n{text}"
    tokens = budget.count_tokens(system) + budget.count_tokens(text)
    return Prompt(system, (Message("user", text),), (), max_output=16, tokens=tokens, temperature=0.0)


def _ask(asked: Asked, router: Router, claim: MemoryClaim) -> None:
    """Take room in memory where there is some at once, ask, and give the room back; nothing is pushed out for this."""
    try:
        memory = router.memory()
        try:
            grant = memory.acquire_now(claim, MOST_TIMES * asked.seconds, router.beside())
            if grant.granted:
                _listen(asked, router.open())
            else:
                asked.crowded = grant.others
        finally:
            memory.close()
    except OptimizerError as error:
        asked.error = error


def _listen(asked: Asked, provider: Provider) -> None:
    try:
        asked.sent = perf_counter() < asked.begun + asked.seconds
        for piece in provider.stream(asked.model, asked.prompt) if asked.sent else ():
            if isinstance(piece, Completion):
                asked.answer = piece
            else:
                asked.heard.append(piece)
    finally:
        provider.close()
