"""Values of settings in a file, each checked, with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from optimizer.config.document import Document
from optimizer.config.endpoints import BadValue
from optimizer.config.features import FEATURE_NAMES
from optimizer.config.suggest import did_you_mean, nearest
from optimizer.config.values import SECTIONS, TYPES, Value, check
from optimizer.errors import ConfigError
from optimizer.vendors import NAMES as PROVIDERS


class Given(NamedTuple):
    """The value of a setting, and its origin."""

    key: str
    value: Value
    origin: str


def leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """The settings of a table by dotted key; what is no section of settings counts as a value."""
    for name, value in table.items():
        key = prefix + name
        if isinstance(value, dict) and key in SECTIONS:
            yield from leaves(value, f"{key}.")
        else:
            yield key, value


def given(document: Document, key: str, value: object, layer: str, more: str = "", within: str = "") -> Given:
    """A setting of a file, checked; `within` is the table of the settings in that file, with its dot.

    Raises ConfigError, with `more` added to its hint, for an unknown key or a value that it cannot hold.
    """
    place = document.place(within + key)
    if key in SECTIONS:
        raise ConfigError(f"{place}: {key} is a section", f"write [{within}{key}] and its settings below it{more}")
    if key not in TYPES:
        raise unknown(f"{place}: ", key, more)
    try:
        return Given(key, check(key, value), f"{layer}:{place}")
    except BadValue as error:
        raise ConfigError(f"{place}: {key}: {error}", (error.hint or "correct the value") + more) from error


def unknown(place: str, key: str, more: str) -> ConfigError:
    """The error for an unknown key."""
    section, _, name = key.partition(".")
    if section == "endpoints" and name:
        what, hint = f"unknown provider {name!r}", did_you_mean(name, PROVIDERS)
        if not nearest(name, PROVIDERS):
            hint = f"{hint}; a server of another name is an [[endpoint]] of models.toml (docs/guides/models.md)"
    elif section == "features" and name:
        what, hint = f"unknown feature {name!r}", did_you_mean(name, FEATURE_NAMES)
    elif key == "endpoint":
        what, hint = f"unknown setting {key!r}", "servers of your own go into models.toml, next to your config.toml"
    else:
        what, hint = f"unknown setting {key!r}", did_you_mean(key, (*TYPES, *SECTIONS))
    return ConfigError(f"{place}{what}", (hint or "docs/reference/settings.md lists all settings") + more)
