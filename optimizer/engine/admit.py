"""Leave to make one call of a model: its health, its quotas and the caps on money are asked first, and told after."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optimizer.errors import BudgetReached, ModelMissing, NoProvider, NoRoom, Overloaded, ProviderError, RateLimited
from optimizer.events import Event, Notice
from optimizer.humanize import duration
from optimizer.report import reasons
from optimizer.report.money import dollars
from optimizer.types import Completion, Model, Prompt

if TYPE_CHECKING:
    from optimizer.engine.request import Request
    from optimizer.engine.services import Services
    from optimizer.ledger.caps import Money
    from optimizer.models.state_store import Admission, Bid
    from optimizer.providers.quotas import Exchange
    from optimizer.routing.score import Candidate

MOST_RETRIES = 2
LEAST_ANSWER = 256
SHORTEST_NAP, NAP = 0.05, 1.0  # seconds between two looks at the queue


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make a call with `prompt`, whose answer may have been made smaller to fit a quota."""

    ticket: int
    prompt: Prompt
    candidate: Candidate
    money: Money


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not made; nothing was sent."""

    why: str
    exit_code: int


def enter(
    request: Request, model: Model, prompt: Prompt, services: Services, retries: int = 0
) -> Generator[Event, None, Permit | Refusal]:
    """Ask for leave to call `model`, waiting no longer than `limits.wait_seconds` for its limits.

    A model that the user named is asked although it rests, but not over and over. Raises StorageError.
    """
    candidate = services.calls.candidates((model,), services.calls.clock())[0]
    purse = _purse(request.id, services)
    before = purse(0)
    charge = _charge(candidate, prompt, before)
    if before.asks(charge) and not services.calls.approve(f"One call of {model.id} may cost {dollars(charge)}."):
        why = (
            f"not asked: one call may cost {dollars(charge)}, and nobody said yes to that "
            "(--yes does, or: optimize budget set ask off)"
        )
        return Refusal(why, BudgetReached.exit_code)
    named = bool(services.models.pinned() or services.workspace.settings.model)
    bid = replace(_bid(candidate, prompt, charge), forced=named and not retries)
    admission = yield from _queue(bid, purse, services)
    if admission.granted:
        fitted = prompt if admission.output >= prompt.max_output else replace(prompt, max_output=admission.output)
        if fitted is not prompt:
            yield Notice(f"{model.id}: an answer of {fitted.max_output:,} tokens is what its limits leave room for")
        return Permit(admission.ticket, fitted, candidate, purse(0))
    if admission.broken:
        return Refusal(f"not asked: {_cap_text(admission.broken, charge, purse(0))}", BudgetReached.exit_code)
    return Refusal(f"not asked: {reasons.reason(admission.reason)}", NoProvider.exit_code)


def heard(permit: Permit, services: Services) -> Callable[[Exchange], None]:
    """What is told of the headers of the answer to a call."""
    from optimizer.models.state import key

    name = key(permit.candidate.model)
    return lambda exchange: services.calls.states().record_quotas(name, permit.ticket, exchange.quotas, exchange.at)


def answered(permit: Permit, completion: Completion, services: Services) -> Generator[Event, None, None]:
    """Close a call that was answered. Raises StorageError."""
    from optimizer.models.state import key

    name, usage, register = key(permit.candidate.model), completion.usage, services.calls.states()
    failures = register.record_success(name, permit.ticket, completion.seconds)
    lifetime, cached = permit.candidate.traits.cache_seconds, usage.cache_read + usage.cache_write_5m
    if lifetime and cached:
        register.record_cached(name, services.workspace.repository, cached, lifetime)
    if failures:
        yield Notice(f"{name} answers again, after {failures} failures")


def failed(permit: Permit, error: ProviderError | None, services: Services) -> None:
    """Close a call that failed; None for one that was broken off. Raises StorageError.

    A model that this machine does not hold may be there a moment later: that is no reason to let it rest.
    """
    from optimizer.models.state import key

    if permit.candidate.model.local and isinstance(error, ModelMissing):
        error = None
    services.calls.states().record_failure(key(permit.candidate.model), permit.ticket, error)


def worth_another(error: ProviderError, retries: int, services: Services) -> bool:
    """Whether the same model is asked again: its limit, or its overload, passes soon."""
    if retries >= MOST_RETRIES or isinstance(error, NoRoom) or not isinstance(error, RateLimited | Overloaded):
        return False
    if isinstance(error, Overloaded):
        return retries < 1 and (error.wait or 0.0) <= services.workspace.settings.limit_wait
    return error.wait is not None and error.wait <= services.workspace.settings.limit_wait


def warnings(request: Request, permit: Permit, services: Services) -> Generator[Event, None, None]:
    """Tell when a call took a cap past the share at which that is told. Raises StorageError."""
    from optimizer.ledger.caps import TOLD_AT, crossed
    from optimizer.report.money import money

    before, after = permit.money, _purse(request.id, services)(0)
    for name, cap, was, now in (
        ("day", before.caps.day, before.day, after.day),
        ("run", before.caps.run, before.run, after.run),
    ):
        if cap is not None and crossed(was, now, cap):
            yield Notice(f"{TOLD_AT:.0%} of the cap of a {name} is spent: {money(now)} of {money(cap)}")


def _purse(request: str, services: Services) -> Callable[[int], Money]:
    """The money as it stands whenever it is called, with what is pending elsewhere."""
    from optimizer.ledger import caps

    limits = caps.caps_from(services.workspace.settings)
    return lambda pending: caps.money(services.calls.ledger(), limits, services.calls.clock(), request, pending)


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
    return Bid(key(candidate.model), need, charge, candidate.traits.limits)


def _queue(bid: Bid, purse: Callable[[int], Money], services: Services) -> Generator[Event, None, Admission]:
    """Stand in the queue of a model until the call is granted, or would have to wait too long."""
    register, settings = services.calls.states(), services.workspace.settings
    life = settings.load_seconds + settings.answer_seconds
    ticket, waited, told = 0, 0.0, False
    try:
        while True:
            admission = register.admit(bid, ticket, life, lambda pending: purse(pending).broken_by(bid.money))
            if admission.granted:
                ticket = 0
                return admission
            ticket = admission.ticket
            if admission.broken or not admission.wait or waited + admission.wait > settings.limit_wait:
                return admission
            if not told and admission.wait >= NAP:
                yield Notice(f"{bid.model}: waiting {duration(admission.wait)}: {reasons.reason(admission.reason)}")
                told = True
            nap = min(max(admission.wait, SHORTEST_NAP), NAP)
            register.sleep(nap)
            waited += nap
    finally:
        if ticket:
            register.drop(ticket)


def _cap_text(name: str, charge: int, money: Money) -> str:
    from optimizer.report.money import cap_left
    from optimizer.report.money import money as spoken

    cap, used = (money.caps.day, money.day) if name == "day" else (money.caps.run, money.run)
    return f"{cap_left(name, cap or 0, used)}, this may cost {spoken(charge)} (optimize budget set {name} AMOUNT)"
