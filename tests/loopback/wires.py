"""A scripted reply as the events of each vendor's stream, byte for byte as they go over the wire."""

from __future__ import annotations

import json
from typing import Any

from tests.loopback.replies import Call, Reply, Wire, error_body


def events(wire: Wire, reply: Reply, model: str) -> list[bytes]:
    """The events of a reply, in order, with noise and a scripted error put in."""
    served = reply.model or model
    if wire == "anthropic":
        made = _anthropic(reply, served)
    elif wire == "gemini":
        made = _gemini(reply, served)
    elif wire == "ollama":
        made = _ollama(reply, served)
    else:
        made = _chat(reply, served, wire)
    if reply.error_at is not None:
        error = dict(reply.error or error_body(wire, 529, "Overloaded", "overloaded_error"))
        made = [*made[: reply.error_at], _failure(wire, error)]
    if reply.noise and wire != "ollama":
        made = [b": a comment\n\n", *(part for one in made for part in (one, b": keep-alive\n\n"))]
        if wire == "anthropic":
            made.insert(2, _named("some_new_event", {"type": "some_new_event", "value": 1}))
    if reply.crlf:
        made = [one.replace(b"\n", b"\r\n") for one in made]
    return made


def pieces(text: str, count: int) -> list[str]:
    """The text in about `count` pieces."""
    size = max(1, -(-len(text) // max(1, count)))
    return [text[at : at + size] for at in range(0, len(text), size)]


def _raw(call: Call) -> str:
    return call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)


def _parsed(call: Call) -> Any:
    try:
        return json.loads(_raw(call))
    except ValueError:
        return _raw(call)


def _data(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _named(name: str, value: Any) -> bytes:
    return b"event: " + name.encode() + b"\n" + _data(value)


def _failure(wire: Wire, error: dict[str, Any]) -> bytes:
    if wire == "anthropic":
        return _named("error", error)
    if wire == "ollama":
        return json.dumps(error).encode() + b"\n"
    return _data(error)


def _anthropic(reply: Reply, model: str) -> list[bytes]:
    tokens = reply.tokens
    stops = {"end": "end_turn", "tool": "tool_use", "length": "max_tokens", "refusal": "refusal"}
    usage: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0}
    if tokens:
        usage = {
            "input_tokens": tokens.input - tokens.cached - tokens.written,
            "cache_read_input_tokens": tokens.cached,
            "cache_creation_input_tokens": tokens.written,
            "cache_creation": {"ephemeral_5m_input_tokens": tokens.written, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 1,
        }
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [], "usage": usage}
    made = [_named("message_start", {"type": "message_start", "message": message | {"stop_reason": None}})]
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if reply.thinking:
        deltas = [{"type": "thinking_delta", "thinking": one} for one in pieces(reply.thinking, 2)]
        deltas += [{"type": "signature_delta", "signature": reply.signature}] if reply.signature else []
        blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, deltas))
    if reply.text:
        texts = [{"type": "text_delta", "text": one} for one in pieces(reply.text, reply.pieces)]
        blocks.append(({"type": "text", "text": ""}, texts))
    for number, call in enumerate(reply.calls):
        start = {"type": "tool_use", "id": call.id or f"toolu_{number}", "name": call.name, "input": {}}
        blocks.append((start, [{"type": "input_json_delta", "partial_json": one} for one in pieces(_raw(call), 2)]))
    for index, (start, deltas) in enumerate(blocks):
        begin = {"type": "content_block_start", "index": index, "content_block": start}
        made.append(_named("content_block_start", begin))
        made.append(_named("ping", {"type": "ping"}))
        for delta in deltas:
            one = {"type": "content_block_delta", "index": index, "delta": delta}
            made.append(_named("content_block_delta", one))
        made.append(_named("content_block_stop", {"type": "content_block_stop", "index": index}))
    end: dict[str, Any] = {
        "type": "message_delta",
        "delta": {"stop_reason": stops.get(reply.stop, reply.stop), "stop_sequence": None},
        "usage": {"output_tokens": tokens.output if tokens else 0},
    }
    return [*made, _named("message_delta", end), _named("message_stop", {"type": "message_stop"})]


def _chat(reply: Reply, model: str, wire: Wire) -> list[bytes]:
    stops = {"end": "stop", "tool": "tool_calls", "length": "length", "refusal": "content_filter"}
    frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1790000000, "model": model}

    def chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _data(frame | {"choices": [choice]} | more)

    made = [chunk({"role": "assistant", "content": ""})]
    made += [chunk({"reasoning": one, "reasoning_content": one}) for one in pieces(reply.thinking, 2)]
    made += [chunk({"content": one}) for one in pieces(reply.text, reply.pieces)]
    for number, call in enumerate(reply.calls):
        start = {"index": number, "id": call.id or f"call_{number}", "type": "function"}
        made.append(chunk({"tool_calls": [start | {"function": {"name": call.name, "arguments": ""}}]}))
        for one in pieces(_raw(call), 2):
            made.append(chunk({"tool_calls": [{"index": number, "function": {"arguments": one}}]}))
    usage = None
    if reply.tokens:
        usage = {
            "prompt_tokens": reply.tokens.input,
            "completion_tokens": reply.tokens.output,
            "total_tokens": reply.tokens.input + reply.tokens.output,
            "prompt_tokens_details": {"cached_tokens": reply.tokens.cached, "cache_write_tokens": reply.tokens.written},
        }
    reason = stops.get(reply.stop, reply.stop)
    if wire == "groq":
        made.append(chunk({}, reason, x_groq={"id": "req_1", "usage": usage}))
    else:
        made.append(chunk({}, reason))
        if usage:
            made.append(_data(frame | {"choices": [], "usage": usage}))
    return [*made, b"data: [DONE]\n\n"]


def _gemini(reply: Reply, model: str) -> list[bytes]:
    stops = {"end": "STOP", "tool": "STOP", "length": "MAX_TOKENS", "refusal": "SAFETY"}
    parts: list[dict[str, Any]] = [{"text": one, "thought": True} for one in pieces(reply.thinking, 2)]
    parts += [{"text": one} for one in pieces(reply.text, reply.pieces)]
    for call in reply.calls:
        made_id = {"id": call.id} if call.id else {}
        signed = {"thoughtSignature": call.signature} if call.signature else {}
        parts.append({"functionCall": {"name": call.name, "args": _parsed(call)} | made_id} | signed)
    counts: dict[str, Any] = {}
    if reply.tokens:
        counts = {"promptTokenCount": reply.tokens.input, "cachedContentTokenCount": reply.tokens.cached}
    made = []
    for part in parts:
        candidate = {"content": {"role": "model", "parts": [part]}, "index": 0}
        made.append(_data({"candidates": [candidate], "usageMetadata": counts, "modelVersion": model}))
    final: dict[str, Any] = {"finishReason": stops.get(reply.stop, reply.stop), "index": 0}
    if reply.stop in stops:
        final["content"] = {"role": "model", "parts": [{"text": ""}]}
    if reply.tokens:
        thoughts = min(len(reply.thinking) // 4, reply.tokens.output)
        counts = counts | {"candidatesTokenCount": reply.tokens.output - thoughts, "thoughtsTokenCount": thoughts}
        counts["totalTokenCount"] = reply.tokens.input + reply.tokens.output
    return [*made, _data({"candidates": [final], "usageMetadata": counts, "modelVersion": model})]


def _ollama(reply: Reply, model: str) -> list[bytes]:
    stops = {"end": "stop", "tool": "stop", "length": "length", "refusal": "stop"}
    frame = {"model": model, "created_at": "2026-11-20T12:00:00.000000Z"}

    def line(message: dict[str, Any], **more: Any) -> bytes:
        value = frame | {"message": {"role": "assistant", "content": ""} | message, "done": False} | more
        return json.dumps(value, ensure_ascii=False).encode() + b"\n"

    made = [line({"thinking": one}) for one in pieces(reply.thinking, 2)]
    made += [line({"content": one}) for one in pieces(reply.text, reply.pieces)]
    for call in reply.calls:
        made.append(line({"tool_calls": [{"function": {"name": call.name, "arguments": _parsed(call)}}]}))
    counts = {"total_duration": 10, "load_duration": 1}
    if reply.tokens:
        counts |= {"prompt_eval_count": reply.tokens.input, "eval_count": reply.tokens.output}
    return [*made, line({}, done=True, done_reason=stops.get(reply.stop, reply.stop), **counts)]
