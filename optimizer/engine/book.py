"""What is written to the ledger: every call when it ends, and what became of its answer once that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.tiers import Tier
from optimizer.types import Model, Prompt, Usage, UsageRecord

if TYPE_CHECKING:
    from optimizer.engine.request import Request, Tried
    from optimizer.engine.services import Services
    from optimizer.lookup.questions import Lookup


@dataclass(frozen=True, slots=True)
class Spent:
    """What one call consumed, and how it ended, as the ledger's outcomes name it."""

    usage: Usage
    seconds: float
    outcome: str
    served: str = ""


def book(request: Request, model: Model, spent: Spent, services: Services) -> UsageRecord:
    """Write one call of a model to the ledger; raises StorageError."""
    now, broken_off = services.calls.clock(), False
    try:
        cost = services.calls.cost(model, spent.usage, now)
    except KeyboardInterrupt:  # reading the price table takes a moment; what was spent is booked all the same
        cost, broken_off = services.calls.cost(model, spent.usage, now), True
    record = UsageRecord(
        request=request.id,
        at=now.isoformat(timespec="milliseconds"),
        tier=model.tier,
        label=model.label,
        provider=model.provider,
        model_asked=model.id,
        model_served=spent.served,
        usage=spent.usage,
        seconds=round(spent.seconds, 3),
        outcome=spent.outcome,
        cost=cost,
        task=request.task.kind,
        repository=services.workspace.repository,
    )
    services.calls.ledger().add(record)
    if broken_off:
        raise KeyboardInterrupt
    return record


def book_index(request: str, lookup: Lookup, seconds: float, outcome: str, services: Services) -> UsageRecord:
    """Write an answer from the index, at no cost; raises StorageError."""
    tier: Tier = "index"
    record = UsageRecord(
        request=request,
        at=services.calls.clock().isoformat(timespec="milliseconds"),
        tier=tier,
        label="Index",
        provider="index",
        model_asked="",
        model_served="",
        usage=Usage(),
        seconds=round(seconds, 3),
        outcome=outcome,
        cost=0,
        task=lookup.kind,
        repository=services.workspace.repository,
    )
    services.calls.ledger().add(record)
    return record


def settle(request: Request, tried: Tried, services: Services) -> None:
    """Say in the ledger what became of the last call's answer; raises StorageError."""
    if not tried.failure:
        outcome = "proven" if tried.patch else "accepted"
    else:
        outcome = "checks-failed" if tried.verdict else "unusable"
    services.calls.ledger().settle(request.id, outcome)


def added(*costs: int | None) -> int | None:
    """The sum of costs in micro-dollars; None, unknown, when one of them is."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def guess(prompt: Prompt, heard: list[str]) -> Usage:
    """The usage of a call that was broken off, from what was sent and what had been heard."""
    from optimizer.context.budget import count_tokens

    return Usage(input=prompt.tokens, output=count_tokens("".join(heard)), estimated=True)
