"""`--review`: another model reads a proven change and says what is wrong with it, which decides nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from optimizer.cli.terminal import YES_NO
from optimizer.context.budget import count_tokens
from tests.conftest import git
from tests.e2e.conftest import Optimize, Ran
from tests.e2e.test_terminal import typed
from tests.loopback.replies import WIRES, Call, Reply, Tokens, refuse
from tests.loopback.server import Loopback, Received

pytestmark = pytest.mark.slow

REQUEST = "make parse_response skip empty parts"
OLD, NEW = "    return [int(part) for part in parts]", "    return [int(part) for part in parts if part]"
EDIT = Call("edit_file", {"path": "calc/parse.py", "search": OLD, "replace": NEW})
FAULT = 'calc/parse.py:7: a part of blanks, such as " ", still raises ValueError.'
SAID = Reply(text=f"1. {FAULT}", tokens=Tokens(1100, 60))
MADE = Reply(text="Skips them.", calls=(EDIT,), stop="tool", tokens=Tokens(2000, 100))
CRITIC_HERE = "[roles.critic]\ncloud = false\n"


def asks_for_review(received: Received) -> bool:
    return "Review the change below" in received.text


def serve(loopback: Loopback, made: Reply = MADE, said: Reply = SAID) -> None:
    for wire in WIRES:
        loopback.answer(wire, lambda received: said if asks_for_review(received) else made)


def reviews(loopback: Loopback) -> list[Received]:
    return [one for wire in WIRES for one in loopback.asked(wire) if asks_for_review(one)]


def booked(ran: Ran) -> list[dict[str, Any]]:
    return [event for event in ran.events if event["event"] == "usage"]


def test_another_model_says_what_is_wrong_and_the_change_is_written_all_the_same(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    serve(loopback)
    ran = user(REQUEST, "--review", "--yes", "--json", "--tier", "budget")
    assert ran.code == 0, ran.err
    assert NEW in (calc / "calc/parse.py").read_text()
    change, review = booked(ran)
    assert (change["task"], review["task"]) == ("edit", "review")
    assert change["model_asked"] != review["model_asked"]
    assert ran.event("review") == {
        "event": "review",
        "model": review["model_asked"],
        "findings": [FAULT],
        "own": False,
    }
    assert ran.event("result")["model"] == change["model_asked"]
    assert ran.event("result")["cost"] == change["cost"] + review["cost"]
    assert min(change["cost"], review["cost"]) > 0
    order = [event["event"] for event in ran.events if event["event"] in ("patch", "verdict", "review", "result")]
    assert order == ["patch", "verdict", "review", "result"]
    (sent,) = reviews(loopback)
    assert REQUEST in sent.text
    assert f"-{OLD}\n+{NEW}" in sent.text
    assert "def total(text)" in sent.text
    daily = user("metrics", "--json").events[0]
    assert (daily["requests"], daily["succeeded"]) == (1, 1)


def test_at_a_terminal_it_stands_before_the_question_and_a_no_is_a_no_to_the_change(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    serve(loopback)
    before = (calc / "calc/parse.py").read_bytes()
    code, screen = typed(user, [REQUEST, "--review"], YES_NO, "n\n")
    assert (code, (calc / "calc/parse.py").read_bytes()) == (0, before)
    assert 0 < screen.index("confidence") < screen.index("advice only:") < screen.index(YES_NO)
    daily = user("metrics", "--json").events[0]
    assert (daily["requests"], daily["succeeded"]) == (1, 0)


def test_a_model_reviews_its_own_change_only_where_no_other_may_be_asked(user: Optimize, loopback: Loopback) -> None:
    serve(loopback, said=Reply(text="NOTHING"))
    ran = user(REQUEST, "--review", "--tier", "local")
    assert ran.code == 0, ran.err
    line = "review by qwen2.5-coder:7b, which made the change itself, advice only: no findings"
    assert line in ran.err
    loopback.served["ollama"] += ("llama3.1:8b",)
    own = [
        event for event in user(REQUEST, "--review", "--tier", "local", "--json").events if event["event"] == "review"
    ]
    assert [event["own"] for event in own] == [False]


def test_without_consent_nobody_elsewhere_is_shown_the_change(user: Optimize, loopback: Loopback) -> None:
    serve(loopback)
    for destination in ("groq", "gemini", "anthropic"):
        assert user("consent", "revoke", destination).code == 0
    ran = user(REQUEST, "--review", "--json")
    assert ran.event("review")["own"] is True
    assert [one.wire for one in reviews(loopback)] == ["ollama"]


def test_a_role_kept_on_this_machine_sends_nothing_elsewhere(user: Optimize, loopback: Loopback, calc: Path) -> None:
    (user.config.parent / "profiles").mkdir()
    (user.config.parent / "profiles/here.toml").write_text(CRITIC_HERE)
    serve(loopback)
    loopback.answer("ollama", lambda received: SAID if asks_for_review(received) else Reply(text="I cannot."))
    ran = user(REQUEST, "--review", "--json", "--profile", "here", "--max-tier", "free")
    assert ran.event("result")["tier"] == "free", ran.err
    assert ran.event("review")["model"] == "qwen2.5-coder:7b"
    assert [one.wire for one in reviews(loopback)] == ["ollama"]
    loopback.served["ollama"] = ()
    ran = user(REQUEST, "--review", "--yes", "--profile", "here", "--max-tier", "free", "--json")
    assert ran.code == 0, ran.err
    assert len(ran.notices("no-review")) == 1
    assert len(reviews(loopback)) == 1
    assert NEW in (calc / "calc/parse.py").read_text()


def test_a_cap_that_is_spent_leaves_the_change_without_a_review(user: Optimize, loopback: Loopback, calc: Path) -> None:
    user.configure("[budget]\nrun = 0.0015\n" + loopback.config())
    serve(loopback, made=Reply(text="Done.", calls=(EDIT,), stop="tool", tokens=Tokens(12_000, 100)))
    ran = user(REQUEST, "--review", "--yes", "--tier", "budget", "--provider", "anthropic", "--json")
    assert ran.code == 0, ran.err
    assert ["optimize budget set run" in text for text in ran.notices("failed")] == [True]
    assert len(ran.notices("no-review")) == 1
    assert not reviews(loopback)
    assert NEW in (calc / "calc/parse.py").read_text()


def test_a_change_that_holds_a_secret_is_shown_to_no_critic(user: Optimize, loopback: Loopback, calc: Path) -> None:
    line = 'KEY = "' + "AKIA" + "Q3EGZ7XW2N5TLBVC" + '"\n'
    made = Reply(calls=(Call("create_file", {"path": "calc/keys.py", "content": line}),), stop="tool")
    serve(loopback, made=made)
    ran = user("add calc/keys.py with the key", "--review", "--yes", "--json")
    assert ran.code == 0, ran.err
    assert ran.notices("failed")
    assert len(ran.notices("no-review")) == 1
    assert not reviews(loopback)
    assert (calc / "calc/keys.py").read_text() == line


def test_a_critic_that_fails_or_says_nothing_costs_no_change(user: Optimize, loopback: Loopback, calc: Path) -> None:
    serve(loopback, said=Reply(text="<think>I wonder", pieces=1))
    loopback.answer("gemini", lambda received: refuse("gemini", 500, "no") if asks_for_review(received) else MADE)
    ran = user(REQUEST, "--review", "--yes", "--max-tier", "free", "--json")
    assert ran.code == 0, ran.err
    assert reviews(loopback)
    assert len(ran.notices("no-review")) == 1
    assert NEW in (calc / "calc/parse.py").read_text()


def test_what_no_model_changed_is_not_reviewed(user: Optimize, loopback: Loopback) -> None:
    serve(loopback, made=Reply(text="It adds the numbers, see calc/parse.py:10."))
    asked = user("explain total", "--review", "--json")
    assert not asked.notices("no-review")
    ran = user("rename total to sum_of", "--review", "--json")
    assert ran.code == 0
    assert len(ran.notices("no-review")) == 1
    assert not reviews(loopback)


def test_a_setting_has_every_change_reviewed_and_a_flag_has_not(user: Optimize, loopback: Loopback) -> None:
    user.configure("[agent]\nreview = true\n" + loopback.config())
    serve(loopback)
    assert f"- {FAULT}" in user(REQUEST).err
    assert FAULT not in user(REQUEST, "--no-review").err


@pytest.mark.parametrize("text", ["café = 'ä'\n".encode("latin-1"), b"x = 1\n" * 20_000], ids=["latin-1", "long"])
def test_a_review_holds_any_change_within_the_size_of_a_request(
    user: Optimize, loopback: Loopback, calc: Path, text: bytes
) -> None:
    (calc / "calc/words.py").write_bytes(b"# words\nfirst = 0\n" + text)
    git(calc, "add", "-A")
    git(calc, "commit", "-qm", "words")
    lines = "".join(f"value_{number} = {number}\n" for number in range(len(text) // 60))
    edit = Call("edit_file", {"path": "calc/words.py", "search": "# words\n", "replace": f"# {'w' * 90}\n{lines}"})
    serve(loopback, made=Reply(calls=(edit,), stop="tool"))
    request = ["change the first line of calc/words.py", "--review", "--max-tier", "free"]
    code, screen = typed(user, [*request, "--json"], YES_NO, "n\n")
    assert code == 0, screen
    (sent,) = reviews(loopback)
    assert count_tokens(sent.text) + 800 <= 6000
    assert "w" * 90 in sent.text
    assert ('"kind": "review-cut"' in screen) == (len(text) > 1000)


def test_a_review_cuts_what_was_piped_in_before_the_change(user: Optimize, loopback: Loopback) -> None:
    lines = "".join(f"value_{number} = {number}\n" for number in range(450))
    edit = Call("create_file", {"path": "calc/values.py", "content": lines})
    serve(loopback, made=Reply(calls=(edit,), stop="tool"))
    piped = "\n".join(f"FAILED tests/test_{number}.py - assert {number} == 0" for number in range(2000))
    ran = user("add calc/values.py", "--review", "--json", "--max-tier", "free", stdin=piped)
    assert ran.code == 0, ran.err
    (sent,) = reviews(loopback)
    assert lines.replace("value", "+value").strip() in sent.text
    assert "FAILED tests/test_0.py" in sent.text
    assert count_tokens(sent.text) + 800 <= 6000
