"""Sums over the ledger: the figures of one day, and how models did on the user's own tasks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from optimizer.types import ASIDE, TIERS, UsageRecord

SUCCEEDED = frozenset({"accepted", "proven"})
FAILED = frozenset({"declined", "checks-failed", "unusable"})


@dataclass(frozen=True, slots=True)
class LabelCost:
    """A label's part: micro-dollars it was charged, requests that ended on it, attempts of it without a known price.

    `share` is its part of all requests, in [0, 1].
    """

    label: str
    cost: int
    requests: int
    share: float
    unknown: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of whole requests, all attempts added; nearest-rank percentiles."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class DailySummary:
    """One day; `success_rate` is in [0, 1], None without requests; `total` leaves out `unknown` attempts."""

    date: date
    requests: int
    succeeded: int
    success_rate: float | None
    labels: tuple[LabelCost, ...]
    total: int
    unknown: int
    latency: Latency | None


def daily(records: Iterable[UsageRecord], day: date) -> DailySummary:
    """Sum up a day's records, in the order they were recorded.

    A request succeeds when one of its attempts was accepted, or was proven and awaits the user's decision. It counts
    under the label of its last attempt; money counts under the label that was charged. A plan, a review or a summary is
    no attempt. Labels come in the order of their tiers.
    """
    records = tuple(records)
    requests: dict[str, list[UsageRecord]] = {}
    for record in records:
        requests.setdefault(record.request, []).append(record)
    succeeded = sum(any(map(_succeeded, attempts)) for attempts in requests.values())
    return DailySummary(
        date=day,
        requests=len(requests),
        succeeded=succeeded,
        success_rate=succeeded / len(requests) if requests else None,
        labels=_labels(records, [_last(attempts).label for attempts in requests.values()]),
        total=sum(record.cost or 0 for record in records),
        unknown=sum(record.cost is None for record in records),
        latency=_latency([sum(attempt.seconds for attempt in attempts) for attempts in requests.values()]),
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of values in ascending order, of which there is at least one."""
    return ordered[max(math.ceil(percent / 100 * len(ordered)) - 1, 0)]


def _succeeded(record: UsageRecord) -> bool:
    return record.outcome in SUCCEEDED and record.task not in ASIDE


def _last(attempts: Sequence[UsageRecord]) -> UsageRecord:
    return next((record for record in reversed(attempts) if record.task not in ASIDE), attempts[-1])


def _labels(records: Sequence[UsageRecord], last: Sequence[str]) -> tuple[LabelCost, ...]:
    rank: dict[str, int] = {}
    for record in records:
        rank[record.label] = min(TIERS.index(record.tier), rank.get(record.label, len(TIERS)))
    return tuple(
        LabelCost(
            label=label,
            cost=sum(record.cost or 0 for record in records if record.label == label),
            requests=last.count(label),
            share=last.count(label) / len(last),
            unknown=sum(record.cost is None for record in records if record.label == label),
        )
        for label in sorted(rank, key=lambda label: (rank[label], label))
    )


def _latency(seconds: Iterable[float]) -> Latency | None:
    ordered = sorted(seconds)
    if not ordered:
        return None
    return Latency(percentile(ordered, 50), percentile(ordered, 95), percentile(ordered, 99))


@dataclass(frozen=True, slots=True)
class Tally:
    """Attempts whose end is known, those that were accepted, and what they took in all their calls."""

    tries: int = 0
    accepted: int = 0
    input: int = 0
    output: int = 0
    seconds: float = 0.0

    def add(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.tries + other.tries,
            self.accepted + other.accepted,
            self.input + other.input,
            self.output + other.output,
            self.seconds + other.seconds,
        )


def tallies(records: Iterable[UsageRecord]) -> Mapping[tuple[str, str], Tally]:
    """Tallies by `provider/model` and kind of task; records in any order.

    The calls of one request to one model are one attempt. An attempt whose calls all failed or were cancelled counts
    for nothing.
    """
    attempts: dict[tuple[str, str, str], tuple[Tally, bool | None]] = {}
    for record in records:
        where = (record.request, f"{record.provider}/{record.model_asked}", record.task)
        tally, good = attempts.get(where, (Tally(), None))
        took = Tally(input=record.usage.prompt, output=record.usage.output, seconds=record.seconds)
        if record.outcome in SUCCEEDED:
            good = True
        elif record.outcome in FAILED:
            good = good or False
        attempts[where] = (tally.add(took), good)
    found: dict[tuple[str, str], Tally] = {}
    for (_, model, kind), (tally, good) in attempts.items():
        if good is not None:
            whole = replace(tally, tries=1, accepted=int(good))
            found[model, kind] = found.get((model, kind), Tally()).add(whole)
    return found
