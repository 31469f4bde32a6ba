"""What a person reads before their data goes out, of a model's licence, and before they rely on an answer."""

from __future__ import annotations

import pytest

from optimizer.report.progress import caution
from optimizer.types import Model
from tests.e2e.conftest import GOOD, REQUEST, Optimize
from tests.e2e.test_terminal import typed
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow

TOKENS = Tokens(1200, 30)
ASKED = {
    "what is the income tax of total in calc/parse.py": ("tax", "It is total (calc/parse.py:10)."),
    "what dosage of aspirin does parse_response allow": ("medical", "None (calc/parse.py:4)."),
    "is it legal to copy parse_response": ("legal", "See calc/parse.py:4."),
    "explain parse_response with an example": ("code", "See calc/parse.py:4:\n```python\nparse_response('1,2')\n```"),
    "explain parse_response": ("", "It splits the text (calc/parse.py:4)."),
}


@pytest.mark.parametrize("request_", ASKED)
def test_an_answer_is_followed_by_at_most_one_caution(user: Optimize, loopback: Loopback, request_: str) -> None:
    code, answer = ASKED[request_]
    loopback.queue("ollama", *[Reply(text=answer, tokens=TOKENS)] * 2)
    said = user(request_, "--json")
    assert said.code == 0, said.out
    assert said.notices("caution") == ([caution(code)] if code else [])  # type: ignore[arg-type]
    quiet = user(request_, "-q")
    assert quiet.err == ""


def test_a_change_that_no_test_proved_is_to_be_reviewed(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", Reply(calls=(GOOD,), stop="tool", tokens=TOKENS))
    ran = user(REQUEST, "--json", "--yes")
    assert ran.code == 0, ran.out
    assert ran.notices("caution") == [caution("unproven")]


def test_where_data_goes_and_that_it_may_train_models_is_told_before_the_first_byte(
    user: Optimize, loopback: Loopback
) -> None:
    loopback.served["ollama"] = ()
    for name in ("groq", "gemini", "anthropic"):
        user("consent", "revoke", name)
    training = {}
    for provider in ("groq", "gemini"):
        _, screen = typed(user, ["explain parse_response", "--provider", provider], "[y/N]", "n\n")
        assert f"sent to {provider}" in " ".join(screen.split())
        training[provider] = "train" in screen
    assert training == {"groq": False, "gemini": True}
    assert not loopback.asked("groq") and not loopback.asked("gemini")


def test_the_class_of_a_licence_is_shown_where_a_model_is_chosen(user: Optimize) -> None:
    rows = {one["id"]: one for one in user("models", "list", "--json").events if one["event"] == "model"}
    assert {one["licence"] for one in rows.values()} >= {"permissive", "proprietary"}
    assert rows["gemini-3.5-flash-lite"]["may_train"] and not rows["openai/gpt-oss-120b"]["may_train"]
    explained = user("route", "explain parse_response", "--explain").out
    assert "permissive" in explained
    assert "permissive" not in user("route", "explain parse_response").out
    assert "permissive" in user("models", "recommend", "--all").out


def test_a_billed_account_is_not_said_to_train(user: Optimize) -> None:
    user.config.with_name("models.toml").write_text(
        '[[model]]\nid = "gemini-*"\nprovider = "gemini"\ntier = "budget"\n'
    )
    rows = [one for one in user("models", "list", "--json").events if one.get("provider") == "gemini"]
    assert rows and not any(one["may_train"] for one in rows)
    assert "trains" in Model._fields
