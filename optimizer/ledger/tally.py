"""How models did on the user's own tasks, counted from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from optimizer.types import UsageRecord

SUCCEEDED = frozenset({"accepted", "proven"})
FAILED = frozenset({"declined", "checks-failed", "unusable"})


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
