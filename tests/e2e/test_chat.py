"""Conversations: turns of a session that is kept, sent again to the byte, gone back in and continued."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from optimizer.session.conversation import UNANSWERED
from optimizer.session.turn import ONLY_SHOWN, WRITTEN
from tests.e2e.conftest import GOOD, GOOD_LINE, Optimize, Ran
from tests.loopback.replies import Call, Reply, Tokens, refuse
from tests.loopback.server import Loopback, Received

pytestmark = pytest.mark.slow
QUESTION = "explain how parse_response treats commas"
RIGHT = Reply(text="It splits the text at commas, see calc/parse.py:6.")
TOTAL = Reply(text="`total` sums what parse_response gives, see calc/parse.py:11.")
MAIN = Reply(text="main prints the total of a line, see calc/cli.py:5.")
LOST = "explain why empty parts fail"
CLOUD = ("--provider", "anthropic", "--model", "claude-haiku-4-5")


def turn(user: Optimize, text: str, *more: str) -> dict[str, Any]:
    ran = user("chat", "--prompt", text, "--output-format", "json", *more)
    assert ran.out, ran.err
    return dict(json.loads(ran.out))


def messages(loopback: Loopback, wire: Any) -> list[Any]:
    return [one.body["messages"] for one in loopback.asked(wire)]


def bare(body: Any) -> Any:
    """A body of Anthropic's wire without the marks for its cache, which may move."""
    if isinstance(body, list):
        return [bare(one) for one in body]
    if isinstance(body, dict):
        if body.get("type") == "text" and set(body) <= {"type", "text", "cache_control"}:
            return body["text"]
        kept = {key: bare(value) for key, value in body.items() if key != "cache_control"}
        if isinstance(kept.get("content"), list) and all(isinstance(one, str) for one in kept["content"]):
            kept["content"] = "".join(kept["content"])
        return kept
    return body


def test_a_session_goes_on_with_what_was_said_to_the_byte(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("anthropic", RIGHT, TOTAL, MAIN)
    first = turn(user, QUESTION, *CLOUD)
    second = turn(user, "explain what total does with the result", "--continue", *CLOUD)
    third = turn(user, "explain main", "--resume", first["session_id"][:5], *CLOUD)
    assert first["session_id"] == second["session_id"] == third["session_id"]
    assert not any(one["is_error"] for one in (first, second, third)), json.dumps((second, third))
    assert [one["num_turns"] for one in (first, second, third)] == [1, 2, 3]
    asked = loopback.asked("anthropic")
    assert len(asked) == 3
    for before, after in pairwise(asked):
        assert bare(before.body["system"]) == bare(after.body["system"])
        assert before.body["tools"] == after.body["tools"]
        said = bare(before.body["messages"])
        assert bare(after.body["messages"])[: len(said)] == said
    assert RIGHT.text in asked[1].text and QUESTION in asked[2].text


def test_the_end_of_each_request_is_marked_for_the_cache(user: Optimize, loopback: Loopback) -> None:
    loopback.answer("anthropic", lambda _: RIGHT)
    turn(user, QUESTION, *CLOUD)
    (asked,) = loopback.asked("anthropic")
    assert asked.body["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}


def test_code_that_was_shown_and_is_the_same_is_not_sent_again(user: Optimize, loopback: Loopback) -> None:
    loopback.answer("ollama", lambda _: RIGHT)
    turn(user, QUESTION, "--tier", "local")
    turn(user, QUESTION, "--continue", "--tier", "local")
    path = user.cwd / "calc/parse.py"
    line = '    parts = text.split(",")'
    assert loopback.asked("ollama")[1].text.count(line) == 1
    path.write_text(path.read_text().replace(line, '    parts = text.split(";")'))
    turn(user, QUESTION, "--continue", "--tier", "local")
    assert 'text.split(";")' in loopback.asked("ollama")[2].text


def test_a_change_in_a_session_is_proven_written_and_told_to_the_next_turn(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("anthropic", Reply(text="Skips empty parts.", calls=(GOOD,)), RIGHT)
    made = turn(user, "make parse_response skip empty parts", "--yes", *CLOUD)
    assert made["files"] == ["calc/parse.py"] and "written" in made["landed"]
    assert GOOD_LINE in (user.cwd / "calc/parse.py").read_text()
    turn(user, QUESTION, "--continue", *CLOUD)
    sent = loopback.asked("anthropic")[1].body["messages"]
    assert [one["role"] for one in sent] == ["user", "assistant", "user"]
    (result,) = [one for one in sent[2]["content"] if one["type"] == "tool_result"]
    assert result["tool_use_id"] == next(one["id"] for one in sent[1]["content"] if one["type"] == "tool_use")
    assert WRITTEN in loopback.asked("anthropic")[1].text
    assert user("undo").code == 0


def test_an_answer_to_a_question_may_change_code_when_the_conversation_wants_that(
    user: Optimize, loopback: Loopback
) -> None:
    loopback.queue("anthropic", RIGHT, Reply(text="Done.", calls=(GOOD,)))
    turn(user, QUESTION, *CLOUD)
    made = turn(user, "and empty parts in parse_response? yes please", "--continue", "--yes", *CLOUD)
    assert made["files"] == ["calc/parse.py"], made


def test_what_is_not_wanted_is_not_written_and_later_turns_know(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("anthropic", Reply(text="Skips.", calls=(GOOD,)), RIGHT)
    made = turn(user, "make parse_response skip empty parts", *CLOUD)
    assert GOOD_LINE not in (user.cwd / "calc/parse.py").read_text() and not made["is_error"]
    turn(user, QUESTION, "--continue", *CLOUD)
    assert ONLY_SHOWN in loopback.asked("anthropic")[1].text


def test_a_turn_without_an_answer_keeps_its_words(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", refuse("ollama", 400, "no"))
    failed = turn(user, LOST, "--tier", "local")
    assert failed["is_error"] and failed["exit_code"] == 6
    loopback.answer("ollama", lambda _: RIGHT)
    turn(user, QUESTION, "--continue", "--tier", "local")
    text = loopback.asked("ollama")[-1].text
    assert LOST in text and UNANSWERED in text
    assert [one["role"] for one in loopback.asked("ollama")[-1].body["messages"]] == ["system", "user"]


def test_answers_of_the_index_belong_to_the_conversation(user: Optimize, loopback: Loopback) -> None:
    found = turn(user, "where is parse_response")
    assert found["tier"] == "index" and found["total_cost_usd"] == 0
    loopback.answer("ollama", lambda _: RIGHT)
    turn(user, QUESTION, "--continue", "--tier", "local")
    assert found["result"] in loopback.asked("ollama")[0].text


def test_another_model_goes_on_where_calls_have_no_ids(user: Optimize, loopback: Loopback) -> None:
    look = Reply(calls=(Call("read_file", {"path": "calc/cli.py"}),))
    loopback.queue("ollama", look, RIGHT)
    turn(user, QUESTION, "--tier", "local")
    loopback.answer("anthropic", lambda _: MAIN)
    turn(user, "explain main", "--continue", *CLOUD)
    sent = loopback.asked("anthropic")[0].body["messages"]
    uses = [one["id"] for message in sent for one in message["content"] if _kind(one) == "tool_use"]
    results = [one["tool_use_id"] for message in sent for one in message["content"] if _kind(one) == "tool_result"]
    assert uses == results and all(uses)


def _kind(block: Any) -> str:
    return str(block["type"]) if isinstance(block, dict) else ""


def test_lines_that_moved_since_they_were_shown_are_not_replaced(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("anthropic", RIGHT)
    turn(user, QUESTION, *CLOUD)
    path = user.cwd / "calc/parse.py"
    path.write_text("import os\n\n\n" + path.read_text())
    stale = Reply(text="Skips.", calls=(GOOD,))
    loopback.answer("anthropic", lambda _: stale)
    before = path.read_bytes()
    turn(user, "zzz make it skip empty parts", "--continue", "--yes", *CLOUD)
    assert path.read_bytes() == before or GOOD_LINE in path.read_text()


def test_stream_json_has_the_fields_that_scripts_know(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", replace(RIGHT, tokens=Tokens(900, 60)))
    ran = user("chat", "--prompt", QUESTION, "--output-format", "stream-json", "--tier", "local")
    first, said, last = ran.events
    assert (first["type"], first["subtype"], first["cwd"]) == ("system", "init", str(user.cwd))
    assert said["message"]["content"] == [{"type": "text", "text": RIGHT.text}]
    assert last["type"] == "result" and last["session_id"] == first["session_id"] and last["usage"]["output_tokens"]


def test_sessions_are_listed_shown_exported_forked_and_removed(user: Optimize, loopback: Loopback) -> None:
    loopback.queue("ollama", RIGHT, MAIN)
    one = turn(user, QUESTION, "--tier", "local")["session_id"]
    other = turn(user, "explain main", "--fork", one, "--tier", "local")["session_id"]
    assert one != other
    assert [row["id"] for row in user("sessions", "list", "--json").events] == [other, one]
    assert QUESTION in user("sessions", "list").out
    shown = user("sessions", "show", other).out
    assert QUESTION in shown and "explain main" in shown and RIGHT.text in shown
    assert "explain main" not in user("sessions", "show", one).out
    log = user("sessions", "export", one, "--json").events
    assert [entry["kind"] for entry in log] == ["asked", "turn"]
    assert user("sessions", "rm", one).err.startswith("kept")
    assert user("sessions", "rm", one, "--yes").code == 0
    missing = user("sessions", "show", one)
    assert missing.code == 2 and "no session" in missing.err


def test_the_graph_of_a_session_in_words_and_as_a_page(user: Optimize, loopback: Loopback, tmp_path: Path) -> None:
    loopback.queue("ollama", RIGHT, TOTAL)
    session = turn(user, QUESTION, "--tier", "local")["session_id"]
    turn(user, "explain what total does with the result", "--continue", "--tier", "local")
    shown = user("sessions", "graph", session).out
    asked = next(line.split()[0] for line in shown.splitlines() if " request " in line)
    assert f"answers it: {asked}" in shown and shown.splitlines()[-1].count("#") > 1
    effect = user("sessions", "graph", session, "--remove", asked.removeprefix("#"))
    assert effect.out.startswith(f"removing {asked} orphans ") and "answers it" in effect.out
    page = tmp_path / "graph.html"
    drawn = user("sessions", "graph", session, "--remove", asked.removeprefix("#"), "--html", str(page))
    assert drawn.code == 0 and not drawn.out
    assert QUESTION in page.read_text() and 'class="flow hot"' in page.read_text()
    missing = user("sessions", "graph", session, "--remove", "999")
    assert missing.code == 2 and "999" in missing.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--continue",), "no session of this repository yet"),
        (("--resume", "nope"), "no session 'nope'"),
        (("--resume", "a", "--continue"), "exclude each other"),
    ],
)
def test_a_session_that_is_not_there_is_an_error_of_usage(user: Optimize, arguments: tuple[str, ...], why: str) -> None:
    ran: Ran = user("chat", "--prompt", "x", *arguments)
    assert ran.code == 2 and why in ran.err


def test_a_conversation_wants_a_terminal(user: Optimize) -> None:
    ran = user("chat", stdin="hello\n")
    assert ran.code == 2 and "terminal" in ran.err


def test_a_session_that_does_not_fit_its_window_leaves_out_old_reads(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    for number in range(4):
        lines = "\n".join(f"    big_{number}_{line} = {line}" for line in range(250))
        (calc / f"calc/big{number}.py").write_text(f"def big_{number}():\n{lines}\n")
    loopback.windows["qwen2.5-coder:7b"] = 10_000
    loopback.answer("ollama", read_whole)
    first = turn(user, "explain big_0 in calc/big0.py", "--tier", "local")
    for number in range(1, 4):
        turn(user, f"explain big_{number} in calc/big{number}.py", "--continue", "--tier", "local")
    assert not turn(user, "explain main", "--continue", "--tier", "local")["is_error"]
    assert "explain big_0" in loopback.asked("ollama")[-1].text
    shown = user("sessions", "export", first["session_id"], "--json").events
    left_out = [entry["body"]["levels"].values() for entry in shown if entry["kind"] == "levels"]
    assert left_out and all({"removed", "trimmed"} & set(levels) for levels in left_out)


def read_whole(received: Received) -> Reply:
    number = received.text.rpartition("explain big_")[2][:1]
    return Reply(f"big_{number} sets names in calc/cli.py.", tokens=Tokens(len(received.text) // 2, 60))
