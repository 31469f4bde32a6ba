"""A week of a user's requests on a clock set by hand, against providers on loopback that keep their own limits."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from optimizer.engine.run import run
from optimizer.engine.services import Services
from optimizer.events import Finished, Recorded
from optimizer.git.identity import identify
from optimizer.ledger.store import day_bounds
from optimizer.privacy import consent
from optimizer.retrieval import Query
from optimizer.wiring.services import services as open_services
from optimizer.wiring.workspace import Start
from tests.loopback.replies import Reply, Tokens, refuse
from tests.loopback.server import Loopback, Received

MONDAY = datetime(2026, 11, 27, 7, tzinfo=UTC)
DOUBLES, DOUBLED_ON = "gemini-4-argon", 4  # what it costs doubles on the fifth day, in the price table
DAYS, REQUESTS_A_DAY = 7, 24
DAY_CAP = 0.03
TOKENS_A_MINUTE, REQUESTS_PER_DAY = 8000, 16
OUTAGES = {2: ("anthropic", 3.0), 4: ("groq", 2.0)}  # day -> who, for how many hours from nine o'clock
QUESTION = "explain how number {n} is parsed in parse_response"


@dataclass
class Hand:
    """The clock; it moves when it is moved, and when somebody sleeps."""

    at: datetime = MONDAY

    def seconds(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def now(self) -> datetime:
        return self.at


@dataclass
class Vendors:
    """What the providers do: Groq's limits by the minute and the day, outages, and answers that are right or wrong."""

    hand: Hand
    luck: random.Random = field(default_factory=lambda: random.Random(7))
    calls: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    refused_by_limit: int = 0
    failures: list[tuple[float, str, str]] = field(default_factory=list)

    def answer(self, asked: Received) -> Reply:
        """The reply to one request."""
        if self._is_out(asked.wire):
            self.failures.append((self.hand.seconds(), asked.wire, asked.model))
            return refuse(asked.wire, 503, "The service is down", "overloaded_error")
        used = Tokens(len(asked.raw) // 4, 120)
        headers = {}
        if asked.wire == "groq":
            if (refusal := self._limit(asked)) is not None:
                return refusal
            headers = self._left(asked.model)
        good = self.luck.random() < {"groq": 0.6, "anthropic": 0.8}.get(asked.wire, 0.7)
        where = "calc/parse.py:4" if good else "calc/nothing.py:12"
        return Reply(text=f"It is split at commas, see {where}.", tokens=used, headers=headers)

    def _is_out(self, wire: str) -> bool:
        who, hours = OUTAGES.get((self.hand.at - MONDAY).days, ("", 0.0))
        begin = self.hand.at.replace(hour=9, minute=0, second=0, microsecond=0)
        return who == wire and begin <= self.hand.at < begin + timedelta(hours=hours)

    def _recent(self, model: str, span: float) -> list[tuple[float, int]]:
        return [one for one in self.calls.get(model, []) if one[0] > self.hand.seconds() - span]

    def _limit(self, asked: Received) -> Reply | None:
        """Take the call from the limits, the answer budget counted as Groq does; a refusal when it does not fit."""
        need = len(asked.raw) // 4 + int(asked.body.get("max_completion_tokens", 0))
        minute = sum(tokens for _, tokens in self._recent(asked.model, 60))
        if minute + need > TOKENS_A_MINUTE or len(self._recent(asked.model, 86_400)) >= REQUESTS_PER_DAY:
            self.refused_by_limit += 1
            return refuse("groq", 429, "Rate limit reached", "rate_limit_exceeded", retry_after="30")
        self.calls.setdefault(asked.model, []).append((self.hand.seconds(), need))
        return None

    def _left(self, model: str) -> dict[str, str]:
        minute, day = self._recent(model, 60), self._recent(model, 86_400)
        oldest = day[0][0] + 86_400 - self.hand.seconds()
        return {
            "x-ratelimit-limit-tokens": str(TOKENS_A_MINUTE),
            "x-ratelimit-remaining-tokens": str(TOKENS_A_MINUTE - sum(tokens for _, tokens in minute)),
            "x-ratelimit-reset-tokens": "60s",
            "x-ratelimit-limit-requests": str(REQUESTS_PER_DAY),
            "x-ratelimit-remaining-requests": str(REQUESTS_PER_DAY - len(day)),
            "x-ratelimit-reset-requests": f"{oldest:.2f}s",
        }


def simulate(place: Path) -> dict[str, object]:
    """Live the week in an empty directory; returns the figures."""
    loopback, hand = Loopback(), Hand()
    vendors = Vendors(hand)
    try:
        for wire in ("groq", "anthropic", "gemini"):
            loopback.answer(wire, vendors.answer)
        with _opened(place, loopback, hand) as services:
            endings = [_request(services, hand, number) for number in range(DAYS * REQUESTS_A_DAY)]
            spent = [_spent(services, day) for day in range(DAYS + 1)]
            turned = _turned(services)
    finally:
        loopback.close()
    return {
        "requests": len(endings),
        "answered": sum(code == 0 for code, _ in endings),
        "ended_at_a_cap": sum(code == 10 for code, _ in endings),
        "calls": sum(calls for _, calls in endings),
        "refused_by_a_limit_that_was_announced": vendors.refused_by_limit,
        "dearest_day_micro_dollars": max(spent),
        "cap_of_a_day_micro_dollars": round(DAY_CAP * 1e6),
        "calls_into_outages": len(vendors.failures),
        "most_calls_of_a_model_in_an_hour_of_outage": _most_an_hour(vendors.failures),
        "probes_until_a_vendor_was_used_again": 1 + _late(vendors),
        "premium_calls_of_the_model_that_doubles_and_of_others": turned,
    }


def _request(services: Services, hand: Hand, number: int) -> tuple[int, int]:
    """One request, some in a burst, most ten minutes or more apart; its exit code, and how many calls it made."""
    day, turn = divmod(number, REQUESTS_A_DAY)
    if turn == 0:
        hand.at = max(hand.at, MONDAY + timedelta(days=day))
    hand.sleep(3 if number % 4 == 1 else 60 * (10 + number * 7 % 30))
    code, calls = 1, 0
    for event in run(Query(QUESTION.format(n=number)), services):
        calls += isinstance(event, Recorded)
        if isinstance(event, Finished):
            code = event.outcome.exit_code
    return code, calls


def _spent(services: Services, day: int) -> int:
    return services.calls.ledger().total(*day_bounds((MONDAY + timedelta(days=day)).astimezone().date()))[0]


def _turned(services: Services) -> dict[str, tuple[int, int]]:
    """Calls in premium, of the model whose price doubles and of others, before and after."""
    found = {"before": (0, 0), "after": (0, 0)}
    for one in services.calls.ledger().last(DAYS * REQUESTS_A_DAY * 4):
        if one.tier == "premium" and one.outcome != "provider-error":
            when = "after" if datetime.fromisoformat(one.at) >= MONDAY + timedelta(days=DOUBLED_ON) else "before"
            its, others = found[when]
            found[when] = (its + 1, others) if one.model_asked == DOUBLES else (its, others + 1)
    return found


def _most_an_hour(failures: list[tuple[float, str, str]]) -> int:
    hours: dict[tuple[str, int], int] = {}
    for at, _, model in failures:
        hours[model, int(at // 3600)] = hours.get((model, int(at // 3600)), 0) + 1
    return max(hours.values(), default=0)


def _late(vendors: Vendors) -> int:
    """Calls that failed for an outage that was over."""
    ends = {who: MONDAY + timedelta(days=day, hours=2 + hours) for day, (who, hours) in OUTAGES.items()}
    return sum(at > ends[who].timestamp() for at, who, _ in vendors.failures)


@contextmanager
def _opened(place: Path, loopback: Loopback, hand: Hand) -> Iterator[Services]:
    """The services of a run in a small repository, on the clock of the week."""
    root, home = place / "repo", place / "home"
    (root / "calc").mkdir(parents=True)
    (root / "calc/parse.py").write_text('def parse_response(text):\n    """Numbers."""\n\n    return text.split(",")\n')
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    config = home / "config"
    config.mkdir(parents=True)
    budget = f"[budget]\nday = {DAY_CAP}\nrun = -1\n[features]\nlocal-models = false\n"
    (config / "config.toml").write_text(loopback.config("groq", "anthropic", "gemini") + budget)
    rows = '[[model]]\nid = "gemini-*-lite"\nprovider = "gemini"\ntier = "budget"\n'
    rows += f'[[model]]\nid = "{DOUBLES}"\nprovider = "gemini"\nreasoning = 0.95\ncoding = 0.95\n'
    (config / "models.toml").write_text(rows)
    for wire in ("groq", "anthropic", "gemini"):
        consent.grant(
            home / "state",
            str(root),
            wire,
            loopback.url.removeprefix("http://"),
            partial(identify, root, home / "state"),
        )
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "OPTIMIZER_HOME": str(home)}
    env |= {"GROQ_API_KEY": "g-1", "ANTHROPIC_API_KEY": "a-1", "GEMINI_API_KEY": "m-1"}
    with open_services(Start(root, env, {}), lambda _: None, lambda _: None) as services:
        register = services.calls.states()
        register.now, register.sleep = hand.seconds, hand.sleep
        yield services._replace(calls=services.calls._replace(clock=hand.now))
