from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.routing.policy import Limits, choose, money
from optimizer.types import TIERS, LeftOut, Model, Route, Task, Tier

TASK = Task("edit", 0.35, ("it begins with 'add'",), True, 4000, 600)


def model(name: str, tier: Tier, provider: str = "groq", window: int = 100_000) -> Model:
    return Model(
        name, provider, tier, window, 8000, True, "tool", frozenset(), "unknown", name.title(), tier == "local"
    )


LOCAL = model("qwen", "local", "ollama")
FREE = model("oss", "free")
CHEAP = model("haiku", "budget", "anthropic")
DEARER = model("flash", "budget", "gemini")
MYSTERY = model("mystery", "budget", "openai")
SONNET = model("sonnet", "premium", "anthropic")
OPUS = model("opus", "premium", "anthropic")
ALL = (OPUS, SONNET, MYSTERY, DEARER, CHEAP, FREE, LOCAL)
PRICES = {"qwen": 0, "oss": 0, "haiku": 700, "flash": 5_250, "mystery": None, "sonnet": 14_000, "opus": 28_000}


def route(limits: Limits | None = None, *models: Model, refused: tuple[str, ...] = (), task: Task = TASK) -> Route:
    return choose(
        task,
        models or ALL,
        limits or Limits(),
        lambda one, _: PRICES[one.id],
        lambda one: one.provider not in refused,
    )


def ids(found: Route) -> list[str]:
    return [attempt.model.id for attempt in found.attempts]


def why(found: Route, name: str) -> LeftOut:
    return next(left for left in found.left_out if left.model == name)


def test_one_attempt_a_tier_the_cheapest_first() -> None:
    found = route()
    assert ids(found) == ["qwen", "oss", "haiku", "sonnet"]
    assert [attempt.estimate for attempt in found.attempts] == [0, 0, 700, 14_000]
    assert found.reason == "edit, difficulty 0.35: local -> free -> budget -> premium, up on a failed check"
    assert found.attempts[0].reason == "the only one in local, free"
    assert found.attempts[2].reason == "the cheapest of 3 in budget, $0.0007"


def test_every_model_left_out_has_its_reason() -> None:
    found = route()
    assert why(found, "flash").why == "dearer than haiku ($0.0053 against $0.0007)"
    assert why(found, "mystery").why == "its price is unknown, haiku has one"
    assert why(found, "opus").why.startswith("dearer than sonnet")
    assert {*ids(found), *(left.model for left in found.left_out)} == {one.id for one in ALL}


def test_equal_prices_keep_the_order_of_preference() -> None:
    other = model("coder", "free")
    PRICES["coder"] = 0
    assert ids(route(None, FREE, other)) == ["oss"]
    assert ids(route(None, other, FREE)) == ["coder"]
    assert why(route(None, other, FREE), "oss").why == "coder costs the same and is preferred"


def test_an_unknown_price_is_last_but_not_left_out() -> None:
    assert ids(route(None, MYSTERY)) == ["mystery"]
    assert route(None, MYSTERY).attempts[0].reason == "the only one in budget, price unknown"


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(tier="budget"), ["haiku"]),
        (Limits(tier="premium"), ["sonnet"]),
        (Limits(tier="index"), []),
        (Limits(max_tier="free"), ["qwen", "oss"]),
        (Limits(max_tier="index"), []),
        (Limits(provider="anthropic"), ["haiku", "sonnet"]),
        (Limits(model="opus"), ["opus"]),
        (Limits(model="opus", routing=False), ["opus"]),
        (Limits(model="opus", max_tier="budget"), []),
        (Limits(model="haiku", provider="gemini"), []),
        (Limits(model="nothing"), []),
        (Limits(routing=False), ["sonnet"]),
        (Limits(routing=False, max_tier="free"), ["oss"]),
        (Limits(routing=False, tier="local"), ["qwen"]),
    ],
)
def test_what_the_user_asks_for_wins(limits: Limits, expected: list[str]) -> None:
    found = route(limits)
    assert ids(found) == expected
    assert {*expected, *(left.model for left in found.left_out)} == {one.id for one in ALL}
    assert all(left.why for left in found.left_out)
    assert found.reason


def test_reasons_of_wishes() -> None:
    assert route(Limits(model="opus")).attempts[0].reason == "you asked for it, $0.0280"
    assert route(Limits(model="opus")).reason.endswith("only opus, as you asked")
    assert why(route(Limits(model="opus")), "haiku").why == "you asked for opus"
    assert why(route(Limits(max_tier="free")), "opus").cure == "--max-tier premium"
    assert why(route(Limits(tier="free")), "opus").why == "you asked for the tier free only"
    assert route(Limits(routing=False)).reason.endswith("one attempt in premium, routing is off")
    assert route(Limits(tier="index")).reason.endswith("no model may be asked")
    assert route(Limits(max_tier="local")).reason.endswith("local only")


def test_one_id_at_two_providers_is_asked_once() -> None:
    twin = replace(LOCAL, provider="openai", tier="budget", local=False)
    found = route(Limits(model="qwen"), LOCAL, twin)
    assert [(attempt.model.provider) for attempt in found.attempts] == ["ollama"]
    assert found.left_out[0].why == "one model is asked only"


def test_a_local_tag_may_be_left_off() -> None:
    latest = replace(LOCAL, id="qwen:latest")
    PRICES["qwen:latest"] = 0
    assert ids(route(Limits(model="qwen"), latest)) == ["qwen:latest"]


def test_without_consent_nothing_is_asked_and_the_cure_is_told() -> None:
    found = route(refused=("anthropic", "groq"))
    assert ids(found) == ["qwen", "flash"]
    assert why(found, "opus").cure == "optimize consent grant anthropic"
    assert "no consent" in why(found, "oss").why


def test_consent_is_not_asked_about_what_is_not_wanted() -> None:
    asked: list[str] = []

    def consented(one: Model) -> bool:
        asked.append(one.id)
        return True

    choose(TASK, ALL, Limits(tier="local"), lambda *_: 0, consented)
    assert asked == ["qwen"]


def test_prompt_and_answer_must_fit_the_window() -> None:
    tight, exact = replace(LOCAL, window=4599), replace(LOCAL, window=4600)
    assert ids(route(None, tight)) == []
    assert why(route(None, tight), "qwen").why == "its window of 4599 tokens cannot hold 4600"
    assert ids(route(None, exact)) == ["qwen"]


@given(
    picks=st.lists(st.sampled_from(ALL), max_size=20),
    tier=st.sampled_from(("", *TIERS)),
    highest=st.sampled_from(TIERS),
    routing=st.booleans(),
)
def test_at_most_one_a_tier_in_order_and_none_forgotten(
    picks: list[Model], tier: str, highest: str, routing: bool
) -> None:
    models = [replace(one, id=f"{one.id}-{n}") for n, one in enumerate(picks)]
    limits = Limits(tier=tier, max_tier=highest, routing=routing)
    found = choose(TASK, models, limits, lambda one, _: PRICES[one.id.split("-")[0]], lambda _: True)
    tiers = [TIERS.index(attempt.model.tier) for attempt in found.attempts]
    assert tiers == sorted(set(tiers))
    assert all(level <= TIERS.index(highest) for level in tiers)  # type: ignore[arg-type]
    assert len(found.attempts) <= (1 if not routing or tier else 4)
    assert sorted([*ids(found), *(left.model for left in found.left_out)]) == sorted(one.id for one in models)


@pytest.mark.parametrize(
    ("micro", "text"), [(None, "price unknown"), (0, "free"), (1_400, "$0.0014"), (10**7, "$10.0000")]
)
def test_money(micro: int | None, text: str) -> None:
    assert money(micro) == text
