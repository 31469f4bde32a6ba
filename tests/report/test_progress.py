"""Every code of a notice has words of its own."""

from __future__ import annotations

import typing

from optimizer.errors import Bound
from optimizer.reasons import NoOpinion
from optimizer.report import progress


def test_every_bound_has_words() -> None:
    bounds = [bound for bound in typing.get_args(Bound) if bound not in ("", "repeats")]
    lines = [progress.stopped(bound, 3, 4000) for bound in bounds]
    assert len(set(lines)) == len(bounds)
    assert progress.stopped("tokens", 3, 4000) == (
        "stopped after 3 steps: the next would go over the 4,000 tokens of one attempt (agent.tokens)"
    )


def test_every_reason_for_no_opinion_has_words() -> None:
    codes = typing.get_args(typing.get_type_hints(NoOpinion)["code"])
    lines = {progress.no_opinion("tiny", NoOpinion(code, "it failed", ("a", "b"), 1.5)) for code in codes}
    assert len(lines) == len(codes)
    assert "tiny (local.router): not asked, not enough memory next to a and b; using keyword rules" in lines


def test_every_reason_for_no_summary_has_words() -> None:
    codes = typing.get_args(progress.NoSummary)
    assert len({progress.no_summary(code) for code in codes}) == len(codes)
