"""A small local model that tells kinds of work apart, and one for code, with the installed command."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from optimizer.engine.opinion import read
from tests.e2e.conftest import Optimize
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback, Received

TEXT = "It adds the numbers, see calc/parse.py:10."
PAIR = "[local]\nrouter = 'tiny:1b'\nrouter_seconds = {seconds}\ncoder = 'llama3.1:8b'\n"


@pytest.fixture
def pair(user: Optimize, loopback: Loopback) -> Callable[[float, Reply], Optimize]:
    """Configure both models; the small one gives the reply, any other an answer."""

    def made(seconds: float, reply: Reply) -> Optimize:
        user.configure(PAIR.format(seconds=seconds) + loopback.config())
        loopback.served["ollama"] = ("qwen2.5-coder:7b", "llama3.1:8b", "tiny:1b")

        def answer(received: Received) -> Reply:
            return reply if received.model == "tiny:1b" else Reply(text=TEXT)

        loopback.answer("ollama", answer)
        return user

    return made


def test_the_small_model_is_asked_first_and_its_word_counts(
    pair: Callable[[float, Reply], Optimize], loopback: Loopback
) -> None:
    user = pair(20, Reply(text="design 0.9"))
    ran = user("explain total", "--json")
    assert ran.code == 0, ran.err
    task = ran.event("route")["task"]
    assert (task["kind"], task["difficulty"]) == ("design", 0.9)
    assert task["reasons"][0] == "tiny:1b takes it for design"
    small = next(one for one in loopback.asked("ollama") if one.model == "tiny:1b")
    assert "explain total" in small.text
    assert "parse_response" not in small.text
    booked = [event for event in ran.events if event["event"] == "usage"]
    assert (booked[0]["model_asked"], booked[0]["cost"]) == ("tiny:1b", 0)


def test_a_slow_small_model_is_not_waited_for(pair: Callable[[float, Reply], Optimize]) -> None:
    user = pair(0.3, Reply(text="design 0.9", stall_at=0, stall=20.0))
    begun = time.monotonic()
    ran = user("explain total", "--json")
    assert ran.code == 0, ran.err
    assert ran.event("route")["task"]["kind"] == "explain"
    assert "words decide" in ran.err + ran.out
    assert time.monotonic() - begun < 15


def test_nonsense_and_a_missing_model_leave_it_to_words(pair: Callable[[float, Reply], Optimize]) -> None:
    for reply in (Reply(text="I would say this is hard to tell"), Reply(status=404, body=b'{"error":"not found"}')):
        ran = pair(20, reply)("explain total", "--json")
        assert ran.code == 0, ran.err
        assert ran.event("route")["task"]["kind"] == "explain"
        assert "words decide" in ran.out


def test_nobody_is_asked_for_a_route_or_when_off(pair: Callable[[float, Reply], Optimize], loopback: Loopback) -> None:
    user = pair(20, Reply(text="design 0.9"))
    shown = json.loads(user("route", "explain total", "--json").out)
    assert shown["task"]["kind"] == "explain"
    assert not [one for one in loopback.asked("ollama") if one.path == "/api/chat"]


def test_the_coder_comes_first_where_code_changes(pair: Callable[[float, Reply], Optimize]) -> None:
    user = pair(20, Reply(text="edit 0.3"))
    changed = json.loads(user("route", "add a flag to main", "--json").out)["route"]["attempts"][0]
    assert changed["model"]["id"] == "llama3.1:8b"
    assert "local.coder prefers llama3.1:8b" in changed["reason"]
    asked = json.loads(user("route", "explain total", "--json").out)["route"]["attempts"][0]
    assert "local.coder" not in asked["reason"]


@pytest.mark.parametrize(
    ("text", "kind", "difficulty"),
    [
        ("edit 0.3", "edit", 0.3),
        ("**Debug**: 1", "debug", 1.0),
        ("kind: find, difficulty: 0.25", "find", None),
        ("refactor", "refactor", None),
        ("editing 0.3", None, None),
        ("", None, None),
    ],
)
def test_what_it_says_is_read(text: str, kind: str | None, difficulty: float | None) -> None:
    found = read(text, "tiny")
    assert (found and found.kind) == kind
    assert (found and found.difficulty) == difficulty


def test_a_server_elsewhere_is_not_asked(pair: Callable[[float, Reply], Optimize], loopback: Loopback) -> None:
    user = pair(20, Reply(text="design 0.9"))
    user.env["OLLAMA_HOST"] = "192.0.2.1:9"
    ran = user("explain total", "--provider", "groq", "--dry-run")
    assert "local.router" not in ran.err
    loopback.queue("groq", Reply(text=TEXT))
    user.env["OPTIMIZER_PROVIDER"] = "groq"
    ran = user("explain total", "--feature", "local-models=off")
    assert "local.router is not asked: Ollama is not on this machine" in ran.err
    assert ran.code == 0, ran.err
