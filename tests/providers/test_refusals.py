"""What providers answer when they do not answer: each status and text becomes the error that the cure depends on."""

from __future__ import annotations

import email.utils
import json
import time
from pathlib import Path

import pytest

from optimizer.errors import (
    AuthFailed,
    BadAnswer,
    ModelMissing,
    NoRoom,
    Overloaded,
    PromptTooLong,
    ProviderError,
    RateLimited,
    TimedOut,
    ToolsRefused,
)
from optimizer.providers.failures import from_status
from tests.loopback.clients import KEY, connect, hear
from tests.loopback.replies import WIRES, Reply, Wire, error_body, gemini_quota, refuse
from tests.loopback.server import Loopback

SPENT = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize("wire", WIRES)
def test_every_status_through_every_sdk(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path)
    kinds = {
        401: AuthFailed,
        402: AuthFailed,
        403: AuthFailed,
        404: ModelMissing,
        408: TimedOut,
        422: ProviderError,
        429: RateLimited,
        500: Overloaded,
        502: Overloaded,
        503: Overloaded,
        529: Overloaded,
    }
    for status, kind in kinds.items():
        before = len(loopback.requests)
        heard = hear(loopback, wire, provider, refuse(wire, status, "it did not work", Retry_After="2"))
        assert type(heard.error) is kind, status
        assert heard.error is not None and heard.error.usage is None
        assert wire in heard.error.message and "it did not work" in heard.error.message
        assert heard.error.hint
        assert len(loopback.requests) == before + 1, "an SDK asked again by itself"
    heard = hear(loopback, wire, provider, Reply(status=502, body=b"<html>Bad gateway</html>"))
    assert type(heard.error) is Overloaded and "<" not in heard.error.message


@pytest.mark.parametrize(
    ("provider", "status", "kind", "message", "wanted"),
    [
        (
            "anthropic",
            400,
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            PromptTooLong,
        ),
        ("anthropic", 413, "request_too_large", "Request exceeds the maximum size", PromptTooLong),
        ("anthropic", 400, "invalid_request_error", "Your credit balance is too low", AuthFailed),
        ("anthropic", 400, "invalid_request_error", "temperature: not supported", ProviderError),
        ("openai", 400, "context_length_exceeded", "This model's maximum context length is 8192 tokens", PromptTooLong),
        ("openai", 400, "exceed_context_size_error", "the request exceeds the available context size", PromptTooLong),
        ("openai", 429, "insufficient_quota", SPENT, AuthFailed),
        ("openai", 404, "model_not_found", "The model `x` does not exist or you do not have access", ModelMissing),
        ("groq", 413, "rate_limit_exceeded", "Request too large for model `m` on tokens per minute", PromptTooLong),
        ("groq", 400, "tool_use_failed", "Failed to call a function. See failed_generation.", BadAnswer),
        ("groq", 400, "model_decommissioned", "The model `x` has been decommissioned", ModelMissing),
        ("groq", 400, "context_length_exceeded", "Please reduce the length of the messages", PromptTooLong),
        ("gemini", 400, "INVALID_ARGUMENT", "The input token count (2000000) exceeds the maximum", PromptTooLong),
        ("gemini", 400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", AuthFailed),
        ("gemini", 429, "RESOURCE_EXHAUSTED", SPENT, RateLimited),
        ("ollama", 404, "", "model 'x' not found", ModelMissing),
        ("ollama", 400, "", "registry.ollama.ai/library/x does not support tools", ToolsRefused),
        ("openai", 400, "BadRequestError", '"auto" tool choice requires --enable-auto-tool-choice', ToolsRefused),
        ("openai", 500, "server_error", "tools param requires --jinja flag", ToolsRefused),
        ("openai", 404, "", "No endpoints found that support tool use.", ToolsRefused),
        ("ollama", 500, "", "model requires more system memory (9 GiB) than is available (2 GiB)", NoRoom),
    ],
)
def test_what_the_text_says_decides(
    provider: Wire, status: int, kind: str, message: str, wanted: type[ProviderError]
) -> None:
    error = from_status(provider, KEY, status, {}, json.dumps(error_body(provider, status, message, kind)).encode())
    assert type(error) is wanted
    assert error.hint


def test_cures_name_the_next_step() -> None:
    def cure(provider: Wire, status: int, message: str) -> str:
        return from_status(
            provider, "", status, {}, json.dumps(error_body(provider, status, message, "")).encode()
        ).hint

    assert "optimize models pull" in cure("ollama", 404, "model 'x' not found")
    assert "tools = false" in cure("ollama", 400, "registry.ollama.ai/library/x does not support tools")
    for said in ("this model does not support image input", "image input is not supported - hint: provide the mmproj"):
        assert "vision = false" in cure("ollama", 400, said) and "vision = false" in cure("openai", 500, said)
    assert "vision = false" in cure("ollama", 500, "this model is missing data required for image input")
    assert "models list" in cure("ollama", 400, '"nomic-embed-text" does not support chat')
    assert "smaller" in cure("ollama", 500, "model requires more system memory than is available")
    assert "GROQ_API_KEY" in cure("groq", 401, "Invalid API Key")
    assert "credit" in cure("anthropic", 402, "billing")


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", 0.0),
        ("1", 1.0),
        ("2.5", 2.5),
        ("3600", 3600.0),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("", None),
        ("2m59.56s", 179.56),
        ("34s", 34.0),
        ("1h1m", 3660.0),
    ],
)
def test_the_wait_is_read_from_the_header(header: str, wait: float | None) -> None:
    error = from_status("groq", "", 429, {"retry-after": header} if header else {}, b"{}")
    assert isinstance(error, RateLimited) and error.wait == wait


def test_the_wait_may_be_in_milliseconds_or_in_the_text() -> None:
    error = from_status("openai", "", 429, {"retry-after-ms": "1500", "retry-after": "9"}, b"{}")
    assert isinstance(error, RateLimited) and error.wait == 1.5
    said = "Rate limit reached for model `m` on tokens per minute (TPM): Limit 8000. Please try again in 2m59.56s."
    error = from_status("groq", "", 429, {}, json.dumps(error_body("groq", 429, said, "tokens")).encode())
    assert isinstance(error, RateLimited) and (error.wait, error.period) == (179.56, "minute")
    error = from_status("anthropic", "", 529, {"retry-after": "4"}, b"{}")
    assert isinstance(error, Overloaded) and error.wait == 4.0


def test_the_wait_may_be_a_date_and_is_bounded() -> None:
    def wait(header: str) -> float | None:
        error = from_status("groq", "", 429, {"retry-after": header}, b"{}")
        assert isinstance(error, RateLimited)
        return error.wait

    soon = wait(email.utils.formatdate(time.time() + 60, usegmt=True))
    assert soon is not None and 55 < soon <= 60
    assert wait(email.utils.formatdate(time.time() - 3600, usegmt=True)) == 0.0
    assert wait("1e30") == 86_400.0
    assert wait("Fri, 99 Foo 2026 99:99:99 GMT") is None


def test_gemini_names_the_quota_and_the_delay(loopback: Loopback, tmp_path: Path) -> None:
    provider = connect(loopback, "gemini", tmp_path)
    heard = hear(loopback, "gemini", provider, gemini_quota("GenerateRequestsPerMinutePerProject-FreeTier", "34.07s"))
    assert isinstance(heard.error, RateLimited)
    assert (heard.error.wait, heard.error.period) == (34.07, "minute")
    heard = hear(loopback, "gemini", provider, gemini_quota("GenerateRequestsPerDayPerProject", "34.07s"))
    assert isinstance(heard.error, RateLimited)
    assert heard.error.wait is not None and 0 < heard.error.wait <= 86_400
    assert heard.error.period == "day"


def test_no_key_is_ever_repeated() -> None:
    stripe = "sk_" + "live_" + "a1B2c3D4e5F6g7H8i9J0k1L2"
    body = json.dumps({"error": {"message": f"Incorrect API key {KEY}; and {stripe}\n" + "x" * 1000}}).encode()
    error = from_status("openai", KEY, 401, {}, body)
    assert KEY not in error.message and stripe not in error.message
    assert "\n" not in error.message and len(error.message) < 400


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'[{"error":{"message":"m"}}]', b'"x"', b"\xff\xfe", b"[" * 9000]
)
def test_any_body_is_survived(body: bytes) -> None:
    for provider in WIRES:
        assert isinstance(from_status(provider, "", 500, {}, body), Overloaded)
        assert isinstance(from_status(provider, "", 429, {}, body), RateLimited)
