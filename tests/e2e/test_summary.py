"""`--summarise`: what is piped in and too long for a prompt is put in few words, by models that cost nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.context.budget import count_tokens
from tests.e2e.conftest import Optimize, Ran
from tests.loopback.replies import WIRES, Call, Reply, Tokens, refuse
from tests.loopback.server import Loopback, Received

pytestmark = pytest.mark.slow

REQUEST = "fix the failure that this log ends with"
OLD, NEW = "    return [int(part) for part in parts]", "    return [int(part) for part in parts if part]"
EDIT = Call("edit_file", {"path": "calc/parse.py", "search": OLD, "replace": NEW})
MADE = Reply(text="Skips them.", calls=(EDIT,), stop="tool", tokens=Tokens(2000, 100))
SAID = "Workers start, then the pool is exhausted, 12 waiting."
LEVELS = ("alpha", "beta", "gamma", "delta", "rho", "tau")
PAID = "[roles.summariser]\nmodels = ['claude-haiku*']\n"


def log(rows: int, middle: str = "db: connection refused by 10.0.0.7") -> str:
    """Lines of which no two are alike but for numbers, a failure in the middle and one at the end."""
    names = [f"{a}{b} of {c}{d}" for a in LEVELS for b in LEVELS for c in LEVELS for d in LEVELS]
    lines = [
        f"12:{at % 60:02} INFO worker {names[at % len(names)]}{'x' * (at // len(names))} is up" for at in range(rows)
    ]
    lines[rows // 2] = f"12:30 ERROR {middle}"
    return "\n".join(
        [*lines, 'File "calc/parse.py", line 7, in parse_response', "ValueError: invalid literal for int()"]
    )


def asks_for_summary(received: Received) -> bool:
    return "of a longer text" in received.text


def serve(loopback: Loopback, said: Reply | None = None) -> None:
    def answer(received: Received) -> Reply:
        if not asks_for_summary(received):
            return MADE
        return said or Reply(text=SAID, tokens=Tokens(count_tokens(received.text), 20))

    for wire in WIRES:
        loopback.answer(wire, answer)


def summaries(loopback: Loopback) -> list[Received]:
    return [one for wire in WIRES for one in loopback.asked(wire) if asks_for_summary(one)]


def changes(loopback: Loopback) -> list[Received]:
    return [one for wire in WIRES for one in loopback.asked(wire) if not asks_for_summary(one)]


def kinds(ran: Ran) -> list[str]:
    return [event["task"] for event in ran.events if event["event"] == "usage"]


def test_a_long_log_is_put_in_few_words_and_its_end_and_failures_stay(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    serve(loopback)
    text = log(900)
    ran = user(REQUEST, "--summarise", "--yes", "--json", "--tier", "local", stdin=text)
    assert ran.code == 0, ran.err
    assert NEW in (calc / "calc/parse.py").read_text()
    asked = summaries(loopback)
    assert 2 <= len(asked) <= 8
    assert kinds(ran) == ["summary"] * len(asked) + ["debug"]
    assert all(count_tokens(one.text) + 500 <= 6000 for one in asked)
    assert all(REQUEST in one.text for one in asked)
    assert all(f"is part {number} of {len(asked)} of" in one.text for number, one in enumerate(asked, 1))
    (change,) = changes(loopback)
    assert count_tokens(change.text) + 1500 <= 6000
    for expected in (f": {SAID}\n", "451: 12:30 ERROR db: connection refused", "line 7, in parse_response", text[:30]):
        assert expected in change.text
    assert ["902" in text for text in ran.notices("summarising")] == [True]
    assert [SAID in text for text in ran.notices("summary")] == [True]
    daily = user("metrics", "--json").events[0]
    assert (daily["requests"], daily["succeeded"]) == (1, 1)


def test_what_fits_is_not_summarised(user: Optimize, loopback: Loopback) -> None:
    serve(loopback)
    assert user(REQUEST, "--summarise", stdin=log(8)).code == 0
    assert not summaries(loopback)
    assert len(changes(loopback)) == 1


def test_without_a_summary_it_is_as_without_the_flag(user: Optimize, loopback: Loopback) -> None:
    serve(loopback, refuse("ollama", 500, "the server is busy"))
    ran = user(REQUEST, "--tier", "local", "--json", stdin=log(900))
    assert ["--summarise" in text for text in ran.notices("input-cut")] == [True]
    (user.home / ".local/state/optimizer/standing.sqlite3").unlink()
    ran = user(REQUEST, "--summarise", "--tier", "local", "--json", stdin=log(900))
    assert len(ran.notices("no-summary")) == 1
    assert len(summaries(loopback)) == 2  # an overload is tried once more
    without, *with_flag = changes(loopback)
    assert all(one.text == without.text for one in with_flag)


def test_a_model_that_costs_is_asked_only_where_the_role_names_it(user: Optimize, loopback: Loopback) -> None:
    (user.config.parent / "profiles").mkdir()
    (user.config.parent / "profiles/paid.toml").write_text(PAID)
    serve(loopback)
    ran = user(REQUEST, "--summarise", "--tier", "budget", "--json", stdin=log(900))
    assert ran.code == 0, ran.err
    assert len(ran.notices("no-summary")) == 1
    assert not summaries(loopback)
    ran = user(REQUEST, "--summarise", "--json", "--tier", "budget", "--profile", "paid", stdin=log(900))
    asked = summaries(loopback)
    assert {one.wire for one in asked} == {"anthropic"}
    booked = [event["cost"] for event in ran.events if event["event"] == "usage"]
    assert len(booked) == len(asked) + 1
    assert ran.event("result")["cost"] == sum(booked)
    assert min(booked) > 0


def test_a_secret_in_the_middle_is_masked_and_stops_nothing(user: Optimize, loopback: Loopback) -> None:
    serve(loopback)
    secret = "AKIA" + "Q3EGZ7XW2N5TLBVC"
    line = "aws: key {} is refused"
    ran = user(REQUEST, "--summarise", "--tier", "local", "--json", stdin=log(900, line.format(secret)))
    assert ran.code == 0, ran.err
    assert len(ran.notices("input-masked")) == 1
    (change,) = changes(loopback)
    assert f"451: 12:30 ERROR {line.format('AKIA…')}" in change.text
    assert any("AKIA…" in one.text for one in summaries(loopback))
    assert not any(secret in one.text for one in loopback.requests)


def test_parts_fit_the_window_of_a_small_model(user: Optimize, loopback: Loopback) -> None:
    (user.config.parent / "models.toml").write_text("[[model]]\nid = 'tiny:1b'\nwindow = 4_096\n")
    (user.config.parent / "profiles").mkdir()
    (user.config.parent / "profiles/tiny.toml").write_text("[roles.summariser]\nmodels = ['tiny*']\nwindow = 0\n")
    loopback.served["ollama"] += ("tiny:1b",)
    serve(loopback)
    ran = user(REQUEST, "--summarise", "--tier", "local", "--profile", "tiny", stdin=log(900))
    assert ran.code == 0, ran.err
    asked = summaries(loopback)
    assert len(asked) > 3
    assert {one.model for one in asked} == {"tiny:1b"}
    assert all(count_tokens(one.text) + 500 <= 4_096 - 256 for one in asked)


def test_what_a_limit_leaves_no_room_for_is_told_as_left_out(user: Optimize, loopback: Loopback) -> None:
    user.configure("[limits]\nwait_seconds = 0\n" + loopback.config())
    (user.config.parent / "profiles").mkdir()
    (user.config.parent / "profiles/groq.toml").write_text("[roles.summariser]\nrequires = ['thinking']\n")
    user.env.pop("GEMINI_API_KEY")
    serve(loopback)
    ran = user(REQUEST, "--summarise", "--max-tier", "free", "--profile", "groq", stdin=log(1200))
    assert ran.code == 0, ran.err
    assert "8,000" in ran.err
    asked = summaries(loopback)
    assert [one.wire for one in asked] == ["groq", "groq"]
    (change,) = changes(loopback)
    assert change.text.count(f": {SAID}\n") == 2
    assert change.text.count(": left out\n") == 1
    assert "summarised by openai/gpt-oss-120b and openai/gpt-oss-20b" in change.text


def test_a_dry_run_asks_nobody_and_says_what_would_be_done(user: Optimize, loopback: Loopback) -> None:
    ran = user(REQUEST, "--summarise", "--dry-run", "--json", stdin=log(900))
    assert len(ran.notices("input-cut")) == 1
    assert not summaries(loopback)
