"""A decision in words: every kind of work has some, reasons are told once, and what was not asked for is left away."""

from __future__ import annotations

import typing

import pytest

from optimizer.cli.route import text
from optimizer.events import Routed
from optimizer.reasons import (
    AskedModel,
    Behind,
    By,
    Cap,
    HoldsNothing,
    NoKey,
    Picked,
    Plan,
    Reserve,
    Shortage,
    Sign,
    Why,
)
from optimizer.report import decision, reasons
from optimizer.types import ASIDE, Attempt, LeftOut, Model, Quote, Route, Task, TaskKind, Tier

ONLY = Picked("only")
SAME = Behind("loaded", "a")


def model(name: str, tier: Tier, local: bool = False) -> Model:
    provider = "ollama" if local else "groq"
    return Model(name, provider, tier, 9000, 900, True, "tool", frozenset(), "", name, local=local)


def attempt(name: str, tier: Tier, standby: bool = False) -> Attempt:
    return Attempt(model(name, tier, tier == "local"), Reserve(SAME, True) if standby else ONLY, 0, standby)


def task(kind: TaskKind = "edit", difficulty: float = 0.45) -> Task:
    return Task(kind, difficulty, (Sign("begins_with", "add"), Sign("files_in_view", amount=7)), True, 4000, 600)


def route(*attempts: Attempt) -> Route:
    return Route(attempts, Plan())


def test_every_kind_of_request_has_words() -> None:
    assert set(decision.KINDS) == set(typing.get_args(TaskKind)) - ASIDE


@pytest.mark.parametrize(
    ("difficulty", "said"),
    [
        (0.1, "a very easy change to code"),
        (0.3, "an easy change to code"),
        (0.45, "a change to code of medium difficulty"),
        (0.7, "a hard change to code"),
        (1.0, "a very hard change to code"),
    ],
)
def test_difficulty_is_a_word(difficulty: float, said: str) -> None:
    assert decision.summary(task(difficulty=difficulty), route()) == f"{said}: no model can be asked"


@pytest.mark.parametrize(
    ("attempts", "said"),
    [
        ([attempt("a", "local")], "only a is asked"),
        ([attempt("a", "local"), attempt("b", "local", True)], "asked on this machine only"),
        ([attempt("a", "free"), attempt("b", "free", True)], "only free models are asked"),
        (
            [attempt("a", "local"), attempt("b", "free"), attempt("c", "premium")],
            "asked on this machine first, in the cloud only if the answer fails a check",
        ),
        (
            [attempt("a", "budget"), attempt("c", "premium")],
            "budget models are asked first, more expensive ones only if the answer fails a check",
        ),
    ],
)
def test_who_is_asked_is_a_phrase(attempts: list[Attempt], said: str) -> None:
    assert decision.summary(task("quick"), route(*attempts)) == f"a quick question: {said}"


def test_the_profile_in_use_is_named() -> None:
    plan = Plan(profile=By("profile", "code"), instead_of=By("profile", "mine"))
    said = decision.summary(task(), Route((attempt("a", "local"),), plan))
    assert said == ("a change to code of medium difficulty: only a is asked, profile code (no model fits profile mine)")


def test_models_in_reserve_have_no_number() -> None:
    some = route(attempt("a", "local"), attempt("spare", "local", True), attempt("b", "free"))
    assert decision.attempts(some, 120) == [
        "  1. a      local  on this machine  the only local model, free",
        f"     spare  local  on this machine  {reasons.attempt(some.attempts[1])}",
        "  2. b      free   cloud: groq      the only free model",
    ]


def test_models_with_the_same_reason_share_it_and_a_cure_is_not_broken() -> None:
    reason = "no consent to send this repository's code to groq"
    left = [LeftOut(name, "groq", "free", Why.CONSENT) for name in ("a", "b")]
    assert decision.left_out(left, 100) == ["  free: a, b", f"      {reason}; try: optimize consent grant groq"]
    assert decision.left_out(left, 80) == ["  free: a, b", f"      {reason}\n      try: optimize consent grant groq"]


QUOTES = (Quote("local", "qwen", 0), Quote("premium", "sonnet", 13_900))


def test_without_a_model_each_cure_is_told_once_with_its_reason_unless_it_says_it_itself() -> None:
    dear = "the cap of $1.00 a day leaves nothing, this may cost $"
    left = [
        LeftOut("", "groq", "free", NoKey("GROQ_API_KEY", "free at console.groq.com/keys")),
        LeftOut("haiku", "anthropic", "budget", Cap("day", 10**6, 10**6, 1200)),
        LeftOut("opus", "anthropic", "premium", Cap("day", 10**6, 10**6, 47_800)),
    ]
    assert decision.no_model(QUOTES, left, found="").split("\n") == [
        "",
        "No model could be asked. This request would cost:",
        "  local    qwen    free",
        "  premium  sonnet  $0.0139",
        "",
        "To get a model, do one of these:",
        "  optimize keys set groq  # free at console.groq.com/keys",
        f"  optimize budget set day AMOUNT                           {dear}0.0012",
    ]


def test_a_route_without_a_model_names_the_cures_and_one_with_a_model_does_not() -> None:
    left = (LeftOut("", "groq", "free", NoKey("GROQ_API_KEY", "free at console.groq.com/keys")),)
    cure = "optimize keys set groq"
    assert cure in text(Routed(task(), route()._replace(left_out=left)), explain=False)
    asked = route(attempt("qwen", "local"))
    assert cure not in text(Routed(task(), asked._replace(left_out=left)), explain=False)


def test_of_a_model_named_alone_its_own_reason_is_told_and_none_of_others() -> None:
    left = [
        LeftOut("", "openai", "local", HoldsNothing("the compatible server", "127.0.0.1:1234")),
        LeftOut("qwen", "ollama", "local", AskedModel("oss")),
        LeftOut("oss", "groq", "free", Shortage("tokens", 60, 8000, 0, 9000, None)),
    ]
    said = decision.no_model((), left, found="")
    assert "load a model there" not in said and "you asked for" not in said
    assert said.endswith("Unavailable now:\n  oss: its limit is 8,000 tokens a minute, this needs 9,000")
