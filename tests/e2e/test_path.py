"""The whole path of a request: context, local fails its check, free succeeds, diff, yes, ledger, metrics, undo."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.agent.prompts import EVIDENCE
from tests.e2e.conftest import Optimize
from tests.loopback.replies import WIRES, Call, Reply, Tokens, refuse
from tests.loopback.server import Loopback

REQUEST = "refactor parse_response to skip empty parts"
BROKEN = """calc/parse.py
<<<<<<< SEARCH
    return [int(part) for part in parts]
=======
    return [int(part for part in parts]
>>>>>>> REPLACE
"""
GOOD_LINE = "    return [int(part) for part in parts if part.strip()]\n"
GOOD = Call("edit_file", {"path": "calc/parse.py", "start": 7, "end": 7, "content": GOOD_LINE})


def test_from_a_broken_local_edit_to_a_landed_free_one_and_back(user: Optimize, loopback: Loopback, calc: Path) -> None:
    before = (calc / "calc/parse.py").read_bytes()
    loopback.queue("ollama", Reply(text=BROKEN, tokens=Tokens(900, 60)))
    loopback.queue("groq", Reply(text="Empty parts are skipped.", calls=(GOOD,), stop="tool", tokens=Tokens(1100, 40)))

    ran = user(REQUEST, "--yes", "--json")

    assert ran.code == 0, ran.err
    after = (calc / "calc/parse.py").read_text()
    assert GOOD_LINE in after
    assert after.count("\n") == before.count(b"\n")
    names = [event["event"] for event in ran.events]
    assert names[0] == "context"
    assert names[-1] == "result"
    assert [e["tier"] for e in ran.events if e["event"] == "usage"] == ["local", "free"]
    assert ran.event("verdict")["ok"]
    assert "calc/parse.py" in ran.event("patch")["diff"]
    assert ["parses" in text for text in ran.notices("going-on")] == [True]
    groq = loopback.asked("groq")
    assert len(groq) == 1
    assert EVIDENCE.partition("{")[0] in groq[0].text
    assert "parse_response" in groq[0].text
    assert not loopback.asked("gemini")
    assert not loopback.asked("anthropic")

    metrics = user("metrics", "--json").events[0]
    assert (metrics["requests"], metrics["success_rate"], metrics["total"]) == (1, 1.0, 0)
    assert {part["label"]: part["requests"] for part in metrics["labels"]} == {"Local": 0, "Groq": 1}

    undone = user("undo")
    assert undone.code == 0
    assert (calc / "calc/parse.py").read_bytes() == before


@pytest.mark.slow
def test_premium_is_reached_once_all_else_failed_and_its_price_is_booked(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text="I would rather not change anything."), Reply(text="I said no."))
    loopback.queue("groq", refuse("groq", 429, "Rate limit reached", "rate_limit_exceeded", retry_after="30"))
    loopback.answer("gemini", lambda _: refuse("gemini", 503, "The model is overloaded.", "UNAVAILABLE"))
    loopback.queue("anthropic", Reply(text=BROKEN, tokens=Tokens(1000, 50)))
    loopback.queue("anthropic", Reply(text="Done.", calls=(GOOD,), stop="tool", tokens=Tokens(2000, 100)))

    ran = user(REQUEST, "--yes", "--json")

    assert ran.code == 0, ran.err
    usage = [event for event in ran.events if event["event"] == "usage"]
    asked = [(record["tier"], record["provider"]) for record in usage]
    once = list(dict.fromkeys(asked))
    assert once == [
        ("local", "ollama"),
        ("free", "groq"),
        ("free", "gemini"),
        ("budget", "anthropic"),
        ("premium", "anthropic"),
    ]
    assert asked.count(("free", "groq")) == 3  # a limit is of one model; the one that stands by is overloaded, twice
    assert {record["outcome"] for record in usage if record["tier"] == "free"} == {"provider-error"}
    budget, premium = usage[-2]["cost"], usage[-1]["cost"]
    assert budget == 1000 * 100_000 // 1_000_000 + 50 * 500_000 // 1_000_000
    assert premium == 2000 * 2 + 100 * 10
    assert ran.event("result")["cost"] == budget + premium
    metrics = user("metrics", "--daily").out
    assert "Total Requests: 1" in metrics
    assert "Success Rate: 100.0%" in metrics


@pytest.mark.slow
def test_an_answer_without_edits_is_streamed_and_checked(user: Optimize, loopback: Loopback) -> None:
    text = "It splits the text at commas and reads each part as a number (calc/parse.py:4)."
    loopback.queue("ollama", Reply(text=text))
    ran = user("explain parse_response")
    assert ran.code == 0, ran.err
    assert ran.out.strip() == text


@pytest.mark.slow
def test_an_excerpt_in_an_answer_is_no_edit(user: Optimize, loopback: Loopback, calc: Path) -> None:
    before = (calc / "calc/parse.py").read_bytes()
    text = (
        "This part does it:\n\ncalc/parse.py\n```python\ndef total(text):\n    return sum(parse_response(text))\n```\n"
    )
    loopback.queue("ollama", Reply(text=text))
    ran = user("explain total", "--yes")
    assert ran.code == 0, ran.err
    assert text.splitlines()[0] in ran.out
    assert (calc / "calc/parse.py").read_bytes() == before


@pytest.mark.slow
def test_an_answer_that_cites_what_is_not_there_goes_on(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text="See calc/nothing.py:12 for all of it."))
    good = "It adds the numbers, see calc/parse.py:10."
    loopback.queue("groq", Reply(text=good))
    ran = user("explain total")
    assert ran.code == 0, ran.err
    assert ran.out.strip() == good
    assert "calc/nothing.py" in ran.err


@pytest.mark.slow
def test_all_failed_is_exit_3_and_nothing_changes(user: Optimize, loopback: Loopback, calc: Path) -> None:
    before = (calc / "calc/parse.py").read_bytes()
    for wire in ("ollama", "groq", "anthropic"):
        loopback.answer(wire, lambda _: Reply(text=BROKEN))
    loopback.answer("gemini", lambda _: Reply(text=BROKEN))
    ran = user(REQUEST, "--yes")
    assert ran.code == 3
    assert (calc / "calc/parse.py").read_bytes() == before
    assert user("metrics", "--json").events[0]["succeeded"] == 0


@pytest.mark.slow
def test_only_providers_failed_is_exit_6(user: Optimize, loopback: Loopback) -> None:
    for wire in ("ollama", "groq", "gemini", "anthropic"):
        loopback.answer(wire, lambda received: refuse(received.wire, 500, "broken"))
    ran = user("explain total")
    assert ran.code == 6


@pytest.mark.slow
def test_a_cut_answer_is_never_applied(user: Optimize, loopback: Loopback, calc: Path) -> None:
    before = (calc / "calc/parse.py").read_bytes()
    loopback.answer("ollama", lambda _: Reply(calls=(GOOD,), stop="length"))
    ran = user(REQUEST, "--yes", "--tier", "local")
    assert ran.code == 3
    assert "cut" in ran.err
    assert (calc / "calc/parse.py").read_bytes() == before


@pytest.mark.slow
def test_without_yes_nothing_is_written(user: Optimize, loopback: Loopback, calc: Path) -> None:
    before = (calc / "calc/parse.py").read_bytes()
    loopback.queue("ollama", Reply(calls=(GOOD,), stop="tool"))
    ran = user(REQUEST)
    assert ran.code == 0
    assert "+" + GOOD_LINE in ran.out
    assert "--yes" in ran.err
    assert (calc / "calc/parse.py").read_bytes() == before


@pytest.mark.slow
def test_undo_refuses_a_file_that_changed_since(user: Optimize, loopback: Loopback, calc: Path) -> None:
    loopback.queue("ollama", Reply(calls=(GOOD,), stop="tool"))
    assert user(REQUEST, "--yes").code == 0
    mine = (calc / "calc/parse.py").read_text() + "# mine\n"
    (calc / "calc/parse.py").write_text(mine)
    ran = user("undo")
    assert ran.code == 8
    assert "changed since" in ran.err
    assert (calc / "calc/parse.py").read_text() == mine


@pytest.mark.slow
def test_an_edit_outside_the_repository_is_refused(user: Optimize, loopback: Loopback, calc: Path) -> None:
    loopback.queue(
        "ollama", Reply(calls=(Call("create_file", {"path": "../evil.py", "content": "x = 1\n"}),), stop="tool")
    )
    ran = user(REQUEST, "--yes", "--tier", "local")
    assert ran.code == 4
    assert not (calc.parent / "evil.py").exists()


@pytest.mark.slow
def test_piped_input_is_extra_context(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(text="The text held a letter; see calc/parse.py:7."))
    trace = 'File "calc/parse.py", line 7, in parse_response\nValueError: invalid literal for int(): marker-xyz'
    ran = user("explain this failure", stdin=trace)
    assert ran.code == 0, ran.err
    assert "marker-xyz" in loopback.asked("ollama")[0].text


@pytest.mark.slow
def test_features_off_is_one_premium_call_with_naive_context(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("anthropic", Reply(text="It adds (calc/parse.py:10)."))
    off = [f"--feature={name}=off" for name in ("context-optimization", "output-optimization", "multi-model-routing")]
    ran = user("explain total", *off, "--feature=local-models=off", "--json")
    assert ran.code == 0, ran.err
    assert [event["tier"] for event in ran.events if event["event"] == "usage"] == ["premium"]
    assert len(loopback.asked("anthropic")) == 1
    items = ran.event("context")["items"]
    assert {item["kind"] for item in items} == {"file"}
    assert {item["path"] for item in items} >= {"calc/parse.py", "calc/cli.py"}


@pytest.mark.slow
def test_a_file_changed_while_the_model_answers_keeps_that_change(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    """The answer would fit, by the number of its line, over what was written meanwhile."""
    file = calc / "calc/parse.py"
    mine = file.read_text().replace("return [int(part)", "return [int(part, 16)")

    def answer(_: object) -> Reply:
        file.write_text(mine)
        return Reply(text="Empty parts are skipped.", calls=(GOOD,), stop="tool", tokens=Tokens(900, 40))

    for wire in ("ollama", "groq", "gemini", "anthropic"):
        loopback.answer(wire, answer)

    ran = user(REQUEST, "--yes", "--json")

    assert file.read_text() == mine
    assert ran.event("result")["exit_code"] == ran.code == 8
    assert [event for event in ran.events if event["event"] == "patch"] == []
    asked = [one for wire in WIRES for one in loopback.asked(wire)]
    assert len(asked) == 1, "the next model would be shown the same"
    file.write_text(mine.replace(", 16)", ")"))
    quiet = user(REQUEST, "--yes", "--tier", "local", "-q")
    assert [line[:6] for line in quiet.err.splitlines()] == ["error:", "try:  "]
