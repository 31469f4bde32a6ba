"""How many tokens a request to a model may take: more code where what it is worth is more than its price; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from optimizer.reasons import Size

if TYPE_CHECKING:
    from optimizer.ledger.prices import Tariff
    from optimizer.types import Model

MORE = 6000  # tokens of code that a larger request has more
GAIN = 0.11  # share of the functions to be changed that they add (docs/benchmarks.md: 56 -> 67 %)
WORTH = 200_000  # micro-dollars that such a function is worth to a person who would look for it otherwise
LEAST_WINDOW = 4  # times a larger request that a window must hold: the conversation goes on from there


class Room(NamedTuple):
    """The tokens of a first request to any model; whether some may have more, and code is left for it."""

    least: int
    auto: bool = False
    left: bool = False


def request_size(model: Model, tariff: Tariff | None, room: Room, failed: bool = False) -> Size:
    """The most tokens of a request to a model, answer included; `failed`: an answer before it failed a check."""
    larger = room.least + MORE
    if not room.auto:
        return Size(room.least, "set")
    if not room.left:
        return Size(room.least, "all")
    if model.tier in ("local", "free"):
        return Size(room.least, "local" if model.tier == "local" else "free")
    if model.window < LEAST_WINDOW * larger:
        return Size(room.least, "window")
    if tariff is None:
        return Size(room.least, "unpriced")
    price = tariff.cost(larger, 0) - tariff.cost(room.least, 0)
    if failed:
        return Size(larger, "failed", price)
    worth = price <= GAIN * WORTH
    return Size(larger if worth else room.least, "worth" if worth else "price", price)
