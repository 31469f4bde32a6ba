"""What each setting may hold: types, ranges and choices, checked one value at a time."""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.config.endpoints import BadValue, check_url, ollama_url
from optimizer.config.features import FEATURE_NAMES
from optimizer.config.suggest import did_you_mean
from optimizer.settings import Setting, rows
from optimizer.vendors import NAMES as PROVIDERS
from optimizer.vendors import OLLAMA

Value = str | bool | int | float

ROWS: Mapping[str, Setting] = {row.key: row for row in rows()}

_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _types() -> dict[str, type]:
    known: dict[str, type] = {key: type(row.default) for key, row in ROWS.items() if type(row.default) is not dict}
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
        _check_range(ROWS[key], value)
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
    row = ROWS[key]
    if value == "" and row.may_be_empty:
        return value
    if not value.isprintable() or not value:
        raise BadValue("expected printable text on one line")
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
