"""`--plan`: one model plans a change and another makes it, both booked and within the caps."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Optimize
from tests.loopback.replies import Call, Reply, Tokens, refuse
from tests.loopback.server import Loopback, Received

pytestmark = pytest.mark.slow

REQUEST = "add handling of empty parts to parse_response"
NEW = "    return [int(part) for part in parts if part]"
EDIT = Call(
    "edit_file",
    {"path": "calc/parse.py", "search": "    return [int(part) for part in parts]", "replace": NEW},
)
PLAN = "1. In calc/parse.py, parse_response skips empty parts."
ROLES = """[roles.planner]
models = ["claude-opus*"]
requires = ["thinking"]
[roles.editor]
models = ["gemini*"]
"""


def reply(received: Received) -> Reply:
    if "Write a plan" in received.text:
        return Reply(text=PLAN, tokens=Tokens(1000, 40))
    return Reply(text="Done.", calls=(EDIT,), stop="tool", tokens=Tokens(2000, 100))


def test_a_plan_is_written_then_the_change_is_made_from_it(user: Optimize, loopback: Loopback, calc: Path) -> None:
    for wire in ("ollama", "groq", "gemini", "anthropic"):
        loopback.answer(wire, reply)
    (user.config.parent / "profiles").mkdir()
    (user.config.parent / "profiles/pair.toml").write_text(ROLES)
    ran = user(REQUEST, "--plan", "--yes", "--json", "--profile", "pair", "--max-tier", "premium")
    assert ran.code == 0, ran.err
    assert NEW in (calc / "calc/parse.py").read_text()
    used = [event for event in ran.events if event["event"] == "usage"]
    assert [one["task"] for one in used] == ["plan", "edit"]
    assert used[0]["model_asked"] != used[1]["model_asked"]
    assert ran.event("result")["cost"] == used[0]["cost"] + used[1]["cost"]
    assert used[0]["cost"] > 0
    assert [PLAN in text for text in ran.notices("plan")] == [True]
    assert len(ran.notices("starting")) == 2
    asked = [
        one for wire in ("ollama", "groq", "gemini", "anthropic") for one in loopback.asked(wire) if PLAN in one.text
    ]
    assert len(asked) == 1
    assert user("metrics", "--json").events[0]["requests"] == 1


def test_without_a_planner_the_change_is_made_all_the_same(user: Optimize, loopback: Loopback, calc: Path) -> None:
    def refusing(received: Received) -> Reply:
        return refuse("ollama", 500, "no") if "Write a plan" in received.text else reply(received)

    loopback.answer("ollama", refusing)
    ran = user(REQUEST, "--plan", "--yes", "--tier", "local", "--json")
    assert ran.code == 0, ran.err
    assert [PLAN in text for text in ran.notices("plan")] == [False]
    assert NEW in (calc / "calc/parse.py").read_text()


def test_a_question_is_not_planned(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text="It adds the numbers, see calc/parse.py:10."))
    ran = user("explain total", "--plan")
    assert ran.code == 0, ran.err
    assert "plan" not in ran.err


def test_what_the_caps_leave_no_room_for_is_not_planned(user: Optimize, loopback: Loopback) -> None:
    user.configure("[budget]\nrun = 0.0001\n" + loopback.config())
    loopback.served["ollama"] = ()
    for wire in ("groq", "gemini", "anthropic"):
        loopback.answer(wire, reply)
    ran = user(REQUEST, "--plan", "--yes", "--tier", "premium")
    assert ran.code == 10, ran.err
    assert not loopback.asked("anthropic")
