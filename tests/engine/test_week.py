"""A simulated week: limits that were announced are never run into, caps hold, and an outage ends with one probe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.week import DAYS, REQUESTS_A_DAY, simulate


@pytest.mark.slow
def test_a_week_of_quotas_outages_and_caps(tmp_path: Path) -> None:
    week = simulate(tmp_path)
    assert week["requests"] == DAYS * REQUESTS_A_DAY
    assert week["refused_by_a_limit_that_was_announced"] == 0
    assert 0 < week["dearest_day_micro_dollars"] <= week["cap_of_a_day_micro_dollars"]  # type: ignore[operator]
    assert week["probes_until_a_vendor_was_used_again"] == 1
    assert week["calls_into_outages"] > 0  # type: ignore[operator]
    turned = week["premium_calls_of_the_model_that_doubles_and_of_others"]
    (its, others), after = turned["before"], turned["after"]  # type: ignore[index]
    assert its > others
    assert after[0] == 0 < after[1]
    assert week["answered"] > week["requests"] * 0.6  # type: ignore[operator]
