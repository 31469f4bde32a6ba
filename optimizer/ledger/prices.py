"""What calls cost: dated list prices from genai-prices in whole micro-dollars; unknown is None, never 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from optimizer.types import Model, Usage

if TYPE_CHECKING:
    from decimal import Decimal

    from genai_prices.types import ModelPrice, PriceCalculation, TieredPrices

UNCHARGED_TIERS = frozenset({"index", "local", "free"})
HOURS = 24
LITTLE = 0.1  # by how much of a step a prompt may be cut to stay below it


def cost(model: Model, usage: Usage, at: datetime) -> int | None:
    """What the call is charged, in micro-dollars: 0 on the tiers index, local and free, else its list price."""
    return 0 if model.tier in UNCHARGED_TIERS else list_price(model, usage, at)


def estimate(model: Model, input_tokens: int, output_tokens: int, at: datetime) -> int | None:
    """What a call of this size would be charged, nothing of it cached, in micro-dollars; None when unknown."""
    return cost(model, Usage(input=input_tokens, output=output_tokens), at)


def list_price(model: Model, usage: Usage, at: datetime) -> int | None:
    """The published price of a call on an aware date, rounded half up once, in micro-dollars; None when unknown.

    `model.price_ref` is `provider:model` in the words of genai-prices. Cache reads and both kinds of cache writes are
    priced apart, and the steps for long prompts count the whole prompt.
    """
    from decimal import ROUND_HALF_UP, Decimal

    found = _price(model.price_ref, usage, at) if model.price_ref else None
    if found is None or not _covers(found, usage):
        return None
    return int((found.total_price * 1_000_000).quantize(Decimal(1), ROUND_HALF_UP))


def _price(price_ref: str, usage: Usage, at: datetime) -> PriceCalculation | None:
    import genai_prices

    provider, _, name = price_ref.partition(":")
    counts = genai_prices.Usage(
        input_tokens=usage.prompt,
        output_tokens=usage.output,
        cache_read_tokens=usage.cache_read or None,
        cache_write_tokens=usage.cache_write_5m + usage.cache_write_1h or None,
        cache_write_1h_tokens=usage.cache_write_1h or None,
    )
    try:
        return genai_prices.calc_price(counts, name, provider_id=provider, genai_request_timestamp=at.astimezone(UTC))
    except LookupError:
        return None


def _covers(found: PriceCalculation, usage: Usage) -> bool:
    price = found.model_price
    return (price.input_mtok is not None or not usage.prompt) and (price.output_mtok is not None or not usage.output)


@dataclass(frozen=True, slots=True)
class PriceStep:
    """Rates for prompts longer than `above` tokens, in micro-dollars a token: the whole prompt is charged at them."""

    above: int
    input: float
    output: float
    cache_read: float
    cache_write: float


@dataclass(frozen=True, slots=True)
class Tariff:
    """The steps of a model's price, ascending; the first one begins at 0."""

    steps: tuple[PriceStep, ...]

    def cost(self, input_tokens: int, output_tokens: int, cached: int = 0) -> int:
        """Micro-dollars of a call, rounded up; `cached` of the input tokens are read from a cache."""
        step = self.step(input_tokens)
        cached = min(cached, input_tokens)
        whole = (input_tokens - cached) * step.input + cached * step.cache_read + output_tokens * step.output
        return math.ceil(whole - 1e-6)

    def most(self, input_tokens: int, output_tokens: int) -> int:
        """Micro-dollars of a call whose prompt is all written to a cache, for which some vendors charge more."""
        step = self.step(input_tokens)
        return math.ceil(input_tokens * max(step.input, step.cache_write) + output_tokens * step.output - 1e-6)

    def step(self, input_tokens: int) -> PriceStep:
        """The step that a prompt of this size falls into."""
        found = self.steps[0]
        for step in self.steps[1:]:
            if input_tokens > step.above:
                found = step
        return found

    def ceiling(self, input_tokens: int) -> int:
        """The size that a prompt must not exceed to be charged at the step below; 0 where there is none."""
        return self.step(input_tokens).above

    def fitting(self, input_tokens: int) -> int:
        """The size to cut a prompt to: the step that it exceeds by little, else as it is."""
        ceiling = self.ceiling(input_tokens)
        return ceiling if ceiling and input_tokens <= ceiling * (1 + LITTLE) else input_tokens


FREE = Tariff((PriceStep(0, 0.0, 0.0, 0.0, 0.0),))


def tariff(price_ref: str, at: datetime) -> Tariff | None:
    """The rates of `provider:model` in the words of genai-prices at an aware time; None when unknown."""
    import genai_prices

    provider, _, name = price_ref.partition(":")
    counts = genai_prices.Usage(input_tokens=1, output_tokens=1)
    try:
        found = genai_prices.calc_price(
            counts, name, provider_id=provider, genai_request_timestamp=at.astimezone(UTC)
        ).model_price
    except LookupError:
        return None
    if found.input_mtok is None or found.output_mtok is None:
        return None
    starts = sorted({0, *(tier.start for price in _prices(found) for tier in getattr(price, "tiers", ()))})
    return Tariff(tuple(_step(found, start) for start in starts))


def day_of_tariffs(price_ref: str, at: datetime) -> tuple[Tariff | None, ...]:
    """The rates of each hour of the UTC day of `at`: some models cost more at certain hours."""
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(tariff(price_ref, midnight + timedelta(hours=hour, minutes=30)) for hour in range(HOURS))


def packed(day: Sequence[Tariff | None]) -> Any:
    """A day of tariffs as JSON holds it."""
    kinds = list(dict.fromkeys(day))
    return {
        "kinds": [None if kind is None else [astuple(step) for step in kind.steps] for kind in kinds],
        "hours": [kinds.index(one) for one in day],
    }


def unpacked(data: Any, at: datetime) -> Tariff | None:
    """The tariff of an aware time from what `packed` gave for its day."""
    steps = data["kinds"][data["hours"][at.astimezone(UTC).hour]]
    return None if steps is None else Tariff(tuple(PriceStep(*step) for step in steps))


def _prices(found: ModelPrice) -> tuple[Decimal | TieredPrices | None, ...]:
    return (found.input_mtok, found.output_mtok, found.cache_read_mtok, found.cache_write_mtok)


def _step(found: ModelPrice, start: int) -> PriceStep:
    entry, output, read, write = (_rate(price, start) for price in _prices(found))
    plain = entry or 0.0
    return PriceStep(start, plain, output or 0.0, plain if read is None else read, plain if write is None else write)


def _rate(price: Any, start: int) -> float | None:
    """Dollars a million tokens are micro-dollars a token."""
    if price is None:
        return None
    tiers = [tier for tier in getattr(price, "tiers", ()) if tier.start <= start]
    return float(tiers[-1].price if tiers else getattr(price, "base", price))
