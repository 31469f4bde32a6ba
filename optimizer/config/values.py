"""What each setting may hold: types, ranges, choices and URLs; and the values in a file, checked, with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from optimizer.config.document import Document
from optimizer.config.features import FEATURE_NAMES
from optimizer.config.options import OPTIONS, SCOPES
from optimizer.config.suggest import did_you_mean, nearest
from optimizer.errors import ConfigError
from optimizer.setting import Setting
from optimizer.settings import rows
from optimizer.tiers import ASIDE, TaskKind
from optimizer.vendors import NAMES as PROVIDERS
from optimizer.vendors import OLLAMA

if TYPE_CHECKING:
    from urllib.parse import SplitResult

Value = str | bool | int | float

ROWS: Mapping[str, Setting] = {row.key: row for row in rows()}
KINDS: tuple[str, ...] = get_args(TaskKind)
_OPTIONS: Mapping[str, Setting] = {row.name: row for row in ROWS.values() if row.name in OPTIONS}

_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
OLLAMA_PORT = 11434
_HINT = "write it like http://127.0.0.1:8080/v1"


class BadValue(ValueError):
    """A value that a setting cannot have, and a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def check_url(text: str) -> str:
    """A base URL without its trailing slash. Raises BadValue unless it is http(s) with a host and nothing odd in it."""
    text = text.strip()
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadValue("expected a URL that begins with http:// or https://", _HINT)
    return text.rstrip("/")


def ollama_url(text: str) -> str:
    """The URL that Ollama's own client would ask for this OLLAMA_HOST: scheme, host and port filled in.

    A server's listening address (0.0.0.0 or ::) becomes the loopback address of its family. Raises BadValue.
    """
    text = text.strip().strip("\"'")
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest, port = "http", text, OLLAMA_PORT
    else:
        port = {"http": 80, "https": 443}.get(scheme, 0)
    if not port:
        raise BadValue("expected host, host:port or a URL that begins with http:// or https://", _HINT)
    parts = _split(f"{scheme}://{rest}")
    host = _bracketed(parts.hostname or "127.0.0.1")
    path = parts.path.strip("/")
    return f"{scheme}://{host}:{parts.port or port}" + (f"/{path}" if path else "")


def _split(url: str) -> SplitResult:
    from urllib.parse import urlsplit

    if not url.isprintable() or not url.isascii() or " " in url:
        raise BadValue("expected a URL without spaces, control or non-ASCII characters", _HINT)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise BadValue(f"not a URL: {error}", _HINT) from error
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise BadValue("expected a URL without user name, query or fragment", _HINT)
    return parts


def _bracketed(host: str) -> str:
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return host if address.version == 4 else f"[{host}]"


def _types() -> dict[str, type]:
    known: dict[str, type] = {
        key: int if row.word else type(row.default) for key, row in ROWS.items() if type(row.default) is not dict
    }
    known |= {f"endpoints.{name}": str for name in PROVIDERS}
    known |= {f"keywords.{kind}": str for kind in KINDS if kind not in ASIDE}
    return known | {f"features.{name}": bool for name in FEATURE_NAMES}


TYPES: Mapping[str, type] = _types()
"""The settings with fixed names; those in `options` have the names of models and providers in theirs."""
_SCOPED: tuple[str, ...] = tuple(f"options.{scope}" for scope in SCOPES)
SECTIONS: frozenset[str] = frozenset(key.rpartition(".")[0] for key in TYPES) - {""} | {"options", *_SCOPED}


def parts(key: str) -> tuple[str, ...]:
    """A dotted key as the names of its tables and its own; the name of a model may have dots."""
    scope = next((scope for scope in _SCOPED if key.startswith(f"{scope}.")), "")
    if not scope:
        return tuple(key.split("."))
    name, _, last = key.removeprefix(f"{scope}.").rpartition(".")
    return (*scope.split("."), *filter(None, (name, last)))


def row_of(key: str) -> Setting | None:
    """The row that says what a key may hold; None for those of endpoints, keywords and features, and unknown ones."""
    if key.startswith("options."):
        names = parts(key)
        known = len(names) == 4 and (names[1] != "kind" or names[2] in KINDS)
        return _OPTIONS.get(names[3]) if known else None
    return ROWS.get(key)


def type_of(key: str) -> type | None:
    """The type of a setting by its dotted key; None for an unknown one, and for a section."""
    row = row_of(key) if key.startswith("options.") else None
    return type(row.default) if row else TYPES.get(key)


def check(key: str, value: object) -> Value:
    """The value of a known key as its own type. Raises BadValue when type, range or choice is wrong."""
    wanted, word = type_of(key), row.word if (row := row_of(key)) else ""
    assert wanted
    if word and value == word:
        return word
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        other = f" or {word!r}" if word else ""
        raise BadValue(f"expected {_NAMES[wanted]}{other}, found {_found(value)}")
    if isinstance(value, str):
        return _check_text(key, value)
    assert isinstance(value, bool | int | float)
    if not isinstance(value, bool):
        assert row
        _check_range(row, value)
    return value


def from_text(key: str, text: str) -> Value:
    """The value of a known key as a flag or variable writes it. Raises BadValue."""
    wanted = type_of(key)
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
    row = row_of(key)
    if value == "" and (row is None or row.may_be_empty):
        return value
    if not value.isprintable() or not value:
        raise BadValue("expected printable text on one line")
    if row is None:
        return value
    if row.pattern and not re.fullmatch(row.pattern, value):
        raise BadValue(f"expected {row.form}, found {value!r}")
    if row.choices and not row.open_ended and value not in row.choices:
        raise BadValue(f"expected one of {', '.join(row.choices)}, found {value!r}", did_you_mean(value, row.choices))
    return value


def _check_range(row: Setting, value: float) -> None:
    low, high = row.range
    if not low <= value <= high and value != row.special:
        special = "" if row.special is None else f", or {row.special:g}"
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


Layer = Literal["default", "user", "profile", "project", "env", "flag"]


class Origin(NamedTuple):
    """Where a value comes from, and the file with line, or the variable, that holds it; as text `user:PATH:LINE`."""

    layer: Layer
    place: str = ""

    def __str__(self) -> str:
        return f"{self.layer}:{self.place}" if self.place else self.layer


DEFAULT, FLAG = Origin("default"), Origin("flag")


class Given(NamedTuple):
    """The value of a setting, and its origin."""

    key: str
    value: Value
    origin: Origin


def leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """The settings of a table by dotted key; what is no section of settings counts as a value."""
    for name, value in table.items():
        key = prefix + name
        if isinstance(value, dict) and (key in SECTIONS or prefix.rstrip(".") in _SCOPED):
            yield from leaves(value, f"{key}.")
        else:
            yield key, value


def given(document: Document, key: str, value: object, layer: Layer, more: str = "", within: str = "") -> Given:
    """A setting of a file, checked; `within` is the table of the settings in that file, with its dot.

    Raises ConfigError, with `more` added to its hint, for an unknown key or a value that it cannot hold.
    """
    place = document.place(within + key)
    if key in SECTIONS:
        raise ConfigError(f"{place}: {key} is a section", f"write [{within}{key}] and its settings below it{more}")
    if type_of(key) is None:
        raise unknown(f"{place}: ", key, more)
    try:
        return Given(key, check(key, value), Origin(layer, place))
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
    elif section == "options" and name:
        what, hint = _unknown_option(parts(key))
    elif section == "keywords" and name:
        kinds = [kind for kind in KINDS if kind not in ASIDE]
        what, hint = f"unknown kind of work {name!r}", did_you_mean(name, kinds) or f"known: {', '.join(kinds)}"
    elif key == "endpoint":
        what, hint = f"unknown setting {key!r}", "servers of your own go into models.toml, next to your config.toml"
    else:
        what, hint = f"unknown setting {key!r}", did_you_mean(key, (*TYPES, *SECTIONS))
    return ConfigError(f"{place}{what}", (hint or "docs/reference/settings.md lists all settings") + more)


def _unknown_option(names: tuple[str, ...]) -> tuple[str, str]:
    """What is wrong with a key below `options`, and a hint."""
    scope, name, last = (*names[1:], "", "")[:3]
    if scope not in SCOPES:
        return f"unknown options {scope!r}", did_you_mean(scope, SCOPES)
    if not last:
        return f"options.{scope}.{name} is a section", f'write [options.{scope}."{name}"] and its settings below it'
    if scope == "kind" and name not in KINDS:
        return f"unknown kind of work {name!r}", did_you_mean(name, KINDS) or f"known: {', '.join(KINDS)}"
    return f"unknown option {last!r}", did_you_mean(last, OPTIONS)
