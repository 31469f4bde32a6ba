"""Resolve the settings of a run: defaults < user < project < environment < flags, each value with its origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from optimizer.config.document import Document, read_document
from optimizer.config.endpoints import BadValue
from optimizer.config.features import FEATURE_NAMES, Features, default_features, features_from
from optimizer.config.keys import PROVIDERS, Keys, keys_from
from optimizer.config.paths import Places, places
from optimizer.config.suggest import did_you_mean
from optimizer.config.values import SECTIONS, TYPES, Value, check, from_text
from optimizer.errors import ConfigError
from optimizer.settings import Settings, knobs

PROJECT_FILE = ".optimizer.toml"
VARIABLES: Mapping[str, str] = {
    "OPTIMIZER_MODEL": "model",
    "OPTIMIZER_PROVIDER": "provider",
    "OPTIMIZER_TEMPERATURE": "temperature",
    "OPTIMIZER_MAX_TOKENS": "max_tokens",
    "OPTIMIZER_CONTEXT_SIZE": "context_size",
    "OLLAMA_HOST": "endpoints.ollama",
}
_WITHOUT_PROJECT = ", or leave it out with --no-project-config"


class Config(NamedTuple):
    """The resolved settings; `origins` tells for each dotted key where its value came from:
    "default", "user:PATH:LINE", "project:PATH:LINE", "env:VARIABLE" or "flag"."""

    settings: Settings
    origins: Mapping[str, str]
    places: Places
    features: Features
    keys: Keys
    notices: tuple[str, ...] = ()


class _Given(NamedTuple):
    key: str
    value: Value
    origin: str


def load(root: Path | None, env: Mapping[str, str], flags: Mapping[str, object]) -> Config:
    """Resolve all settings.

    `root` is the directory whose `.optimizer.toml` counts, None for no project file; `flags` maps dotted keys to values
    (text is read as in the environment; None is no flag). Raises ConfigError for an unknown key, a value of the wrong
    type or out of range, or a broken file, naming file and line; StorageError when a file cannot be read.
    """
    where = places(env)
    notices: list[str] = []
    values: dict[str, Value] = {f"features.{name}": on for name, on in default_features().items()}
    origins = dict.fromkeys((*_plain_defaults(), *values), "default")
    layers = (
        _from_user(where.config_file),
        _from_project(root, notices),
        _from_environment(env, notices),
        _from_flags(flags),
    )
    for layer in layers:
        for given in layer:
            values[given.key] = given.value
            origins[given.key] = given.origin
    settings = _settings(values)
    if settings.max_tokens >= settings.request_tokens:
        raise ConfigError(
            f"max_tokens ({settings.max_tokens}, {origins['max_tokens']}) leaves no room within request_tokens "
            f"({settings.request_tokens}, {origins['request_tokens']})",
            "raise request_tokens, or lower max_tokens",
        )
    keys = keys_from(env)
    return Config(settings, origins, where, features_from(settings.features), keys, (*notices, *keys.problems))


def user_only_keys() -> frozenset[str]:
    """The keys, or sections, that no project file may set."""
    return frozenset(knob.metadata["key"] for knob in knobs() if knob.metadata["user_only"])


def _plain_defaults() -> Iterator[str]:
    return (knob.metadata["key"] for knob in knobs() if knob.metadata["key"] not in SECTIONS)


def _settings(values: Mapping[str, Value]) -> Settings:
    fields: dict[str, Any] = {}
    for knob in knobs():
        key = knob.metadata["key"]
        if key in SECTIONS:
            fields[knob.name] = {k.removeprefix(f"{key}."): v for k, v in values.items() if k.startswith(f"{key}.")}
        elif key in values:
            fields[knob.name] = values[key]
    return Settings(**fields)


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def _from_user(path: Path) -> Iterator[_Given]:
    document = read_document(path)
    if document:
        for key, value in _leaves(document.data):
            yield _given(document, key, value, "user", "")


def _from_project(root: Path | None, notices: list[str]) -> Iterator[_Given]:
    document = read_document(root / PROJECT_FILE, _WITHOUT_PROJECT) if root else None
    if not document:
        return
    for key, value in _leaves(document.data):
        section = key.partition(".")[0]
        if {key, section} & user_only_keys():
            notices.append(f"{document.place(key)}: {key!r} is ignored: only your own configuration may set it")
        elif key not in TYPES and isinstance(document.data.get(section), dict) and section not in SECTIONS:
            notices.append(f"{document.place(key)}: the section [{section!r}] is ignored: it is unknown")
        else:
            yield _given(document, key, value, "project", _WITHOUT_PROJECT)


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        key = prefix + name
        if isinstance(value, dict) and key in SECTIONS:
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value


def _given(document: Document, key: str, value: object, layer: str, cure: str) -> _Given:
    place = document.place(key)
    if key in SECTIONS:
        raise ConfigError(f"{place}: {key} is a section", f"write [{key}] and its settings below it{cure}")
    if key not in TYPES:
        raise _unknown(f"{place}: ", key, cure)
    try:
        return _Given(key, check(key, value), f"{layer}:{place}")
    except BadValue as error:
        raise ConfigError(f"{place}: {key}: {error}", (error.hint or "correct the value") + cure) from error


# ── environment and flags ────────────────────────────────────────────────────────────────────────


def _from_environment(env: Mapping[str, str], notices: list[str]) -> Iterator[_Given]:
    if profile := env.get("OPTIMIZER_PROFILE", "").strip():
        notices.append(f"OPTIMIZER_PROFILE={profile!r} is ignored: this version has no profiles")
    for variable, key in VARIABLES.items():
        if text := env.get(variable, "").strip():
            yield _Given(key, _read_text(f"{variable}: ", key, text), f"env:{variable}")


def _from_flags(flags: Mapping[str, object]) -> Iterator[_Given]:
    for key, value in flags.items():
        if value is None:
            continue
        if key not in TYPES:
            raise _unknown("", key, "")
        if isinstance(value, str):
            yield _Given(key, _read_text(f"{key}: ", key, value), "flag")
        else:
            try:
                yield _Given(key, check(key, value), "flag")
            except BadValue as error:
                raise ConfigError(f"{key}: {error}", error.hint or "correct the flag") from error


def _read_text(place: str, key: str, text: str) -> Value:
    try:
        return from_text(key, text)
    except BadValue as error:
        raise ConfigError(f"{place}{error}", error.hint or "correct the value") from error


def _unknown(place: str, key: str, cure: str) -> ConfigError:
    section, _, name = key.partition(".")
    if section == "endpoints" and name:
        what, hint = f"unknown provider {name!r}", did_you_mean(name, PROVIDERS)
    elif section == "features" and name:
        what, hint = f"unknown feature {name!r}", did_you_mean(name, FEATURE_NAMES)
    else:
        what, hint = f"unknown setting {key!r}", did_you_mean(key, (*TYPES, *SECTIONS))
    return ConfigError(f"{place}{what}", (hint or "docs/settings.md lists all settings") + cure)
