"""The kind of work a request is, by a small local model: asked while the index is refreshed, used if in time."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.calls import admission
from optimizer.calls import call as calls
from optimizer.calls.record import CallResult
from optimizer.calls.services import Purpose
from optimizer.errors import OptimizerError, ProviderError
from optimizer.events import Flow, Notice, Recorded
from optimizer.reasons import NoOpinion
from optimizer.report import progress
from optimizer.retrieval import Query
from optimizer.types import Completion, Message, Prompt, Usage

if TYPE_CHECKING:
    from optimizer.calls.services import CallServices
    from optimizer.engine.services import Router, Services
    from optimizer.models.memory_leases import MemoryClaim
    from optimizer.providers.base import Provider
    from optimizer.routing.classify import Opinion

MOST_TIMES = 4  # connecting, loading, the first word and the answer may each take its time
LONGEST = 1500  # characters of a request, and of what was piped in, that are shown
_ANSWER = re.compile(r"\b([a-z]+)(?:\W+(0(?:\.\d+)?|1(?:\.0+)?)\b)?", re.IGNORECASE)


@dataclass(slots=True)
class PendingOpinion:
    """A small model that is being asked; the thread that asks it sets what comes after `thread`.

    `crowded` names the models that leave no memory for it, `sent`: a request went out.
    """

    purpose: Purpose
    admitted: admission.Admitted
    begun: float
    seconds: float
    thread: threading.Thread | None = None
    crowded: tuple[str, ...] = ()
    sent: bool = False
    answer: Completion | None = None
    error: OptimizerError | None = None
    heard: list[str] = field(default_factory=list)


def begin(query: Query, request: str, services: Services) -> Flow[PendingOpinion | None]:
    """Ask the model of `local.router` in a thread; None where there is none, or where it may not be asked."""
    settings = services.workspace.settings
    router = services.models.router() if settings.local_router else None
    if router is None:
        if settings.local_router:
            yield Notice(progress.no_router(), "no-router")
        return None
    begun = perf_counter()
    at_once = services.calls._replace(settings=replace(settings, limit_wait=0.0))
    admitted = yield from admission.admit(request, router.model, _prompt(query), at_once)
    if not isinstance(admitted, admission.Admitted):
        yield Notice(progress.no_opinion(router.model.id, NoOpinion("failed", admitted.message)), "no-opinion")
        return None
    asked = PendingOpinion(Purpose(request, "sorting"), admitted, begun, settings.local_router_seconds)
    claim = services.calls.claim(router.model, admitted.prompt.tokens + admitted.prompt.max_output)
    asked.thread = threading.Thread(target=_ask, args=(asked, router, claim), daemon=True)
    asked.thread.start()
    return asked


def end(asked: PendingOpinion, services: CallServices) -> Flow[Opinion | None]:
    """The answer of the model, if it comes in time; None: keyword rules decide. The call is recorded.

    Raises StorageError.
    """
    if asked.thread is not None:
        asked.thread.join(max(0.0, asked.begun + asked.seconds - perf_counter()))
    asked = replace(asked)  # as it is now: a late answer changes nothing any more
    model = asked.admitted.candidate.model
    opinion = read(asked.answer.text, model.id) if asked.answer else None
    yield from _recorded(asked, services)
    if asked.answer:
        services.ledger().settle(asked.purpose.request, "accepted" if opinion else "unusable")
    if opinion is None:
        yield Notice(progress.no_opinion(model.id, _why(asked)), "no-opinion")
    return opinion


def drop(asked: PendingOpinion, services: CallServices) -> None:
    """Close a call whose answer is not wanted; one that was sent is recorded as cancelled. Raises StorageError."""
    if asked.sent:
        usage = calls.guess(asked.admitted.prompt, asked.heard)
        spent = CallResult(usage, perf_counter() - asked.begun, "cancelled")
        calls.finish(asked.purpose, asked.admitted, spent, services)
    else:
        admission.failed(asked.admitted, None, services)


def _recorded(asked: PendingOpinion, services: CallServices) -> Flow[None]:
    """Record the call, if one was made, and close its admission."""
    result = asked.answer or asked.error
    if not asked.sent:
        admission.failed(asked.admitted, None, services)
    elif isinstance(result, Completion | ProviderError):
        yield from calls.closed(asked.purpose, asked.admitted, result, perf_counter() - asked.begun, services)
    else:
        usage = Usage() if asked.error else calls.guess(asked.admitted.prompt, asked.heard)
        spent = CallResult(usage, asked.seconds, "provider-error" if asked.error else "cancelled")
        yield Recorded(calls.finish(asked.purpose, asked.admitted, spent, services))


def _why(asked: PendingOpinion) -> NoOpinion:
    """Why there is no opinion."""
    if asked.crowded:
        return NoOpinion("no_memory", others=asked.crowded)
    if asked.error:
        return NoOpinion("failed", asked.error.message)
    return NoOpinion("no_kind") if asked.answer else NoOpinion("late", seconds=asked.seconds)


def read(text: str, name: str) -> Opinion | None:
    """The opinion in an answer, `KIND DIFFICULTY`; None where it names no kind."""
    from optimizer.routing.classify import KINDS, Opinion

    kinds = {str(kind): kind for kind in KINDS}
    for found in _ANSWER.finditer(text[:200]):
        if kind := kinds.get(found[1].lower()):
            return Opinion(kind, name, float(found[2]) if found[2] else None)
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


def _ask(asked: PendingOpinion, router: Router, claim: MemoryClaim) -> None:
    """Ask if there is free memory now, and release it afterwards; no other model is unloaded for this."""
    try:
        memory = router.memory()
        try:
            grant = memory.acquire_now(claim, MOST_TIMES * asked.seconds, router.loaded())
            if grant.granted:
                _listen(asked, router.open())
            else:
                asked.crowded = grant.others
        finally:
            memory.close()
    except OptimizerError as error:
        asked.error = error


def _listen(asked: PendingOpinion, provider: Provider) -> None:
    try:
        asked.sent = perf_counter() < asked.begun + asked.seconds
        for piece in provider.stream(asked.admitted.candidate.model, asked.admitted.prompt) if asked.sent else ():
            if isinstance(piece, Completion):
                asked.answer = piece
            elif isinstance(piece, str):
                asked.heard.append(piece)
    finally:
        provider.close()
