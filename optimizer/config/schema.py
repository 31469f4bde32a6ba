"""The JSON Schema of the settings and of profiles, made from what the code declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.config import servers
from optimizer.config.features import default_features
from optimizer.config.options import OPTIONS, SCOPES
from optimizer.config.profiles import CAPABILITIES, KEYS, ROLE_KEYS, ROLES
from optimizer.config.values import ROWS, TYPES

_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}
_KINDS: Mapping[type, Mapping[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    list: _TEXTS,
    tuple: _TEXTS,
    dict: {"type": "object"},
}


def schema() -> dict[str, Any]:
    """The schema of config.toml and .optimizer.toml, as JSON; profiles are `$defs/profile`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of optimizer",
        **_settings(),
        "$defs": {"settings": _settings(), "role": _role(), "profile": _profile()},
    }


def _settings() -> dict[str, Any]:
    switches = default_features()
    root: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    for key in TYPES:
        section, _, name = key.rpartition(".")
        found: dict[str, Any] = dict(_value(key))
        if row := ROWS.get(key):
            found |= {"description": row.doc, "default": row.default}
        elif section == "features":
            found["default"] = switches[name]
        if not (row or ROWS[section]).project:
            found["x-user-only"] = True
        _within(root, section)["properties"][name] = found
    root["properties"]["options"] = {
        "type": "object",
        "description": ROWS["options"].doc,
        "x-user-only": True,
        "properties": {scope: {"type": "object", "additionalProperties": _options()} for scope in SCOPES},
        "additionalProperties": False,
    }
    return root


def _options() -> dict[str, Any]:
    keys = [key for key, row in ROWS.items() if row.name in OPTIONS]
    properties = {ROWS[key].name: _value(key) for key in keys}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _within(root: dict[str, Any], section: str) -> dict[str, Any]:
    for part in filter(None, section.split(".")):
        root = root["properties"].setdefault(part, {"type": "object", "properties": {}, "additionalProperties": False})
    return root


def _value(key: str) -> dict[str, Any]:
    found, row = dict(_KINDS[TYPES[key]]), ROWS.get(key)
    if row is None:
        return found | {"format": "uri"} if key.startswith("endpoints.") else found
    if row.open_ended:
        known = {"enum": [*row.choices, ""]}
        return {"anyOf": [known, {"type": "string", "pattern": f"^{servers.NAME.pattern}$"}]}
    if row.choices:
        return {"enum": [*row.choices, *([""] if row.may_be_empty else [])]}
    if row.pattern:
        return found | {"pattern": f"^(?:{row.pattern})?$"}
    if TYPES[key] in (int, float):
        found |= {"minimum": row.range[0], "maximum": row.range[1]}
        other = row.word or row.special
        return found if other is None or other == "" else {"anyOf": [found, {"const": other}]}
    return found


def _role() -> dict[str, Any]:
    return {"type": "object", "properties": _wishes(ROLE_KEYS), "additionalProperties": False}


def _profile() -> dict[str, Any]:
    properties = _wishes(KEYS) | {
        "settings": {"$ref": "#/$defs/settings"},
        "roles": {
            "type": "object",
            "properties": {name: {"$ref": "#/$defs/role"} for name in ROLES},
            "additionalProperties": False,
        },
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _wishes(keys: Mapping[str, type]) -> dict[str, Any]:
    found: dict[str, Any] = {key: dict(_KINDS[kind]) for key, kind in keys.items()}
    found["window"] |= {"minimum": 0}
    found["requires"] = {"type": "array", "items": {"enum": list(CAPABILITIES)}}
    return found
