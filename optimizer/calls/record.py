"""Usage records: what a call, or an answer from the index, writes to the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from optimizer.debug import debug
from optimizer.errors import StorageError
from optimizer.types import Usage, UsageRecord

if TYPE_CHECKING:
    from datetime import datetime

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
    answered = _Answerer(model.tier, model.label, model.provider, model.id)
    entry = _entry(purpose, answered, spent, now, cost, services)
    services.ledger().add(entry)
    counts = (spent.usage.prompt, spent.usage.output)
    debug("calls", "%s: %s, %d tokens in, %d out, %s micro-dollars", model.id, spent.outcome, *counts, cost)
    if broken_off:
        raise KeyboardInterrupt
    return entry


def record_index(purpose: Purpose, seconds: float, outcome: str, services: CallServices) -> UsageRecord:
    """Write an answer from the index to the ledger, at no cost; a ledger that cannot be written does not matter."""
    spent = CallResult(Usage(), seconds, outcome)
    entry = _entry(purpose, _INDEX, spent, services.clock(), 0, services)
    try:
        services.ledger().add(entry)
    except StorageError as error:
        debug("calls", "an answer from the index is not recorded: %s", error.message)
    return entry


class _Answerer(NamedTuple):
    """What answered, as the ledger has it."""

    tier: Tier
    label: str
    provider: str
    model_asked: str


_INDEX = _Answerer("index", "Index", "index", "")


def _entry(
    purpose: Purpose, answered: _Answerer, spent: CallResult, now: datetime, cost: int | None, services: CallServices
) -> UsageRecord:
    return UsageRecord(
        request=purpose.request,
        at=now.isoformat(timespec="milliseconds"),
        tier=answered.tier,
        label=answered.label,
        provider=answered.provider,
        model_asked=answered.model_asked,
        model_served=spent.served,
        usage=spent.usage,
        seconds=round(spent.seconds, 3),
        outcome=spent.outcome,
        cost=cost,
        task=purpose.kind,
        repository=services.repository,
        arm=services.arm,
    )
