"""A conversation with tools on each wire, through the vendors' own SDKs: what comes of a call goes back as it must."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from optimizer.types import Completion, Message, Prompt, ToolResult
from tests.loopback.clients import a_prompt, connect, hear
from tests.loopback.replies import WIRES, Call, Reply, Wire
from tests.loopback.server import Loopback

SIGNATURE = base64.b64encode(b"a thought").decode()
LOOKS = (
    Call("read_file", {"path": "a.py"}, id="id_a", signature=SIGNATURE),
    Call("search_code", {"text": "x"}, id="id_b"),
)
ASKS = Reply("I will look.", calls=LOOKS, stop="tool", thinking="Where is it?", signature="c2ln")


def answered(prompt: Prompt, completion: Completion) -> Prompt:
    """The prompt after the calls of a completion were served."""
    results = tuple(
        ToolResult(call, f"result of {call.name}", failed=n == 1) for n, call in enumerate(completion.tool_calls)
    )
    said = Message("assistant", completion.text, completion.tool_calls, state=completion.state)
    return prompt._replace(messages=(*prompt.messages, said, Message("user", "Go on.", results=results)))


def two_turns(loopback: Loopback, wire: Wire, state: Path, reply: Reply = ASKS) -> Any:
    """The body of the second request."""
    provider = connect(loopback, wire, state)
    completion = hear(loopback, wire, provider, reply).completion
    assert completion is not None
    done = hear(loopback, wire, provider, Reply("Done."), answered(a_prompt(), completion)).completion
    assert done is not None
    assert (done.text, done.stop) == ("Done.", "end")
    provider.close()
    return loopback.asked(wire)[1].body


def test_anthropic(loopback: Loopback, tmp_path: Path) -> None:
    first, calls, results = two_turns(loopback, "anthropic", tmp_path)["messages"]
    assert first == {"role": "user", "content": "hello"}
    assert calls["role"] == "assistant"
    assert calls["content"] == [
        {"type": "thinking", "thinking": "Where is it?", "signature": "c2ln"},
        {"type": "text", "text": "I will look."},
        {"type": "tool_use", "id": "id_a", "name": "read_file", "input": {"path": "a.py"}},
        {"type": "tool_use", "id": "id_b", "name": "search_code", "input": {"text": "x"}},
    ]
    assert results["role"] == "user"
    assert results["content"] == [
        {"type": "tool_result", "tool_use_id": "id_a", "content": "result of read_file", "is_error": False},
        {"type": "tool_result", "tool_use_id": "id_b", "content": "result of search_code", "is_error": True},
        {"type": "text", "text": "Go on.", "cache_control": {"type": "ephemeral"}},
    ]


def test_gemini(loopback: Loopback, tmp_path: Path) -> None:
    _, calls, results = two_turns(loopback, "gemini", tmp_path)["contents"]
    assert calls == {
        "role": "model",
        "parts": [
            {"text": "I will look."},
            {
                "functionCall": {"name": "read_file", "args": {"path": "a.py"}, "id": "id_a"},
                "thoughtSignature": SIGNATURE,
            },
            {"functionCall": {"name": "search_code", "args": {"text": "x"}, "id": "id_b"}},
        ],
    }
    assert results == {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "read_file", "id": "id_a", "response": {"output": "result of read_file"}}},
            {"functionResponse": {"name": "search_code", "id": "id_b", "response": {"error": "result of search_code"}}},
            {"text": "Go on."},
        ],
    }


@pytest.mark.parametrize("wire", ["groq", "openai"])
def test_chat(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    calls, *results, last = two_turns(loopback, wire, tmp_path)["messages"][2:]
    assert calls["content"] == "I will look."
    assert [(call["id"], call["type"], call["function"]["name"]) for call in calls["tool_calls"]] == [
        ("id_a", "function", "read_file"),
        ("id_b", "function", "search_code"),
    ]
    assert json.loads(calls["tool_calls"][0]["function"]["arguments"]) == {"path": "a.py"}
    assert calls.get("reasoning_content", "") == ("Where is it?" if wire == "openai" else "")
    assert results == [
        {"role": "tool", "tool_call_id": "id_a", "content": "result of read_file"},
        {"role": "tool", "tool_call_id": "id_b", "content": "result of search_code"},
    ]
    assert last == {"role": "user", "content": "Go on."}


def test_ollama(loopback: Loopback, tmp_path: Path) -> None:
    calls, *results, last = two_turns(loopback, "ollama", tmp_path)["messages"][2:]
    assert calls["tool_calls"] == [
        {"function": {"name": "read_file", "arguments": {"path": "a.py"}}},
        {"function": {"name": "search_code", "arguments": {"text": "x"}}},
    ]
    assert results == [
        {"role": "tool", "tool_name": "read_file", "content": "result of read_file"},
        {"role": "tool", "tool_name": "search_code", "content": "result of search_code"},
    ]
    assert last == {"role": "user", "content": "Go on."}


def test_gemini_without_ids_gets_none_back(loopback: Loopback, tmp_path: Path) -> None:
    reply = Reply("", calls=(Call("read_file", {"path": "a.py"}),), stop="tool")
    _, calls, results = two_turns(loopback, "gemini", tmp_path, reply)["contents"]
    assert calls["parts"] == [{"functionCall": {"name": "read_file", "args": {"path": "a.py"}}}]
    assert "id" not in results["parts"][0]["functionResponse"]


@pytest.mark.parametrize("wire", WIRES)
def test_a_cut_call_has_nothing_that_could_be_executed(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path)
    completion = hear(loopback, wire, provider, replace(ASKS, stop="length")).completion
    assert completion is not None
    assert completion.stop == "length"
    assert all(call.malformed and not call.arguments for call in completion.tool_calls)
