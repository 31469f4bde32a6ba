"""Caps on money: how much a run and a day may cost, what is spent of it, and whether one more call fits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from optimizer.ledger.store import day_bounds

if TYPE_CHECKING:
    from optimizer.ledger.store import Ledger
    from optimizer.settings import Settings

CapName = Literal["day", "run"]
WARN_AT = 0.8
DOLLAR = 1_000_000


@dataclass(frozen=True, slots=True)
class Caps:
    """Micro-dollars (None: no cap) that a run and a day may cost, and above which one call is asked about.

    A call without a known price counts against the caps, never in the ledger, at `unknown` micro-dollars a token.
    """

    run: int | None = None
    day: int | None = None
    ask: int | None = None
    unknown: float = 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What the ledger holds: micro-dollars charged, and calls with their tokens whose price is unknown."""

    cost: int = 0
    unknown: int = 0
    unknown_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Money:
    """The caps and what counts against them: this run, this day, and calls of other runs that are under way."""

    caps: Caps = Caps()
    run: int = 0
    day: int = 0
    pending: int = 0

    @property
    def left(self) -> int | None:
        """Micro-dollars that the cap of a day leaves; None without one."""
        return None if self.caps.day is None else max(0, self.caps.day - self.day)

    def charge(self, known: int | None, tokens: int) -> int:
        """What a call counts against the caps: its price, or its tokens at the rate for unknown prices."""
        return known if known is not None else max(1, math.ceil(tokens * self.caps.unknown))

    def broken_by(self, charge: int) -> CapName | None:
        """The cap that a call of this charge would break; None when it fits or costs nothing."""
        if not charge:
            return None
        if self.caps.day is not None and self.day + self.pending + charge > self.caps.day:
            return "day"
        if self.caps.run is not None and self.run + charge > self.caps.run:
            return "run"
        return None

    def asks(self, charge: int) -> bool:
        """Whether one call of this charge is expensive enough to ask first."""
        return self.caps.ask is not None and charge > self.caps.ask


def caps_from(settings: Settings) -> Caps:
    """The caps of these settings, which are in dollars; -1 is no cap."""

    def micro(dollars: float) -> int | None:
        return None if dollars < 0 else round(dollars * DOLLAR)

    return Caps(
        micro(settings.budget_run), micro(settings.budget_day), micro(settings.budget_ask), settings.budget_unknown
    )


def counted(spent: Spent, caps: Caps) -> int:
    """Micro-dollars that count against the caps, unknown prices at their rate."""
    return spent.cost + math.ceil(spent.unknown_tokens * caps.unknown)


def spent_today(ledger: Ledger, now: datetime) -> Spent:
    """What the local day of `now` (an aware time) has cost so far. Raises StorageError."""
    return Spent(*ledger.total(*day_bounds(now.astimezone().date())))


def money(ledger: Ledger, caps: Caps, now: datetime, request: str = "", pending: int = 0) -> Money:
    """What counts against the caps at an aware time, for a request that may be under way. Raises StorageError."""
    run = counted(Spent(*ledger.total("", "~", request)), caps) if request else 0
    return Money(caps, run, counted(spent_today(ledger, now), caps), pending)


def crossed(before: int, after: int, cap: int | None) -> bool:
    """Whether the share of a cap at which the user is warned was crossed between two amounts."""
    return cap is not None and cap > 0 and before < cap * WARN_AT <= after
