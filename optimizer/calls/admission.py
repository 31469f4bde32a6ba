"""Admission of one call of a model: health, quotas and caps on money are asked before it, and updated after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optimizer.config.options import longest as most
from optimizer.errors import BudgetReached, ModelMissing, NoProvider, NoRoom, Overloaded, ProviderError, RateLimited
from optimizer.events import CallCostQuestion, Flow, Notice
from optimizer.report import progress, reasons
from optimizer.types import Completion, Model, Prompt, Usage

if TYPE_CHECKING:
    from optimizer.calls.services import CallServices
    from optimizer.ledger.caps import Money
    from optimizer.models.state_store import Admission, Bid
    from optimizer.providers.quotas import Exchange
    from optimizer.routing.score import Candidate

MOST_RETRIES = 2
LEAST_ANSWER = 256
SHORTEST_NAP, NAP = 0.05, 1.0  # seconds between two looks at the queue


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that may be made with `prompt`, whose answer budget may have been reduced to fit a quota."""

    ticket: int
    prompt: Prompt
    candidate: Candidate
    money: Money  # as it was before the call


def admit(
    request: str, model: Model, prompt: Prompt, services: CallServices, retries: int = 0
) -> Flow[Admitted | NoProvider | BudgetReached]:
    """Admit a call of `model`, waiting no longer than `limits.wait_seconds` for its limits; the error where it is not.

    A model that the user named is asked even while it rests, but not repeatedly. Raises StorageError.
    """
    candidate = services.candidate(model)
    purse = _purse(request, services)
    before = purse(0)
    charge = _charge(candidate, prompt, before)
    if before.asks(charge) and (yield CallCostQuestion(model.id, charge)) is not True:
        return BudgetReached(progress.unconfirmed(charge))
    bid = replace(_bid(candidate, prompt, charge), forced=services.named() and not retries)
    admission = yield from _queue(bid, longest(candidate.model, prompt, services), purse, services)
    if admission.granted:
        fitted = prompt if admission.output >= prompt.max_output else prompt._replace(max_output=admission.output)
        if fitted is not prompt:
            yield Notice(progress.shorter_answer(model.id, fitted.max_output), "shorter-answer")
        return Admitted(admission.ticket, fitted, candidate, before)
    if admission.broken:
        money = purse(0)
        cap, used = (money.caps.day, money.day) if admission.broken == "day" else (money.caps.run, money.run)
        return BudgetReached(progress.over_cap(admission.broken, cap or 0, used, charge))
    return NoProvider(f"not asked: {reasons.reason(admission.reason)}")


def listener(admitted: Admitted, services: CallServices) -> Callable[[Exchange], None]:
    """Record the quotas in the headers of the answer to a call."""
    from optimizer.models.state import key

    name = key(admitted.candidate.model)
    return lambda exchange: services.states().record_quotas(name, admitted.ticket, exchange.quotas, exchange.at)


def succeeded(admitted: Admitted, completion: Completion, services: CallServices) -> str:
    """Close a call that was answered; returns a line to show if the model is healthy again. Raises StorageError."""
    from optimizer.models.state import key

    name, usage, states = key(admitted.candidate.model), completion.usage, services.states()
    failures = states.record_success(name, admitted.ticket, completion.seconds)
    measured(admitted, (usage, completion.waited, completion.seconds), services)
    lifetime, cached = admitted.candidate.traits.cache_seconds, usage.cache_read + usage.cache_write_5m
    if lifetime and cached:
        states.record_cached(name, services.repository, cached, lifetime)
    return progress.healthy_again(name, failures) if failures else ""


def measured(admitted: Admitted, call: tuple[Usage, float, float], services: CallServices) -> None:
    """Record how fast a server of this machine was: tokens, seconds until the answer began, and in all."""
    from optimizer.models.state import key

    usage, waited, seconds = call
    if admitted.candidate.model.local and waited:
        read, written = (usage.input, waited), (usage.output, seconds - waited)
        services.states().record_pace(key(admitted.candidate.model), read, written)


def failed(admitted: Admitted, error: ProviderError | None, services: CallServices) -> None:
    """Close a call that failed; None for one that was broken off. Raises StorageError.

    A model that this machine does not hold may be there a moment later: that is no reason to let it rest.
    """
    from optimizer.models.state import key

    if admitted.candidate.model.local and isinstance(error, ModelMissing):
        error = None
    services.states().record_failure(key(admitted.candidate.model), admitted.ticket, error)


def worth_another(error: ProviderError, retries: int, services: CallServices) -> bool:
    """Whether the same model is asked again: its limit, or its overload, passes soon."""
    if retries >= MOST_RETRIES or isinstance(error, NoRoom) or not isinstance(error, RateLimited | Overloaded):
        return False
    if isinstance(error, Overloaded):
        return retries < 1 and (error.wait or 0.0) <= services.settings.limit_wait
    return error.wait is not None and error.wait <= services.settings.limit_wait


def spent(request: str, services: CallServices) -> Money:
    """What counts against the caps by now. Raises StorageError."""
    return _purse(request, services)(0)


def warnings(admitted: Admitted, after: Money) -> list[str]:
    """A line for each cap that this call took past the share at which the user is warned."""
    from optimizer.ledger.caps import WARN_AT, crossed

    before = admitted.money
    caps = (("day", before.caps.day, before.day, after.day), ("run", before.caps.run, before.run, after.run))
    return [
        progress.cap_warning(name, WARN_AT, now, cap)
        for name, cap, was, now in caps
        if cap is not None and crossed(was, now, cap)
    ]


def _purse(request: str, services: CallServices) -> Callable[[int], Money]:
    """What is spent whenever it is called, with what is pending elsewhere."""
    from optimizer.ledger import caps

    limits = caps.caps_from(services.settings)
    return lambda pending: caps.money(services.ledger(), limits, services.clock(), request, pending)


def _charge(candidate: Candidate, prompt: Prompt, money: Money) -> int:
    """Micro-dollars that the call counts at most: nothing read from a cache, and all of the answer budget used.

    From its second call on, a conversation is written to the vendor's cache.
    """
    rate, most = candidate.tariff, None
    if rate:
        reckon = rate.most if len(prompt.messages) > 1 else rate.cost
        most = reckon(prompt.tokens, prompt.max_output)
    return money.charge(most, prompt.tokens + prompt.max_output)


def _bid(candidate: Candidate, prompt: Prompt, charge: int) -> Bid:
    from optimizer.models.state import Need, key
    from optimizer.models.state_store import Bid

    least = min(prompt.max_output, max(LEAST_ANSWER, prompt.max_output // 2))
    need = Need(prompt.tokens, prompt.max_output, least)
    return Bid(key(candidate.model), need, charge, candidate.traits.quotas)


def longest(model: Model, prompt: Prompt, services: CallServices) -> float:
    """Seconds that a call of a model may take. Raises StorageError."""
    from optimizer.models.state import key

    settings = services.settings
    pace = services.states().pace(key(model)) if model.local else None
    reading, writing = (pace.reading(prompt.tokens), pace.writing(prompt.max_output)) if pace else (0.0, 0.0)
    return most(settings, "load_seconds") + reading + max(most(settings, "answer_seconds"), writing)


def _queue(bid: Bid, life: float, purse: Callable[[int], Money], services: CallServices) -> Flow[Admission]:
    """Wait in the queue of a model until the call is granted, or would have to wait too long."""
    states, settings = services.states(), services.settings
    ticket, waited, announced = 0, 0.0, False
    try:
        while True:
            admission = states.admit(bid, ticket, life, lambda pending: purse(pending).broken_by(bid.money))
            if admission.granted:
                ticket = 0
                return admission
            ticket = admission.ticket
            if admission.broken or not admission.wait or waited + admission.wait > settings.limit_wait:
                return admission
            if not announced and admission.wait >= NAP:
                yield Notice(progress.waiting(bid.model, admission.wait, reasons.reason(admission.reason)), "waiting")
                announced = True
            nap = min(max(admission.wait, SHORTEST_NAP), NAP)
            states.sleep(nap)
            waited += nap
    finally:
        if ticket:
            states.drop(ticket)
