"""Settings for the calls of one model, provider or kind of work: which there are, and what holds for a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.settings import Settings

SCOPES: tuple[str, ...] = ("model", "provider", "kind")
"""What `options` can be for; of several that fit a call, those of the first count."""
OPTIONS: tuple[str, ...] = (
    "temperature",
    "top_p",
    "max_tokens",
    "context_size",
    "keep_alive",
    "first_token_seconds",
    "stall_seconds",
    "answer_seconds",
    "load_seconds",
)
"""The settings, by attribute, that `options` can hold."""


def option(settings: Settings, name: str, model: str, provider: str, kind: str = "") -> Any:
    """The value of one of OPTIONS for a call: that of the model, the provider or the kind of work, else the setting.

    A model is named by its id or a glob, the id before globs.
    """
    if settings.options:
        for scope, wanted in zip(SCOPES, (model, provider, kind), strict=True):
            value = _own(settings.options, scope, wanted, name)
            if value is not None:
                return value
    return getattr(settings, name)


def longest(settings: Settings, name: str) -> float:
    """The largest number of seconds that one of OPTIONS has for any call."""
    own = [value for key, value in settings.options.items() if key.endswith(f".{name}")]
    return float(max([getattr(settings, name), *own]))


def _own(options: Mapping[str, Any], scope: str, wanted: str, name: str) -> Any:
    from fnmatch import fnmatchcase

    start, end = f"{scope}.", f".{name}"
    found = {key[len(start) : -len(end)]: key for key in options if key.startswith(start) and key.endswith(end)}
    fitting = [wanted] if wanted in found else [one for one in found if fnmatchcase(wanted.lower(), one.lower())]
    return options[found[fitting[0]]] if fitting else None
