"""What a model's strengths let expect, within bounds that no table can leave."""

from __future__ import annotations

import pytest

from optimizer.ledger.summary import Tally
from optimizer.models.catalogue import Traits
from optimizer.routing.score import chance, expected
from optimizer.types import Task


def task(difficulty: float) -> Task:
    return Task("edit", difficulty, (), True, 4000, 600)


@pytest.mark.parametrize(
    ("coding", "difficulty", "rate"),
    [(1.0, 0.0, 0.95), (0.0, 1.0, 0.05), (0.5, 0.35, 0.5), (0.96, 0.35, 0.95), (0.04, 0.35, 0.05)],
)
def test_the_success_rate_is_never_certain_nor_hopeless(coding: float, difficulty: float, rate: float) -> None:
    assert expected({"coding": coding}, task(difficulty)) == pytest.approx(rate)


def test_what_happened_moves_a_rate_that_was_bounded() -> None:
    sure, task_ = Traits({"coding": 5.0}), task(0.0)
    assert chance(sure, task_, Tally()) == pytest.approx(0.95)
    assert chance(sure, task_, Tally(tries=6, accepted=0)) == pytest.approx(0.475)
