"""Usage records: what a call, or an answer from the index, writes to the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.debug import debug
from optimizer.errors import StorageError
from optimizer.types import Usage, UsageRecord

if TYPE_CHECKING:
    from optimizer.calls.services import CallServices, Purpose
    from optimizer.tiers import Tier
    from optimizer.types import Model


@dataclass(frozen=True, slots=True)
class CallResult:
    """What one call consumed, and how it ended, as the ledger's outcomes name it; the text of a cancelled one."""

    usage: Usage
    seconds: float
    outcome: str
    served: str = ""
    partial: str = ""


def record(purpose: Purpose, model: Model, spent: CallResult, services: CallServices) -> UsageRecord:
    """Write one call of a model to the ledger; raises StorageError."""
    now, broken_off = services.clock(), False
    try:
        cost = services.cost(model, spent.usage, now)
    except KeyboardInterrupt:  # reading the price table takes a moment; what was spent is recorded all the same
        cost, broken_off = services.cost(model, spent.usage, now), True
    entry = UsageRecord(
        request=purpose.request,
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
        task=purpose.kind,
        repository=services.repository,
        arm=services.arm,
    )
    services.ledger().add(entry)
    counts = (spent.usage.prompt, spent.usage.output)
    debug("calls", "%s: %s, %d tokens in, %d out, %s micro-dollars", model.id, spent.outcome, *counts, cost)
    if broken_off:
        raise KeyboardInterrupt
    return entry


def record_index(purpose: Purpose, seconds: float, outcome: str, services: CallServices) -> UsageRecord:
    """Write an answer from the index to the ledger, at no cost; a ledger that cannot be written does not matter."""
    tier: Tier = "index"
    entry = UsageRecord(
        request=purpose.request,
        at=services.clock().isoformat(timespec="milliseconds"),
        tier=tier,
        label="Index",
        provider="index",
        model_asked="",
        model_served="",
        usage=Usage(),
        seconds=round(seconds, 3),
        outcome=outcome,
        cost=0,
        task=purpose.kind,
        repository=services.repository,
        arm=services.arm,
    )
    try:
        services.ledger().add(entry)
    except StorageError as error:
        debug("calls", "an answer from the index is not recorded: %s", error.message)
    return entry
