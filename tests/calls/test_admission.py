"""What a call counts against the caps before it is made: from the second one on, the vendor's cache is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from optimizer.calls.admission import Admitted, admit
from optimizer.calls.services import CallServices
from optimizer.errors import BudgetReached, NoProvider
from optimizer.ledger.prices import PriceStep, Tariff
from optimizer.models.catalogue import Traits
from optimizer.routing.score import Candidate
from optimizer.types import Message, Model, Prompt
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start

HAIKU = Model("haiku", "anthropic", "budget", 200_000, 8_000, True, "tool", frozenset(), "proprietary", "Haiku")
RATES = Tariff((PriceStep(0, 1.0, 5.0, 0.1, 2.0),))
SENT, ANSWER = 10_000, 1_000
FRESH, WRITTEN = SENT * 1 + ANSWER * 5, SENT * 2 + ANSWER * 5


@pytest.fixture
def capped(
    make_repo: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path
) -> Iterator[Callable[[int], CallServices]]:
    """Services with a cap of so many micro-dollars a run."""
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    with open_services(Start(make_repo({"a.py": "A = 1\n"}), env, {}), lambda _: None, lambda _: None) as opened:

        def services(cap: int) -> CallServices:
            settings = replace(opened.calls.settings, budget_run=cap / 1e6, budget_ask=-1.0)
            known = (Candidate(HAIKU, RATES, Traits({})),)
            return replace(opened.calls, settings=settings, candidates=lambda models, at: known)

        yield services


def asked(turns: int, services: CallServices) -> Admitted | NoProvider | BudgetReached:
    messages = tuple(Message("user" if number % 2 == 0 else "assistant", "x") for number in range(turns))
    flow = admit("r-1", HAIKU, Prompt("", messages, (), ANSWER, SENT), services)
    with pytest.raises(StopIteration) as end:
        while True:
            next(flow)
    found: Admitted | NoProvider | BudgetReached = end.value.value
    return found


def test_a_first_call_counts_what_it_sends_and_a_later_one_what_it_writes_to_the_cache(
    capped: Callable[[int], CallServices],
) -> None:
    assert isinstance(asked(1, capped(FRESH)), Admitted)
    assert isinstance(asked(1, capped(FRESH - 1)), BudgetReached)
    assert isinstance(asked(3, capped(WRITTEN)), Admitted)
    assert isinstance(asked(3, capped(WRITTEN - 1)), BudgetReached)
