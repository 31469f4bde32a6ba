"""A prompt little above a step of a model's price is cut to stay below it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from optimizer.context.budget import count_tokens
from optimizer.engine.run import run
from optimizer.engine.services import Services
from optimizer.events import Event, Notice
from optimizer.ledger.prices import PriceStep, Tariff
from optimizer.retrieval import Query
from optimizer.routing.score import Candidate
from optimizer.types import Model
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

QUESTION = Query("how do the parse functions of calc.py split a text?")
CODE = "".join(f"def parse_{n}(text):\n    return text.split({n})\n\n\n" for n in range(300))


@pytest.fixture
def services(
    make_repo: Callable[[Mapping[str, str | bytes]], Path], loopback: Loopback, tmp_path: Path
) -> Iterator[Services]:
    """A user of one local server."""
    home = tmp_path / "home"
    (home / ".config/optimizer").mkdir(parents=True)
    (home / ".config/optimizer/config.toml").write_text(loopback.config("ollama"))
    loopback.served["ollama"] = ("qwen2.5-coder:7b",)
    loopback.answer("ollama", lambda asked: Reply("It is split in calc.py:2.", tokens=Tokens(len(asked.raw) // 3, 9)))
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}
    with open_services(Start(make_repo({"calc.py": CODE}), env, {}), lambda _: None, lambda _: None) as opened:
        yield opened


def stepped(services: Services, above: int) -> Services:
    """The services where all models cost five times as much above a number of tokens."""
    rates = Tariff((PriceStep(0, 0.001, 0.001, 0.001, 0.001), PriceStep(above, 0.005, 0.005, 0.005, 0.005)))

    def candidates(models: Sequence[Model], at: datetime) -> tuple[Candidate, ...]:
        return tuple(replace(one, tariff=rates) for one in services.calls.candidates(models, at))

    return services._replace(calls=services.calls._replace(candidates=candidates))


def asked(services: Services, loopback: Loopback) -> tuple[list[Event], str]:
    """What a run told, and what the model was shown."""
    before = len(loopback.asked("ollama"))
    events = list(run(QUESTION, services))
    (request,) = loopback.asked("ollama")[before:]
    return events, request.text


def cuts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice) and "tokens of code less" in event.text]


def test_the_least_of_the_code_is_left_out(services: Services, loopback: Loopback) -> None:
    events, whole = asked(stepped(services, 1_000_000), loopback)
    size = count_tokens(whole)
    assert whole.count("def parse_") > 20
    assert not cuts(events)

    events, cut = asked(stepped(services, round(size * 0.95)), loopback)
    assert size * 0.8 < count_tokens(cut) < size * 0.96
    assert cut.count("def parse_") < whole.count("def parse_")
    assert len(cuts(events)) == 1

    events, far = asked(stepped(services, size // 2), loopback)
    assert far == whole
    assert not cuts(events)
