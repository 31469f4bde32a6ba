"""What one attempt leaves to the next: room for the answer, the best of the code, and lines that say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.context.budget import count_tokens
from tests.conftest import git
from tests.e2e.conftest import GOOD, REQUEST, Optimize
from tests.loopback.replies import Call, Reply, refuse
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

DONE = Reply(text="Empty parts are skipped.", calls=(GOOD,), stop="tool")
LOOK = Call("read_file", {"path": "calc/parse.py"})


def body_of(name: str) -> str:
    return f"def {name}(text):\n" + "".join(f"    text = text + 'part {n} of {name}'\n" for n in range(12)) + "\n\n"


def test_a_prompt_that_is_too_long_is_sent_again_with_the_best_half(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    others = [f"parts_of_a_response_{n}" for n in range(12)]
    (calc / "calc/others.py").write_text("".join(map(body_of, others)))
    git(calc, "add", "-A")
    git(calc, "commit", "-qm", "others")
    too_long = refuse("anthropic", 400, "prompt is too long: 9000 tokens > 8000 maximum", "invalid_request_error")
    loopback.queue("anthropic", too_long, DONE)
    ran = user(REQUEST, "--yes", "--json", "--tier", "budget")
    assert ran.code == 0, ran.err
    first, second = loopback.asked("anthropic")
    items = sorted(ran.event("context")["items"], key=lambda item: item["score"])
    (best,) = {item["symbol"] for item in items if item["score"] == items[-1]["score"]}
    assert best == "parse_response"
    sent = [sum(f"def {name}(" in asked.text for name in others) for asked in (first, second)]
    assert sent[1] < sent[0]
    assert "def parse_response(text):" in second.text
    assert len(second.text) < len(first.text)


def test_an_answer_that_was_cut_gives_the_next_model_twice_the_room(user: Optimize, loopback: Loopback) -> None:
    cut = Reply(text="calc/parse.py\n<<<<<<< SEARCH\n", stop="length")
    loopback.queue("ollama", cut, cut)
    loopback.queue("groq", DONE)
    user.configure(f"max_tokens = 700\n{loopback.config()}")
    ran = user(REQUEST, "--yes", "--json")
    assert ran.code == 0, ran.err
    once, again = loopback.asked("ollama")
    assert (once.body["options"]["num_predict"], again.body["options"]["num_predict"]) == (700, 1400)
    (next_one,) = loopback.asked("groq")
    assert next_one.body["max_completion_tokens"] >= 1400


def test_a_request_or_an_input_that_is_cut_is_announced(user: Optimize, loopback: Loopback) -> None:
    loopback.answer("ollama", lambda _: Reply(text="It splits the text at commas (calc/parse.py:4)."))
    long = "word " * 20_000
    cut = {}
    for name, text, piped in (("short", "explain parse_response", "a line"), ("long", f"explain {long}", long)):
        ran = user(text, "--json", stdin=piped)
        cut[name] = [len(ran.notices(kind)) for kind in ("request-cut", "input-cut")]
    assert cut == {"short": [0, 0], "long": [1, 1]}


@pytest.mark.parametrize(("setting", "most"), [(100, 100), (5000, 1100)])
def test_notes_take_no_more_than_their_setting_and_a_quarter_of_what_is_free(
    user: Optimize, loopback: Loopback, calc: Path, setting: int, most: int
) -> None:
    rule = "Keep every function short and test it.\n"
    (calc / "AGENTS.md").write_text(rule * 2000)
    user.configure(loopback.config() + f"\n[notes]\ntokens = {setting}\n")
    loopback.answer("ollama", lambda _: Reply(text="It splits the text at commas (calc/parse.py:4)."))
    assert user("explain parse_response").code == 0
    (asked,) = loopback.asked("ollama")
    sent = asked.text.count(rule.strip())
    assert most * 0.8 < count_tokens(rule * sent) <= most


def test_an_attempt_is_asked_no_further_after_its_seconds(user: Optimize, loopback: Loopback) -> None:
    loopback.served["ollama"] = ()
    user.configure(loopback.config() + "\n[agent]\nseconds = 1\n")
    looks = Reply("", calls=(LOOK,), stop="tool", stall_at=0, stall=1.5)
    loopback.queue("groq", looks, DONE)
    loopback.queue("gemini", DONE)
    ran = user(REQUEST, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert len(loopback.asked("groq")) == 1
    assert len(loopback.asked("gemini")) == 1
