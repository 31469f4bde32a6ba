"""Which models are left to ask after one failed."""

from __future__ import annotations

import pytest

from optimizer.engine.escalate import left_to_ask
from optimizer.errors import AuthFailed, NoConnection, OptimizerError, Overloaded, UnusableOutput
from optimizer.reasons import Picked
from optimizer.tiers import Tier
from optimizer.types import Attempt, Model


def attempt(id: str, provider: str, tier: Tier, standby: bool = False) -> Attempt:
    model = Model(id, provider, tier, 100_000, 8_000, True, "tool", frozenset(), "proprietary", id)
    return Attempt(model, Picked("only"), 0, standby)


FAILED = attempt("a", "groq", "free")
WAITING = (
    attempt("b", "groq", "free", standby=True),
    attempt("c", "mistral", "free", standby=True),
    attempt("d", "groq", "budget"),
    attempt("e", "anthropic", "budget", standby=True),
)


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (Overloaded("529"), "bcde"),
        (NoConnection("refused"), "ce"),
        (AuthFailed("401", for_all=True), "ce"),
        (AuthFailed("403"), "bcde"),
        (UnusableOutput("no edits"), "de"),
    ],
)
def test_what_is_left_depends_on_whether_an_answer_came_and_the_provider_is_there(
    error: OptimizerError, left: str
) -> None:
    assert "".join(one.model.id for one in left_to_ask(WAITING, FAILED, error)) == left
