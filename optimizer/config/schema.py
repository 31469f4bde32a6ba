"""The JSON Schema of the settings and of profiles, made from what the code declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.config import servers
from optimizer.config.features import default_features
from optimizer.config.profiles import CAPABILITIES, KEYS, ROLE_KEYS, ROLES
from optimizer.config.values import CHOICES, MAY_BE_EMPTY, OPEN, RANGES, SPECIAL, TYPES
from optimizer.settings import knobs

_KINDS: Mapping[type, Mapping[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    list: {"type": "array", "items": {"type": "string", "minLength": 1}},
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
    docs = {knob.metadata["key"]: knob for knob in knobs()}
    switches = default_features()
    root: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    for key in TYPES:
        section, _, name = key.rpartition(".")
        found: dict[str, Any] = dict(_value(key))
        if knob := docs.get(key):
            found |= {"description": knob.metadata["doc"], "default": knob.default}
        elif section == "features":
            found["default"] = switches[name]
        if (docs.get(key) or docs[section]).metadata["user_only"]:
            found["x-user-only"] = True
        _within(root, section)["properties"][name] = found
    return root


def _within(root: dict[str, Any], section: str) -> dict[str, Any]:
    for part in filter(None, section.split(".")):
        root = root["properties"].setdefault(part, {"type": "object", "properties": {}, "additionalProperties": False})
    return root


def _value(key: str) -> dict[str, Any]:
    found = dict(_KINDS[TYPES[key]])
    if key in OPEN:
        known = {"enum": [*CHOICES[key], ""]}
        return {"anyOf": [known, {"type": "string", "pattern": f"^{servers.NAME.pattern}$"}]}
    if key in CHOICES:
        return {"enum": [*CHOICES[key], *([""] if key in MAY_BE_EMPTY else [])]}
    if key.startswith("endpoints."):
        return found | {"format": "uri"}
    if key in RANGES:
        low, high = RANGES[key]
        found |= {"minimum": low, "maximum": high}
        if key in SPECIAL:
            return {"anyOf": [found, {"const": SPECIAL[key]}]}
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
