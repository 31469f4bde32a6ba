"""What a call counts against the caps before it is made, and which calls wait, are made again, or leave the queue."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from optimizer.calls.admission import Admitted, admit, failed, worth_another
from optimizer.calls.services import CallServices
from optimizer.db import leases
from optimizer.errors import (
    AuthFailed,
    BudgetReached,
    ModelMissing,
    NoProvider,
    NoRoom,
    Overloaded,
    ProviderError,
    RateLimited,
)
from optimizer.ledger.prices import PriceStep, Tariff
from optimizer.models.catalogue import Traits
from optimizer.models.state import key
from optimizer.providers.quotas import MINUTE, Quota
from optimizer.report.figures import dollars
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
            return opened.calls._replace(settings=settings, candidates=lambda models, at: known)

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
    refused = asked(3, capped(WRITTEN // 2))
    assert isinstance(refused, BudgetReached) and dollars(WRITTEN // 2) in refused.message


def test_a_call_of_unknown_price_counts_its_tokens_and_those_of_its_answer(
    capped: Callable[[int], CallServices],
) -> None:
    def unpriced(cap: int) -> CallServices:
        services = capped(cap)
        known = (Candidate(HAIKU, None, Traits({})),)
        settings = replace(services.settings, budget_unknown=2.0)
        return services._replace(settings=settings, candidates=lambda models, at: known)

    counted = 2 * (SENT + ANSWER)
    assert isinstance(asked(1, unpriced(counted)), Admitted)
    assert isinstance(asked(1, unpriced(counted - 1)), BudgetReached)


def held(services: CallServices) -> list[leases.Lease]:
    """The tickets of calls under way and the places in the queue."""
    with closing(sqlite3.connect(services.states().path)) as db:
        return list(leases.held(db, 0.0))


def test_a_call_that_would_wait_too_long_leaves_the_queue(capped: Callable[[int], CallServices]) -> None:
    services = capped(FRESH)
    states = services.states()
    spent = Quota("requests", MINUTE, 1, 0, states.now() + services.settings.limit_wait + 20.0)
    states.record_quotas(key(HAIKU), 0, (spent,))
    assert type(asked(1, services)) is NoProvider
    assert not held(services)


def test_each_call_has_a_ticket_of_its_own(capped: Callable[[int], CallServices]) -> None:
    services = capped(FRESH * 2)
    assert all(isinstance(asked(1, services), Admitted) for _ in range(2))
    assert len(held(services)) == 2
    assert services.states().pending() == FRESH * 2


def test_a_failed_call_is_closed_and_only_its_fault_is_remembered(capped: Callable[[int], CallServices]) -> None:
    services = capped(FRESH)
    for error, failures in ((None, 0), (Overloaded("529"), 1)):
        admitted = asked(1, services)
        assert isinstance(admitted, Admitted) and held(services) and services.states().pending() == FRESH
        failed(admitted, error, services)
        assert not held(services) and not services.states().pending()
        assert services.states().read({key(HAIKU): ()}, "")[key(HAIKU)].health.failures == failures


def test_a_local_model_that_is_not_there_yet_need_not_rest(capped: Callable[[int], CallServices]) -> None:
    services = capped(FRESH)
    for local, failures in ((True, 0), (False, 1)):
        admitted = asked(1, services)
        assert isinstance(admitted, Admitted)
        model = HAIKU._replace(provider="ollama" if local else "anthropic", local=local)
        failed(replace(admitted, candidate=replace(admitted.candidate, model=model)), ModelMissing("404"), services)
        assert services.states().read({key(model): ()}, "")[key(model)].health.failures == failures


@pytest.mark.parametrize(
    ("error", "retries", "again"),
    [
        (RateLimited("429", wait=9.0), 0, True),
        (RateLimited("429", wait=9.0), 1, True),
        (RateLimited("429", wait=9.0), 2, False),
        (RateLimited("429", wait=9.1), 0, False),
        (RateLimited("429"), 0, False),
        (Overloaded("529", wait=9.0), 0, True),
        (Overloaded("529"), 0, True),
        (Overloaded("529", wait=9.1), 0, False),
        (Overloaded("529", wait=9.0), 1, False),
        (NoRoom("no memory"), 0, False),
        (AuthFailed("401"), 0, False),
    ],
)
def test_a_model_is_asked_again_where_its_limit_passes_soon(
    capped: Callable[[int], CallServices], error: ProviderError, retries: int, again: bool
) -> None:
    services = capped(FRESH)
    services = services._replace(settings=replace(services.settings, limit_wait=9.0))
    assert worth_another(error, retries, services) is again
