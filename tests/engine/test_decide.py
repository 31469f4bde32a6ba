"""What a route is made of: preferences, what is said of the cloud, and the hint of a request that no model serves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from optimizer.engine import decide
from optimizer.engine.services import Services
from optimizer.reasons import Cap, NoKey, Picked, Why
from optimizer.tiers import Tier
from optimizer.types import Attempt, LeftOut, Model, Route, Task
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start
from tests.loopback.server import Loopback

Opened = Callable[..., Services]


@pytest.fixture
def opened(
    make_repo: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path, loopback: Loopback
) -> Iterator[Opened]:
    """Services of a user with two local models and the given flags."""
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    memory = loopback.config("ollama").replace("[models]", "[models]\nmemory_gib = 64")
    (home / "config/config.toml").write_text("[local]\nrouter = 'tiny:1b'\n" + memory)
    loopback.served["ollama"] = ("qwen2.5-coder:7b", "tiny:1b")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "OPTIMIZER_HOME": str(home)}
    repository, closing = make_repo({"shop.py": "A = 1\n"}), []

    def services(**flags: object) -> Services:
        opening = open_services(Start(repository, env, flags), lambda _: None, lambda _: None)
        closing.append(opening)
        return opening.__enter__()

    yield services
    for one in closing:
        one.__exit__(None, None, None)


def model(id: str, provider: str, tier: Tier, local: bool = False) -> Model:
    return Model(id, provider, tier, 100_000, 8_000, True, "tool", frozenset(), "proprietary", id, local=local)


@pytest.mark.parametrize(("kind", "first"), [("quick", "tiny:1b"), ("explain", "qwen2.5-coder:7b")])
def test_the_small_model_of_the_settings_is_preferred_for_quick_questions_only(
    opened: Opened, kind: str, first: str
) -> None:
    services = opened()
    task = Task(kind, 0.1, (), False, 500, 100)  # type: ignore[arg-type]
    route = decide.route(task, services, services.models.available())
    assert route.attempts[0].model.id == first


@pytest.mark.parametrize(
    ("flags", "says"),
    [({}, True), ({"provider": "groq"}, False), ({"model": "gpt-oss"}, False), ({"tier": "free"}, False)],
)
def test_the_cloud_is_mentioned_where_no_flag_asks_for_it(opened: Opened, flags: dict[str, object], says: bool) -> None:
    left = (LeftOut("", "ollama", "local", Why.LOCAL_OFF),)
    plan = decide.route(Task("explain", 0.1, (), False, 500, 100), opened(), opened().models.available()).plan
    route = Route((Attempt(model("gpt-oss", "groq", "free"), Picked("only"), 0),), plan, left)
    assert bool(decide.to_the_cloud(route, opened(**flags))) is says
    here = Route((Attempt(model("tiny", "ollama", "local", local=True), Picked("only"), 0),), plan, left)
    assert not decide.to_the_cloud(here, opened(**flags))


def test_the_hint_is_about_the_exit_code_first_and_the_cheapest_tier_next(opened: Opened) -> None:
    plan = decide.route(Task("explain", 0.1, (), False, 500, 100), opened(), opened().models.available()).plan
    left = (
        LeftOut("a", "groq", "free", NoKey("GROQ_API_KEY")),
        LeftOut("b", "anthropic", "premium", Cap("run", 1, 1, 1)),
        LeftOut("c", "anthropic", "budget", Cap("day", 1, 1, 1)),
    )
    outcome = decide.unserved("r-1", Route((), plan, left), False)
    assert outcome.exit_code == 10
    assert outcome.hint == "optimize budget set day AMOUNT"
