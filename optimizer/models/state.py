"""What is known of the models at one moment: health, quotas, warm caches, success; and what follows from it, pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from optimizer.errors import (
    AuthFailed,
    ModelMissing,
    Overloaded,
    ProviderError,
    RateLimited,
    TimedOut,
    Unreachable,
)
from optimizer.ledger.caps import Money
from optimizer.ledger.summary import Tally
from optimizer.providers.quotas import Quota
from optimizer.reasons import Failed, Resting, Shortage, State, Well, Why
from optimizer.types import Model

NEVER = math.inf
FIRST_REST, LONGEST_REST = 1.0, 600.0
KEY_REST, GONE_REST = 60.0, 3600.0
SMOOTHING = 0.3


@dataclass(frozen=True, slots=True)
class Health:
    """How a model answered recently: failures in a row and since when, how long it rests and why, mean seconds.

    Times are seconds since the epoch. After its rest one call probes it (until `probing`), all others pass it over.
    """

    failures: int = 0
    since: float = 0.0
    rests: float = 0.0
    why: str = ""
    probing: float = 0.0
    seconds: float = 0.0
    calls: int = 0

    @property
    def failing(self) -> bool:
        """Whether it rests, or failed when it was last asked."""
        return bool(self.failures or self.rests)

    def objection(self, now: float) -> Resting | Why | None:
        """Why the model is not asked now; None when it may be."""
        if self.rests > now:
            return Resting(self.rests, self.why)
        return Why.PROBING if self.failures and self.probing > now else None

    def state(self, now: float) -> State:
        """How the model answered recently."""
        if self.rests > now:
            return Resting(self.rests, self.why)
        if self.failures:
            return Failed(self.failures, self.since, self.why)
        return Well(self.seconds) if self.calls else None


@dataclass(frozen=True, slots=True)
class Need:
    """What a call would take from the quotas; its answer may be made smaller, but not below `least` tokens."""

    input: int
    output: int
    least: int

    def of(self, what: str, output: int) -> int:
        """The amount taken from a quota of requests, tokens, input or output."""
        return {"requests": 1, "input": self.input, "output": output}.get(what, self.input + output)


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a call fits its quotas: after `wait` seconds (NEVER: not at all), with `output` tokens of answer."""

    wait: float
    output: int
    short: Shortage | None = None


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model: health, quotas with what is under way taken off, and tokens of this project in its prompt cache."""

    health: Health = Health()
    quotas: tuple[Quota, ...] = ()
    warm: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What a decision needs to know beyond the task, read once; models by `key`, tallies by key and kind of task."""

    now: datetime
    models: Mapping[str, ModelState] = field(default_factory=dict)
    money: Money = field(default_factory=Money)
    tallies: Mapping[tuple[str, str], Tally] = field(default_factory=dict)

    def of(self, model: Model) -> ModelState:
        """What is known of a model; nothing bad when it was never asked."""
        return self.models.get(key(model), _UNKNOWN)

    def tally(self, model: Model, kind: str) -> Tally:
        """How the model did on tasks of a kind."""
        return self.tallies.get((key(model), kind), _NO_TALLY)


_UNKNOWN = ModelState()
_NO_TALLY = Tally()


def key(model: Model) -> str:
    """The key of a model's state."""
    return f"{model.provider}/{model.id}"


def fit(quotas: tuple[Quota, ...], need: Need, now: float) -> Fit:
    """When, and with how large an answer, a call fits all quotas."""
    output, wait, short = need.output, 0.0, None
    for quota in quotas:
        left = quota.left_at(now)
        if left < 0 or need.of(quota.what, output) <= left:
            continue
        spare = left - need.of(quota.what, 0)
        if quota.what != "requests" and spare >= need.least:
            output = min(output, spare)
            continue
        late = quota.resets - now if _could_fit(quota, need) else NEVER
        if late > wait:
            wait, short = late, _shortage(quota, need, left)
    return Fit(wait, output, short)


def _could_fit(quota: Quota, need: Need) -> bool:
    return not quota.size or need.of(quota.what, need.least) <= quota.size


def _shortage(quota: Quota, need: Need, left: int) -> Shortage:
    resets = quota.resets if _could_fit(quota, need) else None
    return Shortage(quota.what, quota.period, quota.size, left, need.of(quota.what, need.output), resets)


def after_success(before: Health, seconds: float) -> Health:
    """Health after an answer."""
    mean = seconds if not before.calls else before.seconds + SMOOTHING * (seconds - before.seconds)
    return Health(seconds=mean, calls=before.calls + 1)


def after_failure(before: Health, error: ProviderError, now: float, jitter: float) -> Health:
    """Health after a failure; `jitter` in [0, 1) spreads the rests of many users.

    A fault of one answer says nothing about its health. After a limit it rests for as long as the provider says.
    Anything else doubles the rest with each failure in a row.
    """
    freed = replace(before, probing=0.0, calls=before.calls + 1)
    if isinstance(error, RateLimited) and error.wait is not None:
        return replace(freed, rests=now + error.wait, why=_reason(error))
    if isinstance(error, ModelMissing):
        first, longest = GONE_REST, GONE_REST
    elif isinstance(error, AuthFailed):
        first, longest = KEY_REST, LONGEST_REST
    elif isinstance(error, Overloaded | Unreachable | TimedOut | RateLimited):
        first, longest = FIRST_REST, LONGEST_REST
    else:
        return freed
    rest = min(longest, first * 2.0 ** min(before.failures, 20)) * (0.5 + jitter / 2)
    rest = max(rest, (error.wait or 0.0) if isinstance(error, Overloaded) else 0.0)
    since = before.since if before.failures else now
    return replace(freed, failures=before.failures + 1, since=since, rests=now + rest, why=_reason(error))


def _reason(error: ProviderError) -> str:
    if isinstance(error, RateLimited) and error.period:
        return f"its limit of the {error.period} is reached"
    return error.message if len(error.message) <= 120 else error.message[:117] + "..."
