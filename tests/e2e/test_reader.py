"""`context.reader = "model"`: a model names the files to read, and the choice of context follows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.context.budget import count_tokens
from optimizer.engine.reader import MOST_NAMED, SHOWN, named
from optimizer.report.evidence import PLAIN
from tests.e2e.conftest import Optimize, Ran
from tests.loopback.replies import WIRES, Reply, Tokens, refuse
from tests.loopback.server import Loopback, Received

REQUEST = "why does parse_response fail on an empty part?"
FIRST = "def part_of(rows):"
SECRET = "gs" + "k_Zb7Qw3Er9Ty1Ui5Op2As8Df4Gh6Jk0LzXcVbNm3Qw7Er1Ty5Ui9O"
ON = '[context]\nreader = "model"\n'
PATHS = ("src/a.py", "src/a.pyi", "src/ab.py", "a.py", "lib/src/a.py", "docs/read me.md", "x-a.py", "ö/ß.rs")
STYLES = (
    "\n".join,
    lambda paths: "```\n" + "\n".join(paths) + "\n```",
    lambda paths: "".join(f"- `{path}`\n" for path in paths),
    lambda paths: "".join(f"{at}. **./{path}**: this one.\n" for at, path in enumerate(paths, 1)),
    lambda paths: "[" + ", ".join(f'"{path}"' for path in paths) + "]",
    lambda paths: "[" + ",".join('"' + path.replace("/", "\\/") + '"' for path in paths) + "]",
)


@given(st.lists(st.sampled_from(PATHS), unique=True), st.sampled_from(STYLES))
def test_paths_are_read_from_an_answer_of_any_form(paths: list[str], style: object) -> None:
    assert callable(style)
    assert named(style(paths), PATHS) == tuple(paths[:MOST_NAMED])


@given(st.text())
def test_what_was_not_shown_is_never_named(text: str) -> None:
    assert set(named(text, PATHS)) <= {path for path in PATHS if path in text.replace("\\/", "/")}
    assert named(f"{text} other.py src/a.py.bak", ("src/a.py",)) in {(), ("src/a.py",)}
    assert named("other.py src/a.py.bak lib/src/a.py", ("src/a.py",)) == ()


def asks_reader(received: Received) -> bool:
    return "must be read for the request" in received.text


def serve(loopback: Loopback, said: Reply) -> None:
    def answer(received: Received) -> Reply:
        if asks_reader(received):
            return said
        return Reply(text="parse_response in calc/parse.py fails as int('') raises.", tokens=Tokens(2000, 30))

    for wire in WIRES:
        loopback.answer(wire, answer)


def split(loopback: Loopback) -> tuple[list[Received], list[Received]]:
    all_ = [one for wire in WIRES for one in loopback.asked(wire)]
    return [one for one in all_ if asks_reader(one)], [one for one in all_ if not asks_reader(one)]


def switch_on(user: Optimize, loopback: Loopback, more: str = "") -> None:
    user.configure(ON + more + loopback.config())


def logged(user: Optimize) -> list[bool]:
    """For each prompt to Anthropic in the egress log, whether it was sent."""
    return [
        one["allowed"]
        for one in user("consent", "log", "--json").events
        if one["destination"] == "anthropic" and one["model"]
    ]


def kinds(ran: Ran) -> list[str]:
    return [event["task"] for event in ran.events if event["event"] == "usage"]


@pytest.mark.slow
def test_a_named_file_is_lifted_and_the_call_is_booked(user: Optimize, loopback: Loopback, calc: Path) -> None:
    (calc / "calc/far.py").write_text(f"{FIRST}\n    return rows\n\n\ndef response(rows):\n    return rows\n")
    switch_on(user, loopback)
    serve(loopback, Reply(text="1. `calc/far.py`\n2. nowhere.py", tokens=Tokens(900, 9)))
    ran = user(REQUEST, "--json", "--tier", "local")
    assert ran.code == 0, ran.err
    asked, answered = split(loopback)
    assert len(asked) == 1
    assert "calc/far.py" in asked[0].text
    assert count_tokens(asked[0].text) < SHOWN + 700
    assert kinds(ran)[0] == "reading"
    (line,) = ran.notices("read")
    assert "calc/far.py" in line
    assert "nowhere.py" not in line
    why = {file["path"]: file["why"] for file in ran.event("context")["files"]}
    assert PLAIN["read"] in str(why["calc/far.py"])
    assert PLAIN["read"] not in str(why["calc/parse.py"])
    assert FIRST in answered[0].text


@pytest.mark.slow
@pytest.mark.parametrize("said", [Reply(text="none of them"), refuse("ollama", 500, "busy")])
def test_no_usable_answer_changes_nothing(user: Optimize, loopback: Loopback, said: Reply) -> None:
    serve(loopback, said)
    assert user(REQUEST, "--tier", "local").code == 0
    assert not split(loopback)[0]
    switch_on(user, loopback)
    ran = user(REQUEST, "--tier", "local")
    assert ran.code == 0, ran.err
    asked, answered = split(loopback)
    assert asked
    assert answered[-1].text == answered[0].text


@pytest.mark.slow
def test_it_is_not_asked_in_a_dry_run_nor_for_what_the_index_answers(user: Optimize, loopback: Loopback) -> None:
    switch_on(user, loopback)
    serve(loopback, Reply(text="calc/parse.py"))
    assert user("where is parse_response").code == 0
    ran = user(REQUEST, "--dry-run", "--json")
    assert len(ran.notices("read")) == 1
    assert split(loopback) == ([], [])


@pytest.mark.slow
def test_without_budget_or_consent_it_is_not_asked(user: Optimize, loopback: Loopback) -> None:
    serve(loopback, Reply(text="calc/parse.py"))
    switch_on(user, loopback, "[budget]\nday = 0\n")
    user(REQUEST, "--tier", "budget")
    assert split(loopback) == ([], [])
    switch_on(user, loopback)
    assert user(REQUEST, "--tier", "budget").code == 0
    assert len(split(loopback)[0]) == 1  # the control
    for provider in ("groq", "gemini", "mistral", "anthropic"):
        user("consent", "revoke", provider)
    user(REQUEST, "--tier", "budget")
    assert len(split(loopback)[0]) == 1


@pytest.mark.slow
def test_its_call_is_in_the_egress_log_and_a_secret_in_its_list_stops_it(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    switch_on(user, loopback)
    serve(loopback, Reply(text="calc/parse.py", tokens=Tokens(900, 9)))
    assert user(REQUEST, "--model", "claude-haiku-4-5").code == 0
    asked = len(split(loopback)[0]), len(split(loopback)[1])
    assert asked[0] == 1
    before = logged(user)
    assert before == [True] * sum(asked)
    loopback.reset()
    serve(loopback, Reply(text="calc/parse.py"))
    (calc / "calc/parse.py").write_text(f'def parse_response(text, key="{SECRET}"):\n    return text\n')
    ran = user(REQUEST, "--model", "claude-haiku-4-5", "--json")
    assert ran.code == 5
    assert split(loopback) == ([], [])
    assert any("a Groq key" in line for line in ran.notices("failed"))
    refused = logged(user)[len(before) :]
    assert refused
    assert not any(refused)
