"""What a call costs: dated list prices from genai-prices in whole micro-dollars; unknown is None, never 0."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from optimizer.types import Model, Usage

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation

UNCHARGED_TIERS = frozenset({"index", "local", "free"})


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
