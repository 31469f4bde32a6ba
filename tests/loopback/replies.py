"""The answers that the loopback server can be scripted to send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Wire = Literal["anthropic", "gemini", "groq", "ollama", "openai"]
WIRES: tuple[Wire, ...] = ("anthropic", "gemini", "groq", "ollama", "openai")


@dataclass(frozen=True)
class Call:
    """A tool call to answer with; a string for arguments is sent as it is, valid JSON or not.

    `id` and `signature` (base64) go on the wires that know them; without an id the call gets one from its place.
    """

    name: str
    arguments: Mapping[str, Any] | str
    id: str = ""
    signature: str = ""


@dataclass(frozen=True)
class Tokens:
    """The true usage: `input` counts all prompt tokens, also those of `cached` and `written`."""

    input: int = 1200
    output: int = 30
    cached: int = 0
    written: int = 0


@dataclass(frozen=True)
class Reply:
    """One scripted answer: a stream of events unless `body` is set.

    `stop` is end, tool, length or refusal, or a reason of the wire itself. Positions (`error_at`, `cut_at`,
    `stall_at`) count events sent before it happens. `cut`: `end` finishes the HTTP body properly, `eof` only closes
    the connection, `rst` resets it. `chunk` splits the bytes into writes of that size, `pause` seconds apart. While it
    stalls within the body, `pings` are sent in turn.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    stop: str = "end"
    tokens: Tokens | None = Tokens()
    thinking: str = ""
    signature: str = ""
    pieces: int = 3
    model: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    error: Mapping[str, Any] | None = None
    error_at: int | None = None
    cut: Literal["end", "eof", "rst"] = "end"
    cut_at: int | None = None
    stall_at: int | None = None
    stall: float = 0.0
    chunk: int = 0
    pause: float = 0.0
    crlf: bool = False
    noise: bool = False
    bomb: int = 0
    pings: tuple[bytes, ...] = ()


def refuse(wire: Wire, status: int, message: str, kind: str = "", **headers: str) -> Reply:
    """An error with the body that the vendor sends; `kind` is its type or code; headers with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        status=status,
        headers={"content-type": "application/json"} | named,
        body=json.dumps(error_body(wire, status, message, kind)).encode(),
    )


def error_body(wire: Wire, status: int, message: str, kind: str) -> dict[str, Any]:
    """The JSON of an error as the vendor writes it."""
    if wire == "anthropic":
        return {"type": "error", "error": {"type": kind or "api_error", "message": message}, "request_id": "req_1"}
    if wire == "gemini":
        return {"error": {"code": status, "message": message, "status": kind or "INTERNAL"}}
    if wire == "ollama":
        return {"error": message}
    return {"error": {"message": message, "type": kind or "server_error", "param": None, "code": kind or None}}


def gemini_quota(quota_id: str, delay: str) -> Reply:
    """Gemini's 429: which quota, and how long to wait."""
    kind = "type.googleapis.com/google.rpc."
    details = [
        {"@type": kind + "QuotaFailure", "violations": [{"quotaId": quota_id, "quotaMetric": "requests"}]},
        {"@type": kind + "RetryInfo", "retryDelay": delay},
    ]
    message = "You exceeded your current quota, please check your plan and billing details."
    error = {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}
    return Reply(status=429, headers={"content-type": "application/json"}, body=json.dumps({"error": error}).encode())


def page(status: int = 200) -> Reply:
    """A web page, as a captive portal or a wrong address gives."""
    return Reply(status=status, headers={"content-type": "text/html"}, body=b"<!doctype html><title>Log in</title>")
