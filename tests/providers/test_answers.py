"""What each wire's answers become: text, tool calls, usage and why they stopped, with the vendors' own SDKs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.errors import BadAnswer
from optimizer.types import Completion, Message, Prompt, ToolCall, Usage
from tests.loopback.clients import EDIT, KEY, a_model, a_prompt, connect, hear
from tests.loopback.replies import WIRES, Call, Reply, Tokens, Wire
from tests.loopback.server import Loopback

every_wire = pytest.mark.parametrize("wire", WIRES)
TEXT = 'Grüße, 世界! 🙂\nHere is the plan:\n\n```python\nx = "a\\nb"\n```\n'


@every_wire
def test_text_arrives_in_pieces_and_whole(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path)
    heard = hear(loopback, wire, provider, Reply(TEXT, pieces=5, thinking="let me think", model="stub-1-0042"))
    done = heard.completion
    assert done is not None
    assert "".join(heard.pieces) == done.text == TEXT
    assert len(heard.pieces) > 1
    assert heard.unseen == len("let me think")
    assert (done.stop, done.tool_calls, done.model_served) == ("end", (), "stub-1-0042")
    assert done.usage == Usage(input=1200, output=30)
    assert done.seconds > 0


@every_wire
def test_comments_unknown_events_and_other_line_ends_change_nothing(
    loopback: Loopback, tmp_path: Path, wire: Wire
) -> None:
    provider = connect(loopback, wire, tmp_path)
    for reply in (Reply(TEXT, noise=True), Reply(TEXT, crlf=True), Reply(TEXT, noise=True, crlf=True, chunk=7)):
        heard = hear(loopback, wire, provider, reply)
        assert heard.completion is not None and heard.completion.text == TEXT


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\x85\u2028\u2029"), min_size=1),
    chunk=st.integers(1, 40),
    crlf=st.booleans(),
)
def test_no_way_of_cutting_the_bytes_changes_the_text(
    loopback: Loopback, tmp_path: Path, text: str, chunk: int, crlf: bool
) -> None:
    if not text.strip():
        text += "."
    for wire in WIRES:
        provider = connect(loopback, wire, tmp_path)
        heard = hear(loopback, wire, provider, Reply(text, chunk=chunk, crlf=crlf))
        provider.close()
        assert heard.completion is not None and heard.completion.text == text


@every_wire
def test_tool_calls_are_decoded(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    calls = (Call("edit_file", {"path": "a.py", "start": 3, "content": 'x = "ü"\n'}), Call("search_code", {"q": "x"}))
    provider = connect(loopback, wire, tmp_path)
    heard = hear(loopback, wire, provider, Reply("I will edit.", calls=calls, stop="tool"))
    done = heard.completion
    assert done is not None
    assert heard.unseen == sum(len(json.dumps(call.arguments)) for call in calls)
    assert done.stop == "tool"
    assert done.tool_calls == tuple(ToolCall(call.name, call.arguments) for call in calls)  # type: ignore[arg-type]


@pytest.mark.parametrize("wire", ["anthropic", "groq", "openai"])
@pytest.mark.parametrize("raw", ['{"path": "a.py", ', '["a.py"]', "{'path': 'a.py'}", "nonsense"])
def test_arguments_that_are_no_json_object_are_kept_raw(
    loopback: Loopback, tmp_path: Path, wire: Wire, raw: str
) -> None:
    provider = connect(loopback, wire, tmp_path)
    done = hear(loopback, wire, provider, Reply("", calls=(Call("edit_file", raw),), stop="tool")).completion
    assert done is not None
    assert done.tool_calls == (ToolCall("edit_file", {}, raw),)


@pytest.mark.parametrize("wire", ["gemini", "ollama"])
def test_a_wire_without_raw_arguments_gives_no_answer(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path)
    heard = hear(loopback, wire, provider, Reply("", calls=(Call("edit_file", "nonsense"),), stop="tool"))
    assert isinstance(heard.error, BadAnswer)


@every_wire
def test_usage_counts_are_disjoint(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    tokens = Tokens(input=1000, output=20, cached=600, written=100)
    provider = connect(loopback, wire, tmp_path)
    done = hear(loopback, wire, provider, Reply("done", tokens=tokens)).completion
    assert done is not None
    expected = {
        "anthropic": Usage(300, 600, 100, 0, 20),
        "gemini": Usage(400, 600, 0, 0, 20),
        "groq": Usage(300, 600, 100, 0, 20),
        "ollama": Usage(1000, 0, 0, 0, 20),
        "openai": Usage(300, 600, 100, 0, 20),
    }
    assert done.usage == expected[wire]
    assert loopback.reported == [(wire, tokens)]


@every_wire
def test_missing_usage_is_estimated_and_says_so(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path)
    done = hear(loopback, wire, provider, Reply("x" * 400, tokens=None)).completion
    assert done is not None
    assert done.usage == Usage(input=1000, output=100, estimated=True)


@pytest.mark.parametrize("wire", ["gemini", "groq", "openai"])
@pytest.mark.parametrize("tokens", [Tokens(100, 5, 300), Tokens(100, 5, -7), Tokens(-5, -5, 0), Tokens(5, 5, 2**63)])
def test_senseless_usage_is_never_negative(loopback: Loopback, tmp_path: Path, wire: Wire, tokens: Tokens) -> None:
    provider = connect(loopback, wire, tmp_path)
    done = hear(loopback, wire, provider, Reply("done", tokens=tokens)).completion
    assert done is not None
    usage = done.usage
    assert min(usage.input, usage.cache_read, usage.cache_write_5m, usage.output) >= 0
    assert usage.estimated


@every_wire
@pytest.mark.parametrize(
    "tokens",
    [Tokens(2**63, 5), Tokens(1000, 2**53 + 1), Tokens(-1, -1), Tokens(math.nan, 5), Tokens(math.inf, 1.5)],  # type: ignore[arg-type]
)
def test_absurd_usage_is_estimated_and_says_so(loopback: Loopback, tmp_path: Path, wire: Wire, tokens: Tokens) -> None:
    provider = connect(loopback, wire, tmp_path)
    done = hear(loopback, wire, provider, Reply("x" * 400, tokens=tokens)).completion
    assert done is not None
    assert done.text == "x" * 400
    assert done.usage == Usage(input=1000, output=100, estimated=True)


@every_wire
def test_an_answer_cut_by_its_limit_holds_no_call_that_could_be_run(
    loopback: Loopback, tmp_path: Path, wire: Wire
) -> None:
    whole = Call("edit_file", {"path": "a.py"})
    provider = connect(loopback, wire, tmp_path)
    told = hear(loopback, wire, provider, Reply("half of", calls=(whole,), stop="length")).completion
    seen = hear(loopback, wire, provider, Reply("half", calls=(whole,), tokens=Tokens(900, 500))).completion
    for done in (told, seen):
        assert done is not None
        assert done.stop == "length"
        assert [call.name for call in done.tool_calls] == ["edit_file"]
        assert all(call.malformed and not call.arguments for call in done.tool_calls)


@every_wire
@pytest.mark.parametrize("reply", [Reply(""), Reply(" \n\t "), Reply("", thinking="only thoughts, no answer")])
def test_an_empty_answer_is_no_answer_but_is_paid_for(
    loopback: Loopback, tmp_path: Path, wire: Wire, reply: Reply
) -> None:
    heard = hear(loopback, wire, connect(loopback, wire, tmp_path), reply)
    assert isinstance(heard.error, BadAnswer)
    assert heard.error.usage == Usage(input=1200, output=30)


@pytest.mark.parametrize("wire", ["anthropic", "gemini", "groq", "openai"])
def test_a_refusal_is_no_answer_but_is_paid_for(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    heard = hear(loopback, wire, connect(loopback, wire, tmp_path), Reply("I can", stop="refusal"))
    assert isinstance(heard.error, BadAnswer)
    assert heard.error.usage == Usage(input=1200, output=30)


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "A_NEW_REASON"])
def test_gemini_stopping_for_no_good_reason_is_no_answer(loopback: Loopback, tmp_path: Path, reason: str) -> None:
    heard = hear(loopback, "gemini", connect(loopback, "gemini", tmp_path), Reply("", stop=reason))
    assert isinstance(heard.error, BadAnswer)
    assert heard.error.usage is not None and heard.error.usage.input == 1200


@every_wire
def test_the_request_says_what_the_prompt_says(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path)
    loopback.queue(wire, Reply("fine"), Reply("fine"))
    turns = (Message("user", "first"), Message("assistant", "second"), Message("user", "third"))
    prompt = Prompt("The system.", turns, (EDIT,), 777, 1000, 0.25)
    assert isinstance(list(provider.stream(a_model(wire), prompt))[-1], Completion)
    list(provider.stream(a_model(wire, parameters=frozenset()), prompt))
    first, second = loopback.asked(wire)
    assert first.model == "stub-1"
    assert [first.text.index(part) for part in ("first", "second", "third")] == sorted(
        first.text.index(part) for part in ("first", "second", "third")
    )
    for wanted in ("The system.", "edit_file"):
        assert wanted in first.text
    assert b"777" in first.raw and b"0.25" in first.raw
    assert b"temperature" not in second.raw
    assert KEY not in first.path and KEY.encode() not in first.raw
    assert any(KEY in value for value in first.headers.values())


@every_wire
def test_models_are_listed(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    loopback.served[wire] = ("stub-1", "vendor/stub-2")
    assert [one.id for one in connect(loopback, wire, tmp_path).models()] == ["stub-1", "vendor/stub-2"]


def test_a_long_system_text_is_marked_for_anthropics_cache(loopback: Loopback, tmp_path: Path) -> None:
    provider = connect(loopback, "anthropic", tmp_path)
    for system in ("short", "long " * 4000):
        hear(loopback, "anthropic", provider, Reply("fine"), a_prompt(system=system))
    short, long = (one.body["system"][0] for one in loopback.asked("anthropic"))
    assert "cache_control" not in short
    assert long["cache_control"] == {"type": "ephemeral"}
