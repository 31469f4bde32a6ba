"""Caps, what counts against them, and the rates that prices are reckoned with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from optimizer.ledger import prices
from optimizer.ledger.caps import Caps, Money, Spent, caps_from, counted, crossed, money, spent_today
from optimizer.ledger.prices import FREE, PriceStep, Tariff, day_of_tariffs, packed, tariff, unpacked
from optimizer.ledger.store import open_ledger
from optimizer.ledger.summary import Tally, tallies
from optimizer.models.catalogue import load_catalogue
from optimizer.settings import Settings
from optimizer.types import Model, Usage, UsageRecord

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def record(request: str, outcome: str, cost: int | None = 400, at: datetime = NOW, model: str = "m") -> UsageRecord:
    usage = Usage(3000, 1000, output=500)
    return UsageRecord(
        request, at.isoformat(), "budget", "M", "p", model, model, usage, 2.0, outcome, cost, "edit", "/repo"
    )


def test_the_defaults_cap_a_run_and_a_day() -> None:
    assert caps_from(Settings()) == Caps(run=500_000, day=5_000_000, ask=250_000, unknown=30.0)
    assert caps_from(Settings(budget_run=-1, budget_day=0)).run is None
    assert caps_from(Settings(budget_day=0)).day == 0


def test_what_is_spent_today_and_in_a_run(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    assert spent_today(ledger, NOW) == Spent()
    for one in (record("a", "answered"), record("b", "answered", None), record("b", "answered", 100)):
        ledger.add(one)
    ledger.add(record("c", "answered", at=NOW - timedelta(days=2)))
    assert spent_today(ledger, NOW) == Spent(500, 1, 4500)
    caps = Caps(day=10**6, unknown=30.0)
    assert counted(spent_today(ledger, NOW), caps) == 500 + 4500 * 30
    purse = money(ledger, caps, NOW, "b", pending=7)
    assert (purse.run, purse.day, purse.pending) == (100 + 4500 * 30, 500 + 4500 * 30, 7)
    ledger.close()


@pytest.mark.parametrize(
    ("purse", "charge", "cap"),
    [
        (Money(Caps(run=100, day=1000)), 100, None),
        (Money(Caps(run=100, day=1000)), 101, "run"),
        (Money(Caps(run=100, day=1000), day=950), 51, "day"),
        (Money(Caps(day=1000), day=900, pending=60), 41, "day"),
        (Money(Caps(day=0)), 1, "day"),
        (Money(Caps(day=0), day=10**9), 0, None),
        (Money(), 10**12, None),
    ],
)
def test_which_cap_a_call_would_break(purse: Money, charge: int, cap: str | None) -> None:
    assert purse.broken_by(charge) == cap


def test_an_unknown_price_is_never_free_against_a_cap() -> None:
    assert Money(Caps(unknown=30.0)).charge(None, 1000) == 30_000
    assert Money(Caps(day=0)).charge(None, 1000) == 1
    assert Money(Caps(day=0)).broken_by(1) == "day"
    assert Money().charge(0, 1000) == 0


def test_a_cap_is_told_of_once() -> None:
    assert crossed(79, 80, 100) and not crossed(80, 99, 100) and not crossed(0, 79, 100)
    assert not crossed(0, 5, None) and not crossed(0, 5, 0)


@pytest.mark.parametrize("size", [(1000, 100), (99_999, 1), (100_000, 5), (100_001, 5), (250_000, 3000)])
def test_rates_give_what_the_price_table_gives(size: tuple[int, int]) -> None:
    catalogue = load_catalogue(None)
    checked = 0
    for row in catalogue.rows:
        if row.exact:
            model = catalogue.describe(row.id, row.provider)
            rates = tariff(model.price_ref, NOW)
            listed = prices.list_price(model, Usage(*size[:1], output=size[1]), NOW)
            if rates is not None and listed is not None:
                checked += 1
                assert abs(rates.cost(*size) - listed) <= 1, model.id
    assert checked >= 8


def test_a_day_of_rates_is_kept_as_json() -> None:
    day = day_of_tariffs("deepseek:deepseek-flash", NOW)
    assert len(day) == 24 and len(set(day)) == 2, "it is dearer at certain hours"
    for hour in range(24):
        assert unpacked(packed(day), NOW.replace(hour=hour)) == day[hour]
    assert unpacked(packed((None,) * 24), NOW) is None
    assert tariff("nobody:nothing", NOW) is None


def test_cached_tokens_and_steps() -> None:
    rates = Tariff((PriceStep(0, 1.0, 2.0, 0.1, 1.25), PriceStep(100, 5.0, 10.0, 0.5, 6.25)))
    assert rates.cost(100, 10) == 120
    assert rates.cost(100, 10, cached=80) == 20 + 8 + 20
    assert rates.cost(101, 10) == 605
    assert (rates.ceiling(100), rates.ceiling(101)) == (0, 100)
    assert (rates.most(100, 10), rates.most(101, 10)) == (145, 732)
    assert FREE.cost(10**6, 10**6) == FREE.most(10**6, 10**6) == 0


@pytest.mark.parametrize(
    "model", [one for one in load_catalogue(None).examples() if one.price_ref], ids=lambda one: one.id
)
def test_no_call_costs_more_than_was_reckoned(model: Model) -> None:
    rates = tariff(model.price_ref, NOW)
    assert rates is not None
    fresh, written = Usage(input=9000, output=500), Usage(cache_read=2000, cache_write_5m=7000, output=500)
    assert 0 < (prices.list_price(model, fresh, NOW) or 0) <= rates.cost(9000, 500)
    assert 0 < (prices.list_price(model, written, NOW) or 0) <= rates.most(9000, 500)


def test_attempts_are_counted_by_what_became_of_them() -> None:
    found = tallies(
        [
            record("a", "answered"), record("a", "accepted"),  # two calls of one attempt
            record("b", "checks-failed"), record("c", "declined"), record("d", "proven"),
            record("e", "provider-error"), record("f", "cancelled"), record("g", "answered"),
        ]
    )  # fmt: skip
    assert found == {("p/m", "edit"): Tally(4, 2, 5 * 4000, 5 * 500, 10.0)}


def test_the_last_attempts_come_newest_first(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    assert ledger.last(5) == ()
    for name in "abc":
        ledger.add(record(name, "answered"))
    ledger.settle("c", "proven")
    assert [(one.request, one.outcome) for one in ledger.last(2)] == [("c", "proven"), ("b", "answered")]
    ledger.close()
