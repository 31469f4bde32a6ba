"""How prices and amounts read: exact to the cent where cents are all, and never $0.00 for what is not nothing."""

from __future__ import annotations

import pytest

from optimizer.report.figures import dollars, money


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (None, "price unknown"),
        (0, "free"),
        (7, "$0.000007"),
        (1_400, "$0.0014"),
        (250_000, "$0.25"),
        (28_040, "$0.0280"),
        (10**7, "$10.00"),
        (1_234_567_890, "$1,234.57"),
    ],
)
def test_a_price(micro: int | None, text: str) -> None:
    assert money(micro) == text


def test_nothing_spent_is_an_amount_and_not_a_free_one() -> None:
    assert dollars(0) == "$0.00"
    assert dollars(None) == "price unknown"
