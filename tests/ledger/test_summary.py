from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.ledger.store import day_bounds, open_ledger, stamp
from optimizer.ledger.summary import Latency, daily, percentile
from optimizer.types import Tier, Usage, UsageRecord

DAY = date(2026, 11, 20)


def record(request: str, label: str, tier: Tier, cost: int | None, outcome: str = "accepted") -> UsageRecord:
    return UsageRecord(
        request=request,
        at="2026-11-20T10:00:00.000000Z",
        tier=tier,
        label=label,
        provider="p",
        model_asked="m",
        model_served="m",
        usage=Usage(),
        seconds=1.0,
        outcome=outcome,
        cost=cost,
        task="edit",
        repository="/r",
    )


def test_a_day_as_it_is_printed() -> None:
    records = [
        *(record(f"l{n}", "Local", "local", 0) for n in range(32)),
        *(record(f"q{n}", "Groq", "free", 0) for n in range(7)),
        *(record(f"g{n}", "Gemini", "budget", 62_500) for n in range(4)),
        *(record(f"s{n}", "Sonnet", "premium", 150_000, "checks-failed") for n in range(2)),
    ]
    got = daily(records, DAY)
    assert (got.date, got.requests, got.succeeded, got.total, got.unknown) == (DAY, 45, 43, 550_000, 0)
    assert got.success_rate == pytest.approx(43 / 45)
    assert [(row.label, row.cost, row.requests, round(row.share * 100)) for row in got.labels] == [
        ("Local", 0, 32, 71),
        ("Groq", 0, 7, 16),
        ("Gemini", 250_000, 4, 9),
        ("Sonnet", 300_000, 2, 4),
    ]
    assert got.latency == Latency(1.0, 1.0, 1.0)


def test_a_plan_or_a_review_is_no_attempt_at_the_request() -> None:
    records = [
        record("a", "Opus", "premium", 9_000)._replace(task="plan"),
        record("a", "Local", "local", 0, "declined"),
        record("a", "Haiku", "budget", 700)._replace(task="review"),
        record("b", "Haiku", "budget", 700)._replace(task="summary"),
    ]
    got = daily(records, DAY)
    assert (got.requests, got.succeeded, got.total) == (2, 0, 10_400)
    assert {row.label: row.requests for row in got.labels} == {"Local": 1, "Haiku": 1, "Opus": 0}


def test_an_escalated_request_counts_once_and_is_paid_by_label() -> None:
    records = [
        record("a", "Local", "local", 0, "checks-failed")._replace(seconds=4.0),
        record("b", "Index", "index", 0)._replace(seconds=0.1),
        record("a", "Haiku", "budget", 700, "unusable")._replace(seconds=2.0),
        record("a", "Sonnet", "premium", 9_000)._replace(seconds=3.0),
    ]
    got = daily(records, DAY)
    assert (got.requests, got.succeeded, got.total) == (2, 2, 9_700)
    assert [(row.label, row.cost, row.requests) for row in got.labels] == [
        ("Index", 0, 1),
        ("Local", 0, 0),
        ("Haiku", 700, 0),
        ("Sonnet", 9_000, 1),
    ]
    assert got.latency == Latency(0.1, 9.0, 9.0)


def test_unknown_prices_are_counted_not_added() -> None:
    got = daily(
        [record("a", "X", "budget", None), record("b", "X", "budget", 5), record("b", "Y", "premium", None)], DAY
    )
    assert (got.total, got.unknown) == (5, 2)
    assert [(row.label, row.cost, row.unknown) for row in got.labels] == [("X", 5, 1), ("Y", 0, 1)]


@pytest.mark.parametrize("outcome", ["declined", "checks-failed", "unusable", "provider-error", "cancelled"])
def test_only_accepted_is_success(outcome: str) -> None:
    assert daily([record("a", "X", "free", 0, outcome)], DAY).success_rate == 0.0


def test_a_day_without_requests() -> None:
    got = daily([], DAY)
    assert (got.requests, got.success_rate, got.labels, got.total, got.latency) == (0, None, (), 0, None)


@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=300), percent=st.sampled_from([50, 95, 99]))
def test_nearest_rank_by_its_definition(values: list[float], percent: int) -> None:
    ordered = sorted(values)
    got = percentile(ordered, percent)
    assert got in ordered
    assert sum(value <= got for value in ordered) * 100 >= percent * len(ordered)
    assert sum(value < got for value in ordered) * 100 < percent * len(ordered)


def test_days_are_local() -> None:
    assert day_bounds(DAY, UTC) == ("2026-11-20T00:00:00.000000Z", "2026-11-21T00:00:00.000000Z")
    assert day_bounds(DAY, timezone(timedelta(hours=2)))[0] == "2026-11-19T22:00:00.000000Z"


def test_the_day_on_which_clocks_go_back_has_25_hours() -> None:
    start, end = day_bounds(date(2026, 10, 25), ZoneInfo("Europe/Berlin"))
    assert datetime.fromisoformat(end) - datetime.fromisoformat(start) == timedelta(hours=25)


def test_the_machines_own_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert day_bounds(DAY)[0] == "2026-11-19T15:00:00.000000Z"
    finally:
        monkeypatch.undo()
        time.tzset()


@given(
    day=st.dates(date(1980, 1, 1), date(2090, 1, 1)), zone=st.sampled_from(["UTC", "Africa/Cairo", "America/Sao_Paulo"])
)
def test_days_leave_no_gap(day: date, zone: str) -> None:
    start, end = day_bounds(day, ZoneInfo(zone))
    assert start < end == day_bounds(day + timedelta(days=1), ZoneInfo(zone))[0]


def test_from_the_ledger(tmp_path: Path) -> None:
    ledger, zone = open_ledger(tmp_path), timezone(timedelta(hours=-5))
    for hour in (-1, 0, 23, 24):
        at = stamp(datetime(2026, 11, 20, tzinfo=zone) + timedelta(hours=hour))
        ledger.add(record(f"h{hour}", "Groq", "free", 0)._replace(at=at))
    got = daily(ledger.records(*day_bounds(DAY, zone)), DAY)
    assert got.requests == 2
