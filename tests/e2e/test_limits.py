"""Caps, quotas and health from the command line: told, kept over runs, and each refusal with its exit code and cure."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from optimizer.git.identity import identify
from optimizer.models.pinned import pin, unpin
from optimizer.privacy.consent import grant
from tests.e2e.conftest import COMMAND, Optimize, Ran
from tests.loopback.replies import Reply, Tokens, gemini_quota, refuse
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

ASK = "explain parse_response"
GOOD = Reply(text="It splits the text at commas (calc/parse.py:4).", tokens=Tokens(2000, 100))


def configure(user: Optimize, loopback: Loopback, text: str) -> None:
    user.configure(loopback.config() + text)


def asked(ran: Ran) -> list[str]:
    """The models that were asked, from the notices that say so."""
    return [text.split()[1] for text in ran.notices("starting")]


def left_out(user: Optimize, *flags: str) -> dict[str, list[dict[str, Any]]]:
    """The facts of what a route leaves out, by code."""
    found = defaultdict[str, list[dict[str, Any]]](list)
    for left in user("route", ASK, "--json", *flags).events[0]["route"]["left_out"]:
        found[left["code"]].append(left["facts"])
    return found


def test_the_budget_is_shown_set_and_kept(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("anthropic", GOOD)
    assert user(ASK, "--tier", "budget").code == 0
    shown = user("budget", "--json").events[0]
    assert shown["spent"] == 2000 * 0.1 + 100 * 0.5 == shown["counted"]
    assert shown["caps"] == {"run": 500_000, "day": 5_000_000, "ask": 250_000}
    assert shown["left"] == 5_000_000 - 250
    assert "Left today:" in user("budget").out
    before = user.config.read_text()
    assert user("budget", "set", "day", "2.5").code == 0
    assert user("budget", "--json").events[0]["caps"]["day"] == 2_500_000
    assert user("budget", "set", "day", "off").code == 0
    assert user("budget", "--json").events[0]["caps"]["day"] is None
    assert user.config.read_text().startswith(before.rstrip("\n"))
    assert user("budget", "set", "day", "many").code == 2
    assert user("budget", "--json", cwd=user.home).events[0]["spent"] == shown["spent"], "it is shown anywhere"


def test_other_models_of_a_provider_that_is_not_there_are_passed_over(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    closed = "127.0.0.1:9"
    user.configure(loopback.config().replace(f'groq = "{loopback.url}"', f'groq = "http://{closed}"'))
    state = user.home / ".local/state/optimizer"
    grant(state, str(calc), "groq", closed, partial(identify, calc, state))
    loopback.served["ollama"] = ()
    loopback.answer("gemini", lambda _: GOOD)
    ran = user(ASK, "--json")
    assert ran.code == 0, ran.err
    assert [model.partition("-")[0] for model in asked(ran)] == ["openai/gpt", "gemini"]


def test_a_spent_day_steps_down_to_local_and_free(user: Optimize, loopback: Loopback) -> None:
    configure(user, loopback, "[budget]\nday = 0.0009\n")
    loopback.answer("anthropic", lambda _: Reply(text=GOOD.text, tokens=Tokens(2000, 1100)))
    first = user(ASK, "--tier", "budget", "--json")
    assert first.code == 0, first.err
    assert ["80%" in text for text in first.notices("cap-warning")] == [True]
    loopback.served["ollama"] = ()
    loopback.queue("groq", GOOD)
    second = user(ASK, "--json")
    assert second.code == 0, second.err
    assert asked(second) == ["openai/gpt-oss-120b"]
    assert ["groq" in text for text in second.notices("to-the-cloud")] == [True]
    third = user(ASK, "--tier", "budget")
    assert third.code == 10
    assert "optimize budget set day" in third.err
    assert len(loopback.asked("anthropic")) == 1


def test_a_cap_that_is_met_on_the_way_up_ends_with_10(user: Optimize, loopback: Loopback) -> None:
    configure(user, loopback, "[budget]\nrun = 0.003\n")
    wrong = Reply(text="See calc/nothing.py:12 for all of it.", tokens=Tokens(1000, 50))
    for wire in ("ollama", "groq", "gemini", "anthropic"):
        loopback.answer(wire, lambda _: wrong)
    ran = user(ASK, "--json")
    assert ran.code == 10
    spent = sum(event["cost"] for event in ran.events if event["event"] == "usage")
    assert 0 < spent <= 3000
    route = ran.event("route")["route"]
    left_out = {left["code"]: left["facts"] for left in route["left_out"] if left["tier"] == "premium"}
    assert (left_out["cap"]["cap"], left_out["cap"]["size"]) == ("run", 3000)


def test_a_dear_call_asks_first(user: Optimize, loopback: Loopback) -> None:
    configure(user, loopback, "[budget]\nask = 0.001\n")
    loopback.queue("anthropic", GOOD)
    refused = user(ASK, "--tier", "premium")
    assert refused.code == 10
    assert "--yes" in refused.err
    assert not loopback.asked("anthropic")
    assert user(ASK, "--tier", "premium", "--yes").code == 0


def test_a_model_that_is_overloaded_for_long_is_not_asked_again(user: Optimize, loopback: Loopback) -> None:
    arguments = (ASK, "--model", "claude-haiku-5-5")
    loopback.answer("anthropic", lambda _: refuse("anthropic", 529, "Overloaded", retry_after="3600"))
    ran = user(*arguments, "--json")
    assert ran.code == 6
    assert not ran.notices("asking-again")
    assert len(loopback.asked("anthropic")) == 1
    loopback.queue("anthropic", refuse("anthropic", 529, "Overloaded", retry_after="0"))
    loopback.answer("anthropic", lambda _: GOOD)
    again = user(*arguments)
    assert again.code == 0, again.err
    assert len(loopback.asked("anthropic")) == 3, "a short overload is"


def test_an_unknown_price_counts_at_its_rate(user: Optimize, loopback: Loopback) -> None:
    user.env["OPENAI_API_KEY"] = "o-1"
    models = user.config.with_name("models.toml")
    configure(user, loopback, "[budget]\nday = 0.1\n")
    row = '[[model]]\nid = "claude-mystery"\nprovider = "anthropic"\ntier = "budget"\n'
    models.write_text(row + 'price_ref = "anthropic:never-heard"\n')
    loopback.queue("anthropic", GOOD)
    ran = user(ASK, "--model", "claude-mystery")
    assert ran.code == 0, ran.err
    shown = user("budget", "--json").events[0]
    assert (shown["spent"], shown["unknown_calls"], shown["counted"]) == (0, 1, 2100 * 30)
    assert "$0.06" in user("budget").out
    again = user(ASK, "--model", "claude-mystery")
    assert again.code == 10
    (left,) = left_out(user, "--model", "claude-mystery")["cap"]
    assert left["priced"] is False


def test_a_limit_that_headers_told_is_kept_by_the_next_run(user: Optimize, loopback: Loopback) -> None:
    told = {
        "x-ratelimit-limit-tokens": "8000",
        "x-ratelimit-remaining-tokens": "100",
        "x-ratelimit-reset-tokens": "50s",
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-requests": "900",
    }
    loopback.served["ollama"] = ()
    loopback.queue("groq", Reply(text=GOOD.text, headers=told))
    loopback.queue("gemini", GOOD)
    assert user(ASK).code == 0
    (left,) = [one for one in left_out(user)["shortage"] if one["size"] == 8000]
    assert (left["left"], left["period"]) == (100, 60)
    second = user(ASK, "--json")
    assert second.code == 0, second.err
    assert asked(second) == ["gemini-3.5-flash-lite"]
    assert len(loopback.asked("groq")) == 1


def test_a_short_wait_is_shown_and_waited(user: Optimize, loopback: Loopback) -> None:
    loopback.served["ollama"] = ()
    loopback.queue("groq", refuse("groq", 429, "Rate limit reached", "rate_limit_exceeded", retry_after="2"), GOOD)
    begun = time.monotonic()
    ran = user(ASK, "--json")
    assert ran.code == 0, ran.err
    assert time.monotonic() - begun >= 2
    assert len(ran.notices("waiting")) == 1
    assert len(loopback.asked("groq")) == 2
    assert not loopback.asked("anthropic")


def test_a_limit_of_the_day_is_remembered(user: Optimize, loopback: Loopback) -> None:
    loopback.answer("gemini", lambda _: gemini_quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "20s"))
    loopback.queue("anthropic", GOOD, GOOD)
    for _ in range(2):
        user(ASK, "--provider", "gemini", "--tier", "free")
    assert len(loopback.asked("gemini")) == 2, "each of the two models once"
    rests = left_out(user, "--provider", "gemini")["resting"]
    assert len(rests) == 2 and all(one["until"] > time.time() + 25 for one in rests), (
        "longer than the 20 s of the reply"
    )


def test_an_outage_rests_the_model_and_recovery_is_told(user: Optimize, loopback: Loopback, calc: Path) -> None:
    loopback.answer("anthropic", lambda _: refuse("anthropic", 529, "Overloaded", "overloaded_error"))
    only = ("--model", "claude-haiku-5-5")
    for _ in range(2):
        assert user(ASK, *only).code == 6
    loopback.answer("anthropic", lambda _: GOOD)
    ran = user(ASK, *only, "--json")
    assert ran.code == 0, ran.err
    assert ["claude-haiku-5-5" in text for text in ran.notices("healthy-again")] == [True]


def test_a_prompt_that_is_too_long_is_shortened_once(user: Optimize, loopback: Loopback) -> None:
    long = refuse("anthropic", 400, "prompt is too long: 210000 tokens > 200000 maximum", "invalid_request_error")
    loopback.queue("anthropic", long, GOOD)
    ran = user(ASK, "--model", "claude-haiku-5-5", "--json")
    assert ran.code == 0, ran.err
    first, second = loopback.asked("anthropic")
    assert len(second.raw) < len(first.raw)
    assert len(ran.notices("less-context")) == 1
    loopback.queue("anthropic", long, long)
    assert user(ASK, "--model", "claude-haiku-5-5").code == 6
    assert len(loopback.asked("anthropic")) == 4


def test_a_killed_run_gives_back_what_it_had_reserved(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("anthropic", Reply(text="x", stall_at=1, stall=20.0))
    process = subprocess.Popen(
        [COMMAND, ASK, "--tier", "budget"], cwd=user.cwd, env=user.environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 15
    while not loopback.asked("anthropic") and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(15) == 130
    loopback.reset()
    assert json.loads(user("budget", "--json").out)["spent"] > 0, "a broken-off call is booked"
    loopback.queue("anthropic", GOOD)
    assert user(ASK, "--tier", "budget").code == 0


def test_a_model_kept_for_the_project_is_the_one_that_is_asked(user: Optimize, loopback: Loopback, calc: Path) -> None:
    state = user.home / ".local/state/optimizer"
    pin(state, str(calc), "claude-haiku-5-5")
    loopback.answer("anthropic", lambda _: GOOD)
    ran = user(ASK, "--json")
    assert ran.code == 0, ran.err
    assert asked(ran) == ["claude-haiku-5-5"]
    assert ran.event("route")["route"]["plan"]["pinned"]
    loopback.queue("ollama", GOOD)
    assert asked(user(ASK, "--model", "qwen2.5-coder:7b", "--json")) == ["qwen2.5-coder:7b"]
    assert unpin(state, str(calc))
    loopback.queue("ollama", GOOD)
    assert asked(user(ASK, "--json")) == ["qwen2.5-coder:7b"]
