"""The debug log of a whole run: what was decided and sent, and nothing that is secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import GOOD, REQUEST, Optimize
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback

CANARY = "gsk_canary0f0akey0that0nobody0may0see"


@pytest.mark.slow
def test_debug_shows_each_decision_and_no_key(user: Optimize, calc: Path, loopback: Loopback) -> None:
    loopback.served["ollama"] = ()
    user.env["GROQ_API_KEY"] = CANARY
    loopback.queue("groq", Reply(calls=(GOOD,)))
    plain = user(REQUEST, "--dry-run", "--json")
    ran = user(REQUEST, "--yes", "--json", "--debug")
    assert ran.code == 0, ran.err
    assert any(CANARY in str(one.headers) for one in loopback.asked("groq"))
    assert "optimizer.index: 0 parsed, " in ran.err
    assert "optimizer.context: " in ran.err
    assert "status 200" in ran.err
    assert "optimizer.routing: refactor, difficulty " in ran.err
    assert "optimizer.calls: openai/gpt-oss" in ran.err
    assert "optimizer.landing: 1 " in ran.err
    assert "optimizer.verify: 1 files: " in ran.err
    assert CANARY not in ran.err
    assert "return [int(part)" not in ran.err, "prompts are counted, not shown"
    assert {event["event"] for event in ran.events} >= {event["event"] for event in plain.events}


def test_without_it_nothing_is_logged(user: Optimize) -> None:
    assert "optimizer." not in user("where is parse_response").err
    assert "optimizer." not in user("context", REQUEST).err
