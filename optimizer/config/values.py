"""What each setting may hold: types, ranges and choices, checked one value at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping

from optimizer.config.endpoints import BadValue, check_url, ollama_url
from optimizer.config.features import FEATURE_NAMES
from optimizer.config.suggest import did_you_mean
from optimizer.settings import knobs
from optimizer.tiers import TIERS
from optimizer.vendors import NAMES as PROVIDERS
from optimizer.vendors import OLLAMA

Value = str | bool | int | float

RANGES: Mapping[str, tuple[float, float]] = {
    "local.router_seconds": (0.05, 60),
    "temperature": (0, 2),
    "max_tokens": (1, 1_000_000),
    "context_size": (0, 10_000_000),
    "request_tokens": (500, 10_000_000),
    "context.max_files": (1, 10_000),
    "context.naive_tokens": (500, 10_000_000),
    "index.max_file_bytes": (1, 1_000_000_000),
    "index.parse_seconds": (0.1, 3600),
    "index.workers": (0, 256),
    "network.connect_seconds": (0.01, 3600),
    "network.first_token_seconds": (0.01, 86_400),
    "network.stall_seconds": (0.01, 86_400),
    "network.answer_seconds": (0.01, 86_400),
    "network.load_seconds": (0.01, 86_400),
    "network.answer_bytes": (1_000, 1_000_000_000),
    "confidence_threshold": (0, 1),
    "verify.seconds": (0.1, 86_400),
    "agent.steps": (0, 100),
    "agent.tokens": (1_000, 10_000_000),
    "agent.dollars": (0, 100_000),
    "agent.seconds": (1, 86_400),
    "agent.result_tokens": (100, 100_000),
    "notes.tokens": (0, 100_000),
    "budget.run": (0, 100_000),
    "budget.day": (0, 100_000),
    "budget.ask": (0, 100_000),
    "budget.unknown_per_million": (0, 100_000),
    "limits.wait_seconds": (0, 3600),
    "models.cache_seconds": (0, 86_400),
    "models.memory_gib": (0, 100_000),
    "network.connections": (1, 100),
    "journal.max_bytes": (0, 1_000_000_000_000),
    "journal.max_days": (1, 36_500),
    "transcripts.max_bytes": (0, 1_000_000_000_000),
    "transcripts.max_days": (1, 36_500),
}
SPECIAL: Mapping[str, float] = {"temperature": -1, "budget.run": -1, "budget.day": -1, "budget.ask": -1}
CHOICES: Mapping[str, tuple[str, ...]] = {"tier": TIERS, "max_tier": TIERS, "provider": PROVIDERS}
OPEN = frozenset({"provider"})  # may hold a name that only a file of the user's own tells; looked up where that is read
MAY_BE_EMPTY = frozenset(
    {
        "model",
        "provider",
        "tier",
        "profile",
        "local.router",
        "local.coder",
        "semantic.model_path",
        "verify.test",
        "verify.lint",
        "verify.types",
    }
)

_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _types() -> dict[str, type]:
    known: dict[str, type] = {}
    for knob in knobs():
        if knob.metadata["key"] not in ("endpoints", "features"):
            known[knob.metadata["key"]] = type(knob.default)
    known |= {f"endpoints.{name}": str for name in PROVIDERS}
    return known | {f"features.{name}": bool for name in FEATURE_NAMES}


TYPES: Mapping[str, type] = _types()
SECTIONS: frozenset[str] = frozenset(key.rpartition(".")[0] for key in TYPES) - {""}


def check(key: str, value: object) -> Value:
    """The value of a known key as its own type. Raises BadValue when type, range or choice is wrong."""
    wanted = TYPES[key]
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise BadValue(f"expected {_NAMES[wanted]}, found {_found(value)}")
    if isinstance(value, str):
        return _check_text(key, value)
    assert isinstance(value, bool | int | float)
    if not isinstance(value, bool):
        _check_range(key, value)
    return value


def from_text(key: str, text: str) -> Value:
    """The value of a known key as a flag or variable writes it. Raises BadValue."""
    wanted = TYPES[key]
    text = text.strip()
    value: object = text
    if wanted is bool:
        value = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}.get(text.lower(), text)
    elif wanted in (int, float):
        try:
            value = wanted(text)
        except ValueError:
            value = text
    return check(key, value)


def _check_text(key: str, value: str) -> str:
    if key.startswith("endpoints."):
        return ollama_url(value) if key == f"endpoints.{OLLAMA}" else check_url(value)
    if value == "" and key in MAY_BE_EMPTY:
        return value
    if not value.isprintable() or not value:
        raise BadValue("expected text that can be printed, on one line")
    choices = () if key in OPEN else CHOICES.get(key, ())
    if choices and value not in choices:
        raise BadValue(f"expected one of {', '.join(choices)}, found {value!r}", did_you_mean(value, choices))
    return value


def _check_range(key: str, value: float) -> None:
    low, high = RANGES.get(key, (0, math.inf))
    if key in SPECIAL and value == SPECIAL[key]:
        return
    if not low <= value <= high:
        special = f", or {SPECIAL[key]:g}" if key in SPECIAL else ""
        raise BadValue(f"expected a number from {low:,} to {high:,}{special}, found {value:,}")


def _found(value: object) -> str:
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return "a date or time"
