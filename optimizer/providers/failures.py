"""Turn the failures of providers and SDKs into our errors, with no key in any message."""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from optimizer import vendors
from optimizer.errors import (
    AuthFailed,
    BadAnswer,
    ModelMissing,
    NoRoom,
    OptimizerError,
    Overloaded,
    PromptTooLong,
    ProviderError,
    RateLimited,
    TimedOut,
    ToolsRefused,
)
from optimizer.providers import quotas
from optimizer.report.figures import duration

LONGEST_WAIT = 86_400.0

_TOO_LONG = re.compile(
    r"context.?length|context.?window|context size|prompt is too long|maximum context|too many (?:input )?tokens"
    r"|input token count|reduce the length|request.too.large|input is too long"
    r"|exceeds the (?:maximum|limit) .{0,40}tokens",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(
    r"insufficient_quota|billing_hard_limit|credit balance|spend(?:ing)?.?(?:limit|cap)|insufficient balance"
    r"|billing_error|usage limits?\b.*\bregain|blocked_api_access",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(r"api key not valid|api_key_invalid|invalid api key|api key expired", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"model_not_found|model_decommissioned|model .{0,120}(?:does not exist|not found|is not available|decommissioned)",
    re.IGNORECASE,
)
_BAD_CALL = re.compile(r"tool_use_failed|failed to call a function|error parsing tool call", re.IGNORECASE)
_CANNOT = re.compile(r"does not support (thinking|chat|generate|completion)", re.IGNORECASE)
_NO_TOOLS = re.compile(  # Ollama, vLLM, llama.cpp, OpenRouter
    r"does not support tools|requires --enable-auto-tool-choice|tools param requires|unsupported param: tools"
    r"|no endpoints found that support tool",
    re.IGNORECASE,
)
_BLIND = re.compile(
    r"does not support (?:images?|vision)|image input is not supported|missing data required for image input"
    r"|image_url is only supported by certain models",
    re.IGNORECASE,
)
_PER_DAY = re.compile(r"per.?day|\b[RT]PD\b|daily", re.IGNORECASE)
_PER_MINUTE = re.compile(r"per.?minute|\b[RTIO]{1,2}PM\b", re.IGNORECASE)
_TRY_AGAIN = re.compile(r"(?:try again|retry) in (\d[\dhms.]*[a-z])\b", re.IGNORECASE)
_NO_MEMORY = re.compile(r"more system memory|out of memory|cudamalloc|unable to allocate", re.IGNORECASE)


def redact(text: str, key: str) -> str:
    """One line of a server's text, at most 300 characters, with the key and anything like a secret masked."""
    from optimizer.privacy.secrets.scan import mask

    if key:
        text = text.replace(key, "[key]")
    text = " ".join(mask(text[:4000]).split())
    return text if len(text) <= 300 else text[:297] + "..."


def from_status(
    provider: str, key: str, status: int, headers: Mapping[str, str], body: bytes, variable: str = ""
) -> ProviderError:
    """The error for an answer with HTTP status 400 or more; `headers` are looked up in lower case, `variable` holds the
    key where it is not the vendor's own."""
    data = _json(body)
    raw = body.decode("utf-8", "replace")
    text = redact(_message(data) or ("" if _is_page(raw) else raw), key)
    line = f"{provider} answered {status}" + (f": {text}" if text else "")
    if status in (400, 413, 422, 429, 500) and _TOO_LONG.search(raw):
        return PromptTooLong(line, "send less: lower --max-tokens or context.max_files, or choose a larger model")
    if status == 429 and (vendors.of(provider).credit_in_limits or not _NO_CREDIT.search(raw)):
        period = _period(raw)
        wait = _wait(provider, headers, data, period)
        return RateLimited(line, _limit_hint(wait), wait, period)
    if status in (401, 402, 403) or (status in (400, 429) and (_BAD_KEY.search(raw) or _NO_CREDIT.search(raw))):
        for_all = status == 401 or bool(_BAD_KEY.search(raw))
        return AuthFailed(line, _key_hint(provider, status, raw, variable), for_all)
    if status in (400, 404, 500) and _NO_TOOLS.search(raw):
        return ToolsRefused(line, _fit_hint("tools"))
    if status in (404, 410) or (status == 400 and _NO_MODEL.search(raw)):
        return ModelMissing(line, _model_hint(provider))
    if status == 400 and _BAD_CALL.search(raw):
        return BadAnswer(f"{provider}: the model made a malformed tool call", "ask again, or ask another model")
    if status == 408:
        return TimedOut(line, "ask again")
    if status == 400 and (lacking := _CANNOT.search(raw)):
        return ProviderError(line, _fit_hint(lacking[1].lower()))
    if status in (400, 500) and _BLIND.search(raw):  # some local servers answer 500
        return ProviderError(line, _fit_hint("vision"))
    if status >= 500 or status in (409, 423, 425):
        return _overloaded(line, raw, _wait(provider, headers, data, ""))
    return ProviderError(
        f"{provider} refused the request ({status})" + (f": {text}" if text else ""), "try another model"
    )


def from_event(provider: str, key: str, text: str) -> ProviderError:
    """The error for a failure that a provider reports in the middle of an answer; `text` is its kind and message."""
    line = f"{provider} failed in the middle of its answer: {redact(text, key)}"
    low = text.lower()
    if _TOO_LONG.search(text):
        return PromptTooLong(line, "send less, or choose a larger model")
    if _BAD_CALL.search(text) or "invalid_request" in low:
        return BadAnswer(line, "ask again, or ask another model")
    if "rate_limit" in low or "resource_exhausted" in low:
        return RateLimited(line, _limit_hint(None))
    if "authentication" in low or "permission" in low or "unauthenticated" in low:
        return AuthFailed(line, _key_hint(provider, 401, text))
    return _overloaded(line, text, None)


def from_sdk(provider: str, key: str, error: Exception) -> OptimizerError:
    """The error for an SDK's exception: our own when the door raised it, else what the SDK read from the stream."""
    for link in _chain(error):
        if isinstance(link, OptimizerError):
            return link
    if any(isinstance(link, (ValueError, TypeError, AttributeError, LookupError)) for link in _chain(error)):
        return BadAnswer(f"{provider} sent an answer that cannot be read ({type(error).__name__})", "ask again")
    body = getattr(error, "body", None) or getattr(error, "details", None)
    text = f"{_kind(body)} {_message(body) or getattr(error, 'error', '') or error}".strip()
    return from_event(provider, key, text)


def _chain(error: BaseException) -> Iterable[BaseException]:
    link: BaseException | None = error
    for _ in range(10):
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__


def _json(body: bytes) -> Any:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data[0] if isinstance(data, list) and data else data


def _inner(data: Any) -> Any:
    return data.get("error", data) if isinstance(data, dict) else data


def _message(data: Any) -> str:
    inner = _inner(data)
    if isinstance(inner, str):
        return inner
    if isinstance(inner, dict):
        return str(inner.get("message") or inner.get("detail") or "")
    return ""


def _kind(data: Any) -> str:
    inner = _inner(data)
    if not isinstance(inner, dict):
        return ""
    found = [str(inner[name]) for name in ("type", "status", "code") if inner.get(name)]
    return " ".join(dict.fromkeys(found))


def _is_page(raw: str) -> bool:
    return raw.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<head", "<body", "<?xml"))


def _period(raw: str) -> str:
    """Whether a limit of the day or of the minute is named; '' for neither."""
    if _PER_DAY.search(raw):
        return "day"
    return "minute" if _PER_MINUTE.search(raw) else ""


def _wait(provider: str, headers: Mapping[str, str], data: Any, period: str) -> float | None:
    """Seconds to wait according to headers or to Gemini's details; None where neither says so."""
    now = time.time()
    starts = vendors.of(provider).day_starts
    if starts is not None and period == "day":
        return quotas.next_day(starts, now) - now
    found = _gemini_wait(data)
    if found is None:
        found = quotas.seconds(headers.get("retry-after-ms", ""))
        found = None if found is None else found / 1000
    if found is None:
        found = quotas.seconds(headers.get("retry-after", ""))
    if found is None and headers.get("retry-after"):
        try:
            found = email.utils.parsedate_to_datetime(headers["retry-after"]).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            found = None
    if found is None and (match := _TRY_AGAIN.search(_message(data))):
        found = quotas.seconds(match[1])
    return None if found is None else min(max(found, 0.0), LONGEST_WAIT)


def _gemini_wait(data: Any) -> float | None:
    inner = _inner(data)
    details = inner.get("details") if isinstance(inner, dict) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and "retryDelay" in detail:
            return quotas.seconds(str(detail["retryDelay"]))
    return None


def _limit_hint(wait: float | None) -> str:
    return f"wait{f' {duration(wait)}' if wait else ''}, or use another provider"


def _key_hint(provider: str, status: int, raw: str, variable: str = "") -> str:
    if status == 402 or _NO_CREDIT.search(raw):
        return f"add credit or raise the spending limit at {provider}, or use another provider"
    return f"check {variable or vendors.key_variable(provider)} and what it may use"


def _model_hint(provider: str) -> str:
    if vendors.of(provider).manages_models:
        return "pull the model first: optimize models pull NAME"
    return f"choose another model; when all are missing, check the address of {provider} under [endpoints]"


def _fit_hint(lacking: str) -> str:
    if lacking in ("tools", "vision"):
        return f"write {lacking} = false for this model in models.toml, or choose another: optimize models list"
    return "choose another model: optimize models list"


def _overloaded(line: str, raw: str, wait: float | None) -> Overloaded:
    if _NO_MEMORY.search(raw):
        return NoRoom(line, "choose a smaller model or a smaller context_size: this one does not fit into memory", wait)
    return Overloaded(line, "try again later, or use another provider", wait)
