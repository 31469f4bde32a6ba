"""The register of the models: health, quotas and places in the queue, over processes and restarts."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer import vendors
from optimizer.errors import AuthFailed, BadAnswer, ModelMissing, Overloaded, ProviderError, RateLimited
from optimizer.ledger.caps import CapName
from optimizer.models.state import NEVER, Health, Need, after_failure, after_success, fit
from optimizer.models.state_store import Admission, Bid, StateStore
from optimizer.providers.quotas import DAY, MINUTE, Quota, quotas, seconds
from optimizer.reasons import Failed, Resting, Shortage, Why

MODEL = "groq/oss"
CALL = Need(5000, 1500, 750)
Open = Callable[[], StateStore]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def another(tmp_path: Path, clock: Clock) -> Open:
    """Opens the same register again, as another process or a later one does."""
    return lambda: StateStore(tmp_path, lambda _: "account", now=clock, jitter=lambda: 0.5)


def admit(register: StateStore, ticket: int = 0, bid: Bid | None = None, cap: CapName | None = None) -> Admission:
    return register.admit(bid or Bid(MODEL, CALL), ticket, 300.0, lambda _: cap)


def health(register: StateStore) -> Health:
    return register.read({MODEL: ()}, "/repo")[MODEL].health


def test_rests_double_and_end_with_the_first_answer(another: Open, clock: Clock) -> None:
    rests = []
    for _ in range(12):
        run = another()
        granted = admit(run)
        assert granted.granted
        run.record_failure(MODEL, granted.ticket, Overloaded("groq answered 529"))
        rests.append(health(run).rests - clock.at)
        assert not admit(another()).granted
        resting = admit(another()).reason
        assert isinstance(resting, Resting) and resting.failure == "groq answered 529"
        clock.at = health(run).rests + 0.1
    assert rests[:4] == [0.75, 1.5, 3.0, 6.0]
    assert rests[-1] == 450.0
    run = another()
    failures = run.record_success(MODEL, admit(run).ticket, 2.0)
    assert failures == 12
    assert health(another()) == Health(seconds=2.0, calls=1) or not health(another()).failures
    assert another().record_success(MODEL, 0, 1.0) == 0


def test_a_model_fails_since_its_first_failure_in_a_row(another: Open, clock: Clock) -> None:
    run, began = another(), clock.at
    for _ in range(3):
        run.record_failure(MODEL, admit(run).ticket, Overloaded("529"))
        clock.at = health(run).rests + 1.0
    state = health(another()).state(clock.at)
    assert state == Failed(3, began, "529")
    run.record_success(MODEL, admit(run).ticket, 2.0)
    clock.at += 60.0
    run.record_failure(MODEL, admit(run).ticket, Overloaded("529"))
    assert health(run).since == clock.at, "an answer between them begins a new row"


def test_one_run_probes_a_model_after_its_rest(another: Open, clock: Clock) -> None:
    first = another()
    first.record_failure(MODEL, admit(first).ticket, Overloaded("529"))
    clock.at += 10
    probe = admit(another())
    assert probe.granted
    assert admit(another()).reason is Why.PROBING
    assert admit(another(), bid=Bid(MODEL, CALL, forced=True)).granted
    first.record_failure(MODEL, probe.ticket, None)
    assert admit(another()).granted


def test_a_probe_that_never_came_back_blocks_for_a_while_only(another: Open, clock: Clock) -> None:
    first = another()
    first.record_failure(MODEL, admit(first).ticket, Overloaded("529"))
    clock.at += 10
    assert admit(another()).granted
    clock.at += 121
    assert admit(another()).granted


@pytest.mark.parametrize(
    ("error", "rest"),
    [
        (RateLimited("429", wait=34.0), 34.0),
        (RateLimited("429", wait=7200.0, period="day"), 7200.0),
        (RateLimited("429"), 0.75),
        (Overloaded("529", wait=9.0), 9.0),
        (ModelMissing("404"), 2700.0),
        (AuthFailed("401"), 45.0),
        (BadAnswer("empty"), 0.0),
        (ProviderError("400"), 0.0),
    ],
)
def test_how_long_a_model_rests(error: ProviderError, rest: float) -> None:
    assert max(0.0, after_failure(Health(), error, 1000.0, 0.5).rests - 1000.0) == rest


def test_mean_seconds_move_with_each_answer() -> None:
    once = after_success(Health(), 2.0)
    assert once.seconds == 2.0
    assert after_success(once, 12.0).seconds == pytest.approx(5.0)


def test_what_headers_told_holds_for_all_runs_and_restarts(another: Open, clock: Clock) -> None:
    run = another()
    granted = admit(run)
    told = (Quota("tokens", MINUTE, 8000, 1500, clock.at + 40), Quota("requests", DAY, 1000, 3, clock.at + 9000))
    run.record_quotas(MODEL, granted.ticket, told)
    run.record_success(MODEL, granted.ticket, 1.0)
    later = admit(another())
    assert not later.granted and later.wait == 40.0
    assert later.reason == Shortage("tokens", MINUTE, 8000, 1500, 6500, clock.at + 40)
    clock.at += 41
    assert admit(another(), later.ticket).granted
    assert another().read({MODEL: ()}, "/repo")[MODEL].quotas[0].left == 2


def test_calls_under_way_count_until_headers_hold_them(another: Open, clock: Clock) -> None:
    first, second = another(), another()
    first.record_quotas(MODEL, 0, (Quota("tokens", MINUTE, 8000, 8000, clock.at + 60),))
    granted = admit(first)
    assert granted.granted
    assert not admit(second).granted
    first.record_quotas(MODEL, granted.ticket, (Quota("tokens", MINUTE, 8000, 7900, clock.at + 60),))
    assert admit(another()).wait > 0  # the one that waits is first
    clock.at += 6
    assert admit(another()).granted


def test_an_answer_is_made_smaller_to_fit(another: Open, clock: Clock) -> None:
    run = another()
    run.record_quotas(MODEL, 0, (Quota("tokens", MINUTE, 8000, 6000, clock.at + 60),))
    granted = admit(run)
    assert granted.granted and granted.output == 1000


def test_a_call_that_never_fits_is_not_queued(another: Open) -> None:
    run = another()
    limits = (Quota("tokens", MINUTE, 4000, 4000, 0.0),)
    refused = admit(run, bid=Bid(MODEL, CALL, quotas=limits))
    assert refused.wait == NEVER and not refused.granted
    assert refused.reason == Shortage("tokens", MINUTE, 4000, 4000, 6500, None)


def test_limits_known_beforehand_are_kept_without_any_header(another: Open, clock: Clock) -> None:
    limits = (Quota("requests", MINUTE, 2, 2, 0.0),)
    run = another()
    for _ in range(2):
        run.record_success(MODEL, admit(run, bid=Bid(MODEL, CALL, quotas=limits)).ticket, 1.0)
        clock.at += 10
    late = admit(another(), bid=Bid(MODEL, CALL, quotas=limits))
    assert not late.granted and late.wait == 40.0
    clock.at += 41
    assert admit(another(), late.ticket, Bid(MODEL, CALL, quotas=limits)).granted


def test_who_waits_longest_is_first_and_a_crash_blocks_nobody(another: Open, clock: Clock) -> None:
    run = another()
    run.record_quotas(MODEL, 0, (Quota("requests", MINUTE, 1, 0, clock.at + 3),))
    first, second = admit(another()), admit(another())
    clock.at += 4
    assert not admit(another(), second.ticket).granted, "it was second"
    assert admit(another(), first.ticket).granted
    crashed = admit(another())
    assert not crashed.granted
    clock.at += 301  # its place lapsed, and so did the call that was never closed
    assert admit(another()).granted


def test_a_cap_is_asked_with_what_is_pending_elsewhere(another: Open) -> None:
    pending: list[int] = []

    def broken(elsewhere: int) -> str:
        pending.append(elsewhere)
        return "day" if elsewhere else ""

    first = another().admit(Bid(MODEL, CALL, money=700), 0, 300.0, broken)
    assert first.granted
    assert another().admit(Bid("gemini/x", CALL, money=700), 0, 300.0, broken).broken == "day"
    assert pending == [0, 700]
    assert another().pending() == 700
    another().drop(first.ticket)
    assert another().pending() == 0


def test_accounts_are_told_apart(tmp_path: Path, clock: Clock) -> None:
    one, two = (StateStore(tmp_path, lambda _, name=name: name, now=clock) for name in ("a", "b"))  # type: ignore[misc]
    one.record_failure(MODEL, admit(one).ticket, AuthFailed("401"))
    assert not admit(one).granted
    assert admit(two).granted
    one.forget(MODEL)
    assert admit(one).granted


def test_a_warm_cache_is_known_until_it_lapses(another: Open, clock: Clock) -> None:
    another().record_cached(MODEL, "/repo", 4000, 300)
    assert another().read({MODEL: ()}, "/repo")[MODEL].warm == 4000
    assert another().read({MODEL: ()}, "/other")[MODEL].warm == 0
    clock.at += 301
    assert another().read({MODEL: ()}, "/repo")[MODEL].warm == 0


def test_rates_are_made_once_a_day_and_version(another: Open) -> None:
    made: list[str] = []

    def make(ref: str) -> dict[str, str]:
        made.append(ref)
        return {"ref": ref}

    for day, version in (("d1", "1"), ("d1", "1"), ("d1", "2"), ("d2", "2")):
        assert another().rates(["a"], day, version, make) == {"a": {"ref": "a"}}
    assert made == ["a", "a", "a"]


def test_a_damaged_register_is_begun_anew(another: Open, tmp_path: Path) -> None:
    run = another()
    run.record_failure(MODEL, 0, Overloaded("529"))
    run.close()
    (tmp_path / "standing.sqlite3").write_bytes(b"not a database, far from it" * 100)
    assert admit(another()).granted


def _run(state: str, calls: int, done: multiprocessing.Queue[list[float]]) -> None:
    register = StateStore(Path(state), lambda _: "")
    bid, times = Bid(MODEL, CALL, quotas=(Quota("requests", MINUTE, 6, 6, 0.0),)), []
    deadline = time.monotonic() + 4
    ticket = 0
    while len(times) < calls and time.monotonic() < deadline:
        answer = register.admit(bid, ticket, 30.0, lambda _: "")
        ticket = answer.ticket
        if answer.granted:
            times.append(time.time())
            register.record_success(MODEL, ticket, 0.0)
            ticket = 0
        else:
            time.sleep(0.05)
    done.put(times)


@pytest.mark.slow
def test_runs_at_the_same_time_keep_one_limit(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    done: multiprocessing.Queue[list[float]] = context.Queue()
    runs = [context.Process(target=_run, args=(str(tmp_path), 6, done)) for _ in range(3)]
    for run in runs:
        run.start()
    counts = [len(done.get(timeout=30)) for _ in runs]
    for run in runs:
        run.join(10)
    assert sum(counts) == 6


@pytest.mark.parametrize(
    ("text", "value"),
    [("34s", 34.0), ("2m59.56s", 179.56), ("7.66ms", 0.00766), ("1h2m", 3720.0), ("12", 12.0)]
    + [(junk, None) for junk in ("", "soon", "-5", "nan", "inf", "3x", "s", "1s!")],
)
def test_spans_as_vendors_write_them(text: str, value: float | None) -> None:
    assert seconds(text) == (None if value is None else pytest.approx(value))


def test_headers_of_each_vendor() -> None:
    groq = {
        "x-ratelimit-limit-requests": "1000", "x-ratelimit-remaining-requests": "999",
        "x-ratelimit-reset-requests": "1m26.4s", "x-ratelimit-limit-tokens": "8000",
        "x-ratelimit-remaining-tokens": "7500", "x-ratelimit-reset-tokens": "7.5s",
    }  # fmt: skip
    assert quotas(vendors.of("groq"), groq, 100.0) == (
        Quota("requests", DAY, 1000, 999, 186.4),
        Quota("tokens", MINUTE, 8000, 7500, 107.5),
    )
    assert quotas(vendors.of("openai"), groq, 100.0)[0].period == MINUTE
    anthropic = {
        "anthropic-ratelimit-input-tokens-limit": "50000", "anthropic-ratelimit-input-tokens-remaining": "1200",
        "anthropic-ratelimit-input-tokens-reset": "1970-01-01T00:02:00Z",
    }  # fmt: skip
    assert quotas(vendors.of("anthropic"), anthropic, 100.0) == (Quota("input", MINUTE, 50_000, 1200, 120.0),)
    assert (
        quotas(vendors.of("gemini"), {}, 0.0)
        == quotas(vendors.of("groq"), {"x-ratelimit-remaining-tokens": "many"}, 0.0)
        == ()
    )


def test_a_quota_that_was_reset_is_whole_again() -> None:
    spent = (Quota("requests", MINUTE, 30, 0, 50.0),)
    assert fit(spent, CALL, 49.0).wait == 1.0
    assert fit(spent, CALL, 50.0).wait == 0.0


def test_a_server_that_refused_tools_is_known_for_a_day(another: Open, clock: Clock, tmp_path: Path) -> None:
    assert another().without_tools([MODEL]) == frozenset()
    another().record_no_tools(MODEL)
    assert another().without_tools([MODEL, "groq/other"]) == {MODEL}
    elsewhere = StateStore(tmp_path, lambda _: "another account", now=clock)
    assert elsewhere.without_tools([MODEL]) == frozenset()
    clock.at += DAY + 1
    assert another().without_tools([MODEL]) == frozenset()
    another().record_no_tools(MODEL)
    another().forget(MODEL)
    assert another().without_tools([MODEL]) == frozenset()
