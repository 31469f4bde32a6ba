"""What profiles and roles wish of models, in the order of the route and in its reasons."""

from datetime import UTC, datetime
from pathlib import Path

from optimizer.config.profiles import Wanted, line_of, resolve
from optimizer.ledger.prices import PriceStep, Tariff
from optimizer.models.catalogue import Traits, load_catalogue
from optimizer.models.state import Known
from optimizer.reasons import Behind, By, KeptLocal, Lacks, Narrow, Picked, Plan, Preferred, Reserve
from optimizer.routing.policy import Allowed, choose, choose_with
from optimizer.routing.score import Candidate
from optimizer.types import LeftOut, Model, Needs, Route, Task, Tier
from tests.typed import typed

EDIT = Task("edit", 0.35, (), True, 4000, 600)
CLEAR = Known(datetime(2026, 11, 20, tzinfo=UTC))


def candidate(name: str, tier: Tier, price: int, traits: Traits, window: int = 100_000) -> Candidate:
    local = tier == "local"
    model = Model(name, "ollama" if local else "groq", tier, window, 8000, "tools" in traits.capabilities, "tool",
                  frozenset(), "unknown", name, local)  # fmt: skip
    return Candidate(model, Tariff((PriceStep(0, price / 4000, 0.0, 0.0, 0.0),)), traits)


TOOLS = frozenset({"tools"})
PHI = candidate("phi:4b", "local", 0, Traits({"coding": 0.6}, family="phi", latency="fast"), 16_000)
QWEN = candidate("qwen:7b", "local", 0, Traits({"coding": 0.5}, family="qwen", capabilities=TOOLS, profiles=("code",)))
OSS = candidate("oss", "budget", 100, Traits({}, family="gpt-oss", capabilities=TOOLS, profiles=("fast",)))
HAIKU = candidate("haiku", "budget", 700, Traits({}, family="claude", capabilities=TOOLS))
ALL = (PHI, QWEN, OSS, HAIKU)


def route(*wanted: Wanted, task: Task = EDIT, limits: Allowed | None = None) -> Route:
    return choose(task, ALL, limits or Allowed(wanted=wanted), CLEAR)


def first(found: Route, tier: str) -> tuple[str, Preferred | None]:
    """The model that is asked first in a tier, and why it is preferred."""
    one = next(one for one in found.attempts if one.model.tier == tier and not one.standby)
    assert isinstance(one.reason, Picked)
    return one.model.id, one.reason.preferred


def out(found: Route, name: str) -> LeftOut:
    return next(left for left in found.left_out if left.model == name)


def test_without_wishes_the_likelier_and_the_cheaper_come_first() -> None:
    found = route()
    assert (first(found, "local")[0], first(found, "budget")[0]) == ("phi:4b", "oss")


def test_a_family_a_name_and_the_catalogue_are_preferred_and_the_reason_says_so() -> None:
    family = route(Wanted(By("profile", "code"), families=("qwen", "claude")))
    qwen = Preferred(By("profile", "code"), "qwen")
    assert first(family, "local") == ("qwen:7b", qwen)
    assert first(family, "budget") == ("haiku", Preferred(By("profile", "code"), "claude"))
    behind = next(one for one in family.attempts if one.standby and one.model.id == "phi:4b")
    assert behind.reason == Reserve(Behind("preference", "qwen:7b", preferred=qwen))
    named = route(
        Wanted(By("role", "planner"), models=("PHI:*",)), Wanted(By("profile", "code"), families=("qwen", "claude"))
    )
    assert first(named, "local") == ("phi:4b", Preferred(By("role", "planner"), "phi:4b"))
    assert first(named, "budget") == ("haiku", Preferred(By("profile", "code"), "claude"))
    suited = route(Wanted(By("profile", "mine"), suits=("mine", "code")))
    assert first(suited, "local") == ("qwen:7b", Preferred(By("profile", "mine"), suits="code"))


def test_what_lacks_something_is_left_out_with_the_reason() -> None:
    found = route(Wanted(By("profile", "code"), requires=TOOLS))
    assert typed(out(found, "phi:4b").reason) == typed(Lacks(By("profile", "code"), ("tools",)))
    wide = route(Wanted(By("profile", "wide"), window=32_000))
    assert typed(out(wide, "phi:4b").reason) == typed(Narrow(By("profile", "wide"), 16_000, 32_000))
    here = route(Wanted(By("role", "critic"), local_only=True))
    assert {one.model.tier for one in here.attempts} == {"local"}
    assert typed(out(here, "oss").reason) == typed(KeptLocal(By("role", "critic")))


def test_a_model_that_the_user_names_is_asked_under_any_profile() -> None:
    wanted = (Wanted(By("profile", "code"), requires=TOOLS),)
    found = route(limits=Allowed(model="phi:4b", wanted=wanted))
    assert [one.model.id for one in found.attempts] == ["phi:4b"]


def test_where_no_model_fits_the_profile_that_stands_in_decides() -> None:
    seeing, plain = Wanted(By("profile", "art"), requires=frozenset({"vision"})), Wanted(By("profile", "general"))
    found = choose_with((seeing, plain), EDIT, ALL, Allowed(), CLEAR)
    assert found.attempts
    assert found.plan == Plan(profile=By("profile", "general"), instead_of=By("profile", "art"))
    alone = choose_with((seeing,), EDIT, ALL, Allowed(), CLEAR)
    assert not alone.attempts
    lacking = typed(*[Lacks(By("profile", "art"), ("vision",))] * len(ALL))
    assert typed(*(left.reason for left in alone.left_out)) == lacking
    assert choose_with((), EDIT, ALL, Allowed(), CLEAR) == choose(EDIT, ALL, Allowed(), CLEAR)


def test_what_a_task_needs_moves_models_within_their_tier() -> None:
    handy = route(task=Task("tool", 0.2, (), False, 4000, 400, Needs(4400, tools=True)))
    assert first(handy, "local")[0] == "qwen:7b"
    assert next(one.reason for one in handy.attempts if one.standby) == Reserve(Behind("preference", "qwen:7b"))
    slow = Candidate(PHI.model, PHI.tariff, Traits({"reasoning": 0.8, "coding": 0.8}, latency="slow"))
    quick = Candidate(QWEN.model, QWEN.tariff, Traits({"reasoning": 0.6, "coding": 0.6}, latency="fast"))
    for soon, name in ((False, "phi:4b"), (True, "qwen:7b")):
        task = Task("quick", 0.1, (), False, 500, 200, Needs(700, soon=soon))
        assert choose(task, (slow, quick), Allowed(), CLEAR).attempts[0].model.id == name


def test_shipped_profiles_leave_most_of_the_catalogue() -> None:
    catalogue = load_catalogue(None)
    models = [catalogue.describe(row.id, row.provider) for row in catalogue.rows if row.exact and row.unfit is None]
    every = [Candidate(one, Tariff((PriceStep(0, 0.1, 0.1, 0.1, 0.1),)), catalogue.traits(one)) for one in models]
    for name in ("fast", "general", "code", "creative"):
        profiles = line_of(resolve(name, Path("/nowhere")), Path("/nowhere"))
        found = choose_with(profiles, EDIT, every, Allowed(), CLEAR)
        by = By("profile", name)
        assert found.plan == Plan(profile=by)
        picked = [one.reason.preferred for one in found.attempts if isinstance(one.reason, Picked)]
        assert any(one and one.by == by for one in picked), name
