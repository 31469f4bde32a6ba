"""One process, several requests: another model, provider or profile for the next one, with every store left open."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from optimizer.engine.options import Options
from optimizer.engine.run import run
from optimizer.engine.services import Services
from optimizer.errors import ConfigError
from optimizer.events import Finished, Recorded
from optimizer.git.identity import identify
from optimizer.privacy import consent
from optimizer.retrieval import Query
from optimizer.types import UsageRecord
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

COMMAND = Path(sys.executable).with_name("optimize")
HAIKU, SONNET, OSS = "claude-haiku-5-5", "claude-sonnet-5-5", "openai/gpt-oss-120b"
ANSWER = Reply(text="It adds the numbers, see calc/parse.py:5.", tokens=Tokens(2000, 100))
CODE = 'def parse_response(text):\n    return text.split(",")\n\n\ndef total(text):\n    return 3\n'


@pytest.fixture
def other() -> Iterator[Loopback]:
    """The second vendor."""
    server = Loopback()
    yield server
    server.close()


@pytest.fixture
def env(tmp_path: Path) -> Mapping[str, str]:
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    keys = {"GROQ_API_KEY": "g-1", "ANTHROPIC_API_KEY": "a-1"}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "OPTIMIZER_HOME": str(home), **keys}


@pytest.fixture
def services(
    make_repo: Callable[[Mapping[str, str | bytes]], Path], env: Mapping[str, str], loopback: Loopback, other: Loopback
) -> Iterator[Services]:
    """The services of a process in a small repository, with two vendors that both answer."""
    root, home = make_repo({"calc/parse.py": CODE}), Path(env["HOME"])
    urls = f'groq = "{loopback.url}"\nanthropic = "{other.url}"\n'
    (home / "config/config.toml").write_text(f"[features]\nlocal-models = false\n[endpoints]\n{urls}")
    for name, server in (("groq", loopback), ("anthropic", other)):
        consent.grant(
            home / "state", str(root), name, server.url.removeprefix("http://"), partial(identify, root, home / "state")
        )
        server.answer(name, lambda _: ANSWER)
    with open_services(Start(root, env, {}), lambda _: None, lambda _: None) as opened:
        yield opened


def ask(services: Services, text: str = "explain total") -> UsageRecord:
    """Serve one request; the one call that it took."""
    events = list(run(Query(text), services))
    assert isinstance(events[-1], Finished) and events[-1].outcome.exit_code == 0
    (booked,) = [event.record for event in events if isinstance(event, Recorded)]
    return booked


def first_choice(services: Services) -> str:
    """The model that a request would be asked of first."""
    from optimizer.events import Routed

    routed = next(
        event for event in run(Query("explain total"), services, Options(dry_run=True)) if isinstance(event, Routed)
    )
    return routed.route.attempts[0].model.id


def test_the_second_request_is_answered_by_the_other_vendor(
    services: Services, loopback: Loopback, other: Loopback
) -> None:
    first = ask(services)
    assert (first.provider, first.model_asked) == ("groq", OSS)
    after = services.for_next({"model": HAIKU})
    second = ask(after)
    assert (second.provider, second.model_asked) == ("anthropic", HAIKU)
    assert len(loopback.asked("groq")) == 1 and [one.model for one in other.asked("anthropic")] == [HAIKU]
    kept = services.calls.ledger().last(10)
    assert {(one.provider, one.outcome) for one in kept} == {("groq", "accepted"), ("anthropic", "accepted")}
    assert second.cost and not first.cost


def test_no_store_is_opened_again(services: Services) -> None:
    ask(services)
    after = services.for_next({"model": HAIKU}).for_next({"model": None, "profile": "code"})
    assert after.workspace.index is services.workspace.index
    assert after.calls.ledger() is services.calls.ledger()
    assert after.calls.states() is services.calls.states()
    assert after.calls.memory() is services.calls.memory()


def test_model_provider_and_profile_are_for_the_next_request(services: Services, env: Mapping[str, str]) -> None:
    assert first_choice(services) == OSS
    there = services.for_next({"provider": "anthropic"})
    assert first_choice(there) == HAIKU
    assert first_choice(there.for_next({"tier": "premium"})) == SONNET, "the provider holds on"
    assert first_choice(there.for_next({"provider": None})) == OSS
    mine = Path(env["HOME"]) / "config/profiles/mine.toml"
    mine.parent.mkdir()
    mine.write_text("[settings]\nmax_tokens = 700\nprovider = 'anthropic'\n")
    profiled = services.for_next({"profile": "mine"})
    assert profiled.workspace.settings.max_tokens == 700 and first_choice(profiled) == HAIKU
    assert first_choice(services) == OSS, "a value: what was there stays as it is"
    with pytest.raises(ConfigError, match=r"\banthropic\b.*'antropic'"):
        services.for_next({"provider": "antropic"})


@pytest.mark.slow
def test_what_another_process_chooses_holds_for_the_next_request(services: Services, env: Mapping[str, str]) -> None:
    assert first_choice(services) == OSS

    def elsewhere(*words: str) -> None:
        subprocess.run(
            [COMMAND, "models", *words], cwd=services.workspace.root, env=env, check=True, capture_output=True
        )

    elsewhere("use", HAIKU)
    after = services.for_next({})
    assert after.models.pinned() == HAIKU and ask(after).model_asked == HAIKU
    assert first_choice(after.for_next({"model": OSS})) == OSS, "a flag is nearer"
    elsewhere("unlock")
    assert after.models.pinned() == HAIKU, "one request sees one choice"
    assert ask(after.for_next({})).model_asked == OSS


def test_settings_are_read_anew_and_hands_stay(services: Services, env: Mapping[str, str]) -> None:
    mine = services._replace(calls=services.calls._replace(clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)))
    file = Path(env["HOME"]) / "config/config.toml"
    file.write_text("max_tokens = 321\n" + file.read_text())
    after = mine.for_next({})
    assert after.workspace.settings.max_tokens == 321 and services.workspace.settings.max_tokens != 321
    assert after.calls.clock is mine.calls.clock


def test_another_account_has_a_standing_of_its_own(services: Services, env: Mapping[str, str], other: Loopback) -> None:
    file = Path(env["HOME"]) / "config/config.toml"
    file.write_text(
        file.read_text().replace("groq =", "#").replace("[endpoints]", f'[endpoints]\ngroq = "{other.url}"')
    )
    after = services.for_next({})
    assert after.calls.states() is not services.calls.states()
