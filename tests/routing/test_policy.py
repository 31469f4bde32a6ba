from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer import reasons as r
from optimizer.errors import Overloaded, RateLimited
from optimizer.ledger.caps import Caps, Money
from optimizer.ledger.prices import PriceStep, Tariff
from optimizer.ledger.summary import Tally
from optimizer.models.catalogue import Traits
from optimizer.models.state import Health, Known, ModelState, after_failure, key
from optimizer.providers.quotas import DAY, MINUTE, Quota
from optimizer.routing.policy import Allowed, choose
from optimizer.routing.score import Candidate
from optimizer.types import TIERS, Attempt, LeftOut, Model, Route, Task, Tier
from tests.typed import typed

TASK = Task("edit", 0.35, (), True, 4000, 600)


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


NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLEAR = Known(NOW)
EVEN = Traits({"coding": 0.5})


def tariff(price: int | None) -> Tariff | None:
    """Rates at which TASK's prompt costs this much."""
    return None if price is None else Tariff((PriceStep(0, price / 4000, 0.0, price / 40_000, price / 4000),))


def candidate(one: Model, refused: tuple[str, ...] = (), traits: Traits = EVEN) -> Candidate:
    return Candidate(one, tariff(PRICES[one.id]), traits, one.provider not in refused)


def route(
    limits: Allowed | None = None,
    *models: Model,
    refused: tuple[str, ...] = (),
    task: Task = TASK,
    known: Known = CLEAR,
) -> Route:
    return choose(task, [candidate(one, refused) for one in models or ALL], limits or Allowed(), known)


def ids(found: Route) -> list[str]:
    return [attempt.model.id for attempt in found.attempts if not attempt.standby]


def standbys(found: Route) -> list[str]:
    return [attempt.model.id for attempt in found.attempts if attempt.standby]


def note(one: Attempt) -> r.Note | None:
    assert isinstance(one.reason, r.Picked)
    return one.reason.note


def left(found: Route, name: str) -> LeftOut:
    return next(one for one in found.left_out if one.model == name)


def test_one_attempt_a_tier_the_cheapest_first() -> None:
    found = route()
    assert ids(found) == ["qwen", "oss", "haiku", "sonnet"]
    assert [attempt.estimate for attempt in found.attempts if not attempt.standby] == [0, 0, 700, 14_000]
    assert standbys(found) == ["flash", "mystery", "opus"]
    assert found.plan == r.Plan()
    assert found.attempts[0].reason == r.Picked("only")
    assert found.attempts[2].reason == r.Picked("cheapest", 3)


def test_every_model_that_is_not_first_has_its_reason() -> None:
    spare = model("spare", "budget", "spare")
    PRICES["spare"] = 6_000
    found = route(None, *ALL, spare)
    why = {attempt.model.id: attempt.reason for attempt in found.attempts}
    assert why["flash"] == r.Reserve(r.Behind("price", "haiku", 5_250, 700))
    assert why["opus"] == r.Reserve(r.Behind("price", "sonnet", 28_000, 14_000))
    assert left(found, "mystery").reason == r.Behind("unknown price", "haiku")
    assert {*why, *(left.model for left in found.left_out)} == {one.id for one in (*ALL, spare)}


def test_equal_prices_keep_the_order_of_preference() -> None:
    other = model("coder", "free")
    PRICES["coder"] = 0
    assert ids(route(None, FREE, other)) == ["oss"]
    assert ids(route(None, other, FREE)) == ["coder"]
    assert route(None, other, FREE).attempts[1].reason == r.Reserve(r.Behind("order", "coder"))


def test_an_unknown_price_is_last_but_not_left_out() -> None:
    (only,) = route(None, MYSTERY).attempts
    assert (only.model.id, only.reason, only.estimate) == ("mystery", r.Picked("only"), None)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Allowed(tier="budget"), ["haiku"]),
        (Allowed(tier="premium"), ["sonnet"]),
        (Allowed(tier="index"), []),
        (Allowed(max_tier="free"), ["qwen", "oss"]),
        (Allowed(max_tier="index"), []),
        (Allowed(provider="anthropic"), ["haiku", "sonnet"]),
        (Allowed(model="opus"), ["opus"]),
        (Allowed(model="opus", routing=False), ["opus"]),
        (Allowed(model="opus", max_tier="budget"), []),
        (Allowed(model="haiku", provider="gemini"), []),
        (Allowed(model="nothing"), []),
        (Allowed(routing=False), ["sonnet"]),
        (Allowed(routing=False, max_tier="free"), ["oss"]),
        (Allowed(routing=False, tier="local"), ["qwen"]),
    ],
)
def test_what_the_user_asks_for_wins(limits: Allowed, expected: list[str]) -> None:
    found = route(limits)
    assert ids(found) == expected
    assert {*expected, *standbys(found), *(left.model for left in found.left_out)} == {one.id for one in ALL}
    assert not (standbys(found) and (limits.model or not limits.routing))


def test_reasons_of_wishes() -> None:
    named = route(Allowed(model="opus"))
    assert (named.attempts[0].reason, named.attempts[0].estimate) == (r.Picked("named"), 28_000)
    assert named.plan == r.Plan(only="opus")
    assert typed(left(named, "haiku").reason) == typed(r.AskedModel("opus"))
    assert typed(left(route(Allowed(max_tier="free")), "opus").reason) == typed(r.AboveTier("free"))
    assert typed(left(route(Allowed(tier="free")), "opus").reason) == typed(r.AskedTier("free"))
    alone = route(Allowed(routing=False))
    assert (alone.plan, left(alone, "haiku").reason) == (r.Plan(routing=False), r.Why.ROUTING_OFF)


def test_one_id_at_two_providers_is_asked_once() -> None:
    twin = LOCAL._replace(provider="openai", tier="budget", local=False)
    found = route(Allowed(model="qwen"), LOCAL, twin)
    assert [(attempt.model.provider) for attempt in found.attempts] == ["ollama"]
    assert found.left_out[0].reason is r.Why.ONE_MODEL


def test_a_local_tag_may_be_left_off() -> None:
    latest = LOCAL._replace(id="qwen:latest")
    PRICES["qwen:latest"] = 0
    assert ids(route(Allowed(model="qwen"), latest)) == ["qwen:latest"]


def test_without_consent_nothing_is_asked() -> None:
    found = route(refused=("anthropic", "groq"))
    assert ids(found) == ["qwen", "flash"]
    assert (left(found, "opus").reason, left(found, "opus").provider) == (r.Why.CONSENT, "anthropic")
    assert left(found, "oss").reason is r.Why.CONSENT


def test_prompt_and_answer_must_fit_the_window() -> None:
    tight, exact = LOCAL._replace(window=4599), LOCAL._replace(window=4600)
    assert ids(route(None, tight)) == []
    assert typed(left(route(None, tight), "qwen").reason) == typed(r.Window(4599, 4600))
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
    models = [one._replace(id=f"{one.id}-{n}") for n, one in enumerate(picks)]
    limits = Allowed(tier=tier, max_tier=highest, routing=routing)
    rated = [Candidate(one, tariff(PRICES[one.id.split("-")[0]]), EVEN) for one in models]
    found = choose(TASK, rated, limits, CLEAR)
    tiers = [TIERS.index(attempt.model.tier) for attempt in found.attempts if not attempt.standby]
    assert tiers == sorted(set(tiers))
    assert all(level <= TIERS.index(highest) for level in tiers)  # type: ignore[arg-type]
    assert len(tiers) <= (1 if not routing or tier else 4)
    assert sorted([*ids(found), *standbys(found), *(left.model for left in found.left_out)]) == sorted(
        one.id for one in models
    )


def known(one: Model, **facts: object) -> Known:
    """A standing in which one model is in some state."""
    return Known(NOW, {key(one): replace(ModelState(), **facts)})


def test_a_model_that_failed_rests_and_the_next_takes_its_place() -> None:
    health = after_failure(Health(failures=6, since=1.0), Overloaded("haiku answered 529"), NOW.timestamp(), 0.5)
    found = route(known=known(CHEAP, health=health))
    assert ids(found) == ["qwen", "oss", "flash", "sonnet"]
    assert typed(left(found, "haiku").reason) == typed(r.Resting(NOW.timestamp() + 48, "haiku answered 529"))
    assert ids(route(Allowed(model="haiku"), known=known(CHEAP, health=health))) == ["haiku"]


def test_a_rest_that_is_over_soon_is_waited_for() -> None:
    health = after_failure(Health(), RateLimited("429", wait=10.0), NOW.timestamp(), 0.5)
    second = route(known=known(FREE, health=health)).attempts[1]
    assert (second.model.id, second.reason) == ("oss", r.Picked("only", note=r.Later(limit=0.0, rest=10.0)))
    assert "oss" not in ids(route(Allowed(wait=5.0), known=known(FREE, health=health)))


def test_a_model_that_is_first_because_a_cheaper_one_has_to_wait_is_not_called_the_cheapest() -> None:
    health = after_failure(Health(), RateLimited("429", wait=10.0), NOW.timestamp(), 0.5)
    first, second = route(None, CHEAP, DEARER, known=known(CHEAP, health=health)).attempts
    assert (first.model.id, second.model.id) == ("flash", "haiku")
    assert first.reason == r.Picked("one", 2)
    assert second.reason == r.Reserve(r.Behind("wait", "flash", later=r.Later(limit=0.0, rest=10.0)))


def test_only_one_run_tries_a_model_that_failed() -> None:
    after = Health(failures=2, rests=NOW.timestamp() - 1)
    assert ids(route(known=known(FREE, health=after)))[1] == "oss"
    tried = replace(after, probing=NOW.timestamp() + 60)
    assert left(route(known=known(FREE, health=tried)), "oss").reason is r.Why.PROBING


def test_a_request_that_does_not_fit_a_quota_is_not_sent() -> None:
    def quota(what: str, period: int, size: int, left: int, wait: float) -> Known:
        return known(FREE, quotas=(Quota(what, period, size, left, NOW.timestamp() + wait),))

    limits = Allowed(answer=1500)
    assert ids(route(limits, known=quota("tokens", MINUTE, 8000, 5500, 40)))[1] == "oss"
    late = route(limits, known=quota("tokens", MINUTE, 8000, 4500, 40))
    assert left(late, "oss").reason == r.Shortage("tokens", MINUTE, 8000, 4500, 5500, NOW.timestamp() + 40)
    soon = route(limits, known=quota("tokens", MINUTE, 8000, 4500, 12))
    assert soon.attempts[1].reason == r.Picked("only", note=r.Later(limit=12.0, rest=0.0))
    never = route(limits, known=quota("tokens", MINUTE, 4000, 4000, 0))
    assert left(never, "oss").reason == r.Shortage("tokens", MINUTE, 4000, 4000, 5500, None)
    spent = route(limits, known=quota("requests", DAY, 1000, 0, 9000))
    assert left(spent, "oss").reason == r.Shortage("requests", DAY, 1000, 0, 1, NOW.timestamp() + 9000)
    assert "oss" in ids(route(limits, known=quota("requests", DAY, 1000, 0, -1)))


def test_a_cap_that_is_spent_leaves_local_and_free() -> None:
    spent = Known(NOW, money=Money(Caps(day=5_000_000, unknown=30.0), day=4_999_900))
    found = route(known=spent)
    assert ids(found) == ["qwen", "oss"]
    assert left(found, "haiku").reason == r.Cap("day", 5_000_000, 4_999_900, 700)
    pending = Known(NOW, money=Money(Caps(day=5_000_000, unknown=30.0), pending=4_999_900))
    assert ids(route(known=pending)) == ["qwen", "oss"]
    assert ids(route(known=Known(NOW, money=Money(Caps(run=1_000, unknown=30.0))))) == ["qwen", "oss", "haiku"]


def test_an_unknown_price_counts_at_its_rate() -> None:
    caps = Caps(day=100_000, unknown=30.0)
    found = route(None, MYSTERY, known=Known(NOW, money=Money(caps)))
    assert left(found, "mystery").reason == r.Cap("day", 100_000, 0, 138_000, priced=False)
    assert ids(route(None, MYSTERY, known=Known(NOW, money=Money(replace(caps, day=200_000))))) == ["mystery"]


def test_a_dear_call_is_marked() -> None:
    found = route(known=Known(NOW, money=Money(Caps(ask=10_000))))
    asks = {one.model.id: one.reason.asks for one in found.attempts if isinstance(one.reason, r.Picked)}
    assert asks == {"qwen": False, "oss": False, "haiku": False, "sonnet": True}


def learned(**tallies: tuple[int, int]) -> Known:
    """Tries and successes of models on tasks like TASK."""
    by_id = {one.id: one for one in ALL}
    return Known(
        NOW, tallies={(key(by_id[name]), "edit"): Tally(tries, good) for name, (tries, good) in tallies.items()}
    )


def test_what_is_learned_moves_the_start() -> None:
    assert ids(route(known=learned(qwen=(30, 0))))[0] == "oss"
    assert typed(left(route(known=learned(qwen=(30, 0))), "qwen").reason) == typed(r.Hopeless(0, 30))
    assert ids(route(known=learned(qwen=(30, 5))))[0] == "qwen"
    assert route(known=learned(qwen=(30, 5))).attempts[0].reason == r.Picked("only", accepted=5, tries=30)
    assert ids(route(Allowed(tier="local"), known=learned(qwen=(30, 0)))) == ["qwen"]


def test_a_cheap_model_that_fails_is_dearer_to_an_accepted_answer() -> None:
    assert ids(route(None, CHEAP, DEARER, known=learned(haiku=(40, 1), flash=(40, 40)))) == ["flash"]


def test_a_step_that_costs_more_than_it_saves_is_left_out() -> None:
    found = route(None, DEARER, SONNET, known=learned(flash=(20, 2)))
    assert ids(found) == ["sonnet"]
    reason = left(found, "flash").reason
    assert isinstance(reason, r.NoSaving) and reason.cost == 5_250 and 0 < reason.saves < reason.cost


def test_a_warm_cache_is_kept_when_throwing_it_away_costs_more() -> None:
    rival = SONNET._replace(id="rival", provider="rival")
    PRICES["rival"] = 13_000
    assert ids(route(None, SONNET, rival)) == ["rival"]
    warm = route(None, SONNET, rival, known=known(SONNET, warm=3500))
    assert ids(warm) == ["sonnet"]
    assert typed(note(warm.attempts[0])) == typed(r.Cached(3500))


def test_a_price_step_is_stayed_under() -> None:
    long = TASK._replace(input_tokens=120_000)
    wide = [one._replace(window=1_000_000) for one in (CHEAP, DEARER)]
    stepped = Tariff((PriceStep(0, 0.1, 0.5, 0.01, 0.1), PriceStep(100_000, 0.5, 2.5, 0.05, 0.5)))
    flat = Tariff((PriceStep(0, 0.2, 0.8, 0.2, 0.2),))
    rated = [Candidate(one, rates, EVEN) for one, rates in zip(wide, (stepped, flat), strict=True)]
    assert ids(choose(TASK, rated, Allowed(), CLEAR)) == ["haiku"]
    found = choose(long, rated, Allowed(), CLEAR)
    assert ids(found) == ["flash"]
    assert stepped.ceiling(120_000) == 100_000 and not stepped.ceiling(100_000)


def test_a_prompt_little_above_a_price_step_is_priced_as_cut_to_it() -> None:
    wide = CHEAP._replace(window=1_000_000)
    stepped = Tariff((PriceStep(0, 0.1, 0.5, 0.01, 0.1), PriceStep(100_000, 0.5, 2.5, 0.05, 0.5)))
    just, far = (TASK._replace(input_tokens=tokens) for tokens in (104_000, 120_000))
    first, second = (
        choose(task, [Candidate(wide, stepped, EVEN)], Allowed(), CLEAR).attempts[0] for task in (just, far)
    )
    assert first.estimate == stepped.cost(100_000, TASK.output_tokens)
    assert typed(note(first)) == typed(r.Trimmed(4000, 100_000))
    assert second.estimate == stepped.cost(120_000, TASK.output_tokens)
    assert typed(note(second)) == typed(r.HigherRate(100_000))


def test_no_cloud_model_stands_by_for_a_local_one() -> None:
    other = LOCAL._replace(id="coder")
    PRICES["coder"] = 0
    found = route(None, LOCAL, other, FREE)
    behind = [attempt.model for attempt in found.attempts if attempt.standby]
    assert [one.id for one in behind] == ["coder"] and all(one.local for one in behind)
    assert not standbys(route(Allowed(model="qwen"), LOCAL, other, FREE))


def test_another_provider_stands_by_before_the_same_one() -> None:
    sister = CHEAP._replace(id="sister")
    PRICES["sister"] = 800
    assert standbys(route(None, CHEAP, sister, DEARER)) == ["flash", "sister"]
    named = Traits({"coding": 0.5}, fallback=("sister",))
    rated = [candidate(CHEAP, traits=named), candidate(sister), candidate(DEARER)]
    assert standbys(choose(TASK, rated, Allowed(), CLEAR)) == ["sister", "flash"]


def locals_of(*rated: tuple[str, float, bool], fallback: tuple[str, ...] = ()) -> Route:
    """The route among local models: name, strength in coding, whether it is loaded; `fallback` is the first one's."""
    found = []
    for name, strength, loaded in rated:
        PRICES[name] = 0
        one = LOCAL._replace(id=name, resident=loaded)
        found.append(candidate(one, traits=Traits({"coding": strength}, fallback=() if found else fallback)))
    return choose(TASK, found, Allowed(), CLEAR)


def test_a_loaded_model_stands_by_first_for_a_local_one() -> None:
    found = locals_of(("best", 0.8, False), ("next", 0.7, False), ("loaded", 0.5, True), ("last", 0.4, False))
    assert (ids(found), standbys(found)) == (["best"], ["loaded", "next"])
    why = {attempt.model.id: attempt.reason for attempt in found.attempts}
    assert why["loaded"] == r.Reserve(r.Behind("chance", "best"), loaded=True)
    assert why["next"] == r.Reserve(r.Behind("chance", "best"))
    named = locals_of(("best", 0.8, False), ("named", 0.7, False), ("loaded", 0.5, True), fallback=("named",))
    assert standbys(named) == ["loaded", "named"], "what must be loaded may meet the same lack of room"


def test_a_loaded_model_that_cannot_do_the_job_stands_by_in_its_turn() -> None:
    weak = locals_of(("best", 0.8, False), ("next", 0.7, False), ("third", 0.6, False), ("loaded", 0.3, True))
    assert standbys(weak) == ["next", "third"], "less than half as likely to succeed"
    hopeless = locals_of(("best", 0.25, False), ("next", 0.235, False), ("third", 0.23, False), ("loaded", 0.119, True))
    assert standbys(hopeless) == ["next", "third"]


def test_a_loaded_model_is_preferred_to_one_that_is_a_little_better() -> None:
    loaded = LOCAL._replace(id="coder", resident=True)
    PRICES["coder"] = 0
    weak, better = Traits({"coding": 0.45}), Traits({"coding": 0.7})
    found = choose(TASK, [candidate(LOCAL), candidate(loaded, traits=weak)], Allowed(), CLEAR)
    assert ids(found) == ["coder"]
    assert found.attempts[1].reason == r.Reserve(r.Behind("loaded", "coder"))
    found = choose(TASK, [candidate(LOCAL, traits=better), candidate(loaded, traits=weak)], Allowed(), CLEAR)
    assert ids(found) == ["qwen"]
