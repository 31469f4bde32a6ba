"""Quotas in the headers of answers, in one form for all providers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from optimizer.vendors import Vendor

MINUTE, DAY = 60, 86_400
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_ANTHROPIC = {"requests": "requests", "tokens": "tokens", "input-tokens": "input", "output-tokens": "output"}


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of one limit: `what` is requests, tokens, input or output; `period` and `resets` are in seconds,
    the latter since the epoch; `size` is 0 where it is unknown."""

    what: str
    period: int
    size: int
    left: int
    resets: float

    def left_at(self, now: float) -> int:
        """What is left at a time: all of it once the limit was reset; -1 for an unknown, large amount."""
        if now < self.resets:
            return self.left
        return self.size or -1


@dataclass(frozen=True, slots=True)
class Exchange:
    """The head of an answer: its model and status, what is left of which quotas, and `at` what time in seconds since
    the epoch."""

    provider: str
    model: str
    status: int
    quotas: tuple[Quota, ...]
    at: float


def quotas(vendor: Vendor, headers: Mapping[str, str], now: float) -> tuple[Quota, ...]:
    """The quotas in an answer's headers (names in lower case), at `now` in seconds since the epoch."""
    if vendor.quotas == "anthropic":
        found = (_named(headers, f"anthropic-ratelimit-{name}", what, now) for name, what in _ANTHROPIC.items())
    else:
        periods = {"requests": DAY if vendor.requests == "day" else MINUTE, "tokens": MINUTE}
        found = (_chat(headers, what, period, now) for what, period in periods.items())
    return tuple(quota for quota in found if quota is not None)


def seconds(text: str) -> float | None:
    """A span as vendors write it: `34s`, `2m59.56s`, `7.66ms`, `1h2m`, or plain seconds; None for anything else."""
    text = text.strip().lower()
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def next_day(starts: int, now: float) -> float:
    """When quotas of a day that starts at an hour (UTC) are reset next, in seconds since the epoch."""
    here = datetime.fromtimestamp(now, UTC)
    reset = here.replace(hour=starts, minute=0, second=0, microsecond=0)
    return (reset if reset > here else reset + timedelta(days=1)).timestamp()


def _chat(headers: Mapping[str, str], what: str, period: int, now: float) -> Quota | None:
    left = _count(headers.get(f"x-ratelimit-remaining-{what}"))
    if left is None:
        return None
    wait = seconds(headers.get(f"x-ratelimit-reset-{what}", ""))
    size = _count(headers.get(f"x-ratelimit-limit-{what}")) or 0
    return Quota(what, period, size, left, now + (float(period) if wait is None else min(wait, DAY)))


def _named(headers: Mapping[str, str], prefix: str, what: str, now: float) -> Quota | None:
    left = _count(headers.get(f"{prefix}-remaining"))
    if left is None:
        return None
    try:
        resets = datetime.fromisoformat(headers.get(f"{prefix}-reset", "")).timestamp()
    except (ValueError, OverflowError):
        resets = now + MINUTE
    size = _count(headers.get(f"{prefix}-limit")) or 0
    return Quota(what, MINUTE, size, left, min(max(resets, now), now + DAY))


def _count(text: str | None) -> int | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return int(value) if 0 <= value < 1e15 else None
