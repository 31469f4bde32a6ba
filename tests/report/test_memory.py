"""The memory of local models in words."""

from __future__ import annotations

from optimizer.models.machine import Advice
from optimizer.models.memory import Estimate
from optimizer.report.memory import GIB, advised, estimated

NEEDED = Estimate(5 * GIB, 8192, 7.0, "q4_k_m", 4.9)


def test_an_estimate_in_words() -> None:
    assert estimated(NEEDED) == "7 billion parameters at q4_k_m (4.9 bits)"
    assert estimated(Estimate(0, 8192)) == "its name has no size"


def test_an_advice_in_words() -> None:
    size = "about 5.0 GiB with a window of 8,192: 7 billion parameters at q4_k_m (4.9 bits)"
    assert advised(Advice("a:7b", NEEDED, True, False, 1.0, "slow-cpu", 6 * GIB)) == (
        f"{size}; runs on the processor, slowly"
    )
    assert advised(Advice("a:7b", NEEDED, False, False, 1.0, "too-large", 4 * GIB)) == (
        f"{size}; too large, models may take 4.0 GiB here"
    )
