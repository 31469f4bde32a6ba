"""`optimize bench retrieval --reader MODEL`: what a reader gives on a repository's own commits, and what it costs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from optimizer.ledger.store import open_ledger
from tests.conftest import git
from tests.e2e.conftest import Optimize, Ran
from tests.loopback.replies import Reply, Tokens, refuse
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow
LOCAL, PAID = "qwen2.5-coder:7b", "claude-haiku-4-5"
SECRET = "gs" + "k_Zb7Qw3Er9Ty1Ui5Op2As8Df4Gh6Jk0LzXcVbNm3Qw7Er1Ty5Ui9O"
SAID = "parse_response in calc/parse.py skips empty parts"
FAR = "def part_of(rows):\n    return rows[{}]\n"
READS = Reply(text="calc/far.py", tokens=Tokens(900, 9))


def commit(root: Path, message: str, path: str, content: str) -> None:
    (root / path).write_text(content)
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)


@pytest.fixture
def past(calc: Path) -> Path:
    """A repository whose last three commits change another file than their messages speak of."""
    commit(calc, "Add a file of rows that lie far away", "calc/far.py", FAR.format(0))
    for number in range(1, 4):
        commit(calc, f"{SAID}, part {number}", "calc/far.py", FAR.format(number))
    return calc


def bench(user: Optimize, model: str, *more: str) -> Ran:
    return user("bench", "retrieval", "--commits", "3", "--reader", model, *more)


def test_the_figures_without_and_with_it_and_what_the_ledger_holds(
    user: Optimize, loopback: Loopback, past: Path
) -> None:
    loopback.answer("anthropic", lambda _: READS)
    ran = bench(user, PAID, "--json")
    assert ran.code == 0, ran.err
    (told,) = ran.events
    assert (told["commits"], told["unasked"], told["named"], told["calls"]) == (3, 0, 3, 3)
    assert told["without"]["accuracy"] == {"1": 0.0, "3": 1.0, "5": 1.0}
    assert told["with_reader"]["accuracy"] == {"1": 1.0, "3": 1.0, "5": 1.0}
    assert [one["named"] for one in told["queries"]] == [["calc/far.py"]] * 3
    assert (told["input_tokens"], told["output_tokens"]) == (2700, 27)
    with closing(open_ledger(user.home / ".local/state/optimizer")) as ledger:
        booked = ledger.records("", "~")
    assert [one.task for one in booked] == ["reading"] * 3
    assert told["cost"] == sum(one.cost or 0 for one in booked) == 3 * (900 * 1 + 9 * 5)
    sent = [
        one for one in user("consent", "log", "--json").events if one["destination"] == "anthropic" and one["model"]
    ]
    assert [(one["model"], one["allowed"]) for one in sent] == [(PAID, True)] * 3
    for received in loopback.asked("anthropic"):
        assert SAID in received.text
        assert "rows[" not in received.text
    assert git(past, "status", "--porcelain") == ""


def test_calls_and_price_are_shown_before_the_first_call(user: Optimize, loopback: Loopback, past: Path) -> None:
    loopback.answer("anthropic", lambda _: refuse("anthropic", 400, "no"))
    ran = bench(user, PAID)
    assert ran.code == 0, ran.err
    first = ran.err.splitlines()[0]
    assert f"3 calls of {PAID}" in first
    assert "$0.00" in first
    assert "named files for 0 of 3 commits" in ran.out


def test_a_local_model_is_free(user: Optimize, loopback: Loopback, past: Path) -> None:
    loopback.answer("ollama", lambda _: READS)
    ran = bench(user, LOCAL)
    assert ran.code == 0, ran.err
    assert "3 calls, 2,700 tokens in, 27 out, free" in ran.out
    assert "Acc@1                0.0%   100.0%" in ran.out


@pytest.mark.parametrize("cap", ["run", "day"])
def test_calls_that_would_break_a_cap_are_not_begun(user: Optimize, loopback: Loopback, past: Path, cap: str) -> None:
    user.configure(f"[budget]\n{cap} = 0.004\n" + loopback.config())
    loopback.answer("anthropic", lambda _: READS)
    ran = bench(user, PAID)
    assert ran.code == 10
    assert "--commits" in ran.err
    assert loopback.asked("anthropic") == []
    assert user("bench", "retrieval", "--commits", "1", "--reader", PAID).code == 0  # the control


def test_it_stops_where_calls_cost_more_than_usual(user: Optimize, loopback: Loopback, past: Path) -> None:
    user.configure("[budget]\nrun = 0.5\n" + loopback.config())
    loopback.answer("anthropic", lambda _: Reply(text="calc/far.py", tokens=Tokens(300_000, 9)))
    ran = bench(user, PAID, "--json")
    assert ran.code == 10
    (told,) = ran.events
    assert (told["commits"], told["unasked"], told["calls"]) == (2, 1, 2)
    assert len(loopback.asked("anthropic")) == 2


def test_without_consent_nothing_is_sent(user: Optimize, loopback: Loopback, past: Path) -> None:
    loopback.answer("anthropic", lambda _: READS)
    user("consent", "revoke", "anthropic")
    ran = bench(user, PAID)
    assert ran.code == 5
    assert "optimize consent grant anthropic" in ran.err
    assert loopback.asked("anthropic") == []


def test_a_secret_in_a_message_stops_its_call_alone(user: Optimize, loopback: Loopback, past: Path) -> None:
    commit(past, f"{SAID} and knows {SECRET}", "calc/far.py", FAR.format(4))
    loopback.answer("anthropic", lambda _: READS)
    ran = bench(user, PAID, "--json")
    assert ran.code == 0, ran.err
    (told,) = ran.events
    assert (told["commits"], told["named"], told["calls"]) == (3, 2, 2)
    assert len(loopback.asked("anthropic")) == 2
    assert not any(SECRET.encode() in one.raw for one in loopback.requests)
    assert "a Groq key" in ran.err


def test_an_unknown_model_ends_it(user: Optimize, loopback: Loopback, past: Path) -> None:
    ran = bench(user, "no-such-model")
    assert ran.code == 2
    assert "no-such-model" in ran.err
