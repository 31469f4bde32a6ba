"""How large a request to a model may be, and why."""

from __future__ import annotations

import pytest

from optimizer.ledger.prices import FREE, PriceStep, Tariff
from optimizer.reasons import Size
from optimizer.routing.size import GAIN, LEAST_WINDOW, MORE, WORTH, Room, request_size
from optimizer.types import Model, Tier

ROOM = Room(6000, auto=True, left=True)
BREAK_EVEN = GAIN * WORTH / MORE  # micro-dollars of a token of input


def model(tier: Tier, window: int = 200_000) -> Model:
    return Model("m", "p", tier, window, 8000, True, "tool", frozenset(), "unknown", "M", tier == "local")


def rates(price: float) -> Tariff:
    return Tariff((PriceStep(0, price, price, price, 5 * price),))


@pytest.mark.parametrize(
    ("tier", "tariff", "room", "failed", "size"),
    [
        ("budget", rates(0.1), ROOM, False, Size(12_000, "worth", 600)),
        ("budget", rates(0.1), ROOM._replace(auto=False), True, Size(6000, "set")),
        ("budget", rates(0.1), ROOM._replace(left=False), True, Size(6000, "all")),
        ("local", FREE, ROOM, True, Size(6000, "local")),
        ("free", FREE, ROOM, True, Size(6000, "free")),
        ("budget", None, ROOM, True, Size(6000, "unpriced")),
        ("premium", rates(15), ROOM, False, Size(6000, "price", 90_000)),
        ("premium", rates(15), ROOM, True, Size(12_000, "failed", 90_000)),
        ("budget", rates(0.1), ROOM._replace(least=12_500), False, Size(18_500, "worth", 600)),
    ],
)
def test_more_is_sent_where_it_is_worth_its_price(
    tier: Tier, tariff: Tariff | None, room: Room, failed: bool, size: Size
) -> None:
    assert request_size(model(tier), tariff, room, failed) == size


def test_the_price_of_more_decides() -> None:
    below, above = (request_size(model("premium"), rates(BREAK_EVEN * share), ROOM) for share in (0.99, 1.01))
    assert (below.tokens, above.tokens) == (12_000, 6000)


def test_a_small_window_is_not_filled() -> None:
    narrow, wide = (model("budget", LEAST_WINDOW * 12_000 - less) for less in (1, 0))
    assert request_size(narrow, rates(0.1), ROOM) == Size(6000, "window")
    assert request_size(wide, rates(0.1), ROOM).why == "worth"
