"""Resolve the settings of a run: default < user < profile < project < environment < flag, each with its origin.

API keys of the environment are held so that printing them by accident shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from optimizer.config.document import read_document
from optimizer.config.features import Features, default_features, features_from
from optimizer.config.paths import Places, places, supplied
from optimizer.config.values import (
    DEFAULT,
    FLAG,
    ROWS,
    SECTIONS,
    BadValue,
    Given,
    Origin,
    Value,
    check,
    from_text,
    given,
    leaves,
    parts,
    type_of,
    unknown,
)
from optimizer.errors import ConfigError
from optimizer.setting import Setting
from optimizer.settings import USUAL_REQUEST, Settings, rows
from optimizer.vendors import VENDORS

if TYPE_CHECKING:
    from optimizer.config.profiles import Profile

PROJECT_FILE = ".optimizer.toml"
VARIABLES: Mapping[str, str] = {
    **{row.env: row.key for row in rows() if row.env},
    "OLLAMA_HOST": "endpoints.ollama",
}
_OURS = "OPTIMIZER_"
_TABLES = ("endpoints", "features", "keywords", "options")
_WITHOUT_PROJECT = " (or ignore the file: --no-project-config)"


class Config(NamedTuple):
    """The resolved settings; `origins` is where the value of each dotted key comes from."""

    settings: Settings
    origins: Mapping[str, Origin]
    places: Places
    features: Features
    keys: Keys
    notices: tuple[str, ...] = ()
    profile: Profile | None = None


def load(
    root: Path | None,
    env: Mapping[str, str],
    flags: Mapping[str, object],
    auto: Callable[[Mapping[str, str]], str] = lambda _: "",
    within: Path | None = None,
) -> Config:
    """Resolve all settings.

    `root` is the directory whose `.optimizer.toml` counts, None for no project file; `within` is the repository, which
    must not hold our own files. `flags` maps dotted keys to values (text is read as in the environment; None is no
    flag); `auto` names the profile of the work at hand ('': none) from the user's keywords, and is called only where
    the profile is "auto". Raises ConfigError for an unknown key, a value of the wrong type or out of range, or a broken
    file, naming file and line; StorageError when a file cannot be read.
    """
    where = places(env, within)
    notices = [*_misspelt(env), *_supplied(env, within)]
    values: dict[str, Value] = {f"features.{name}": on for name, on in default_features().items()}
    origins = dict.fromkeys((*_plain_defaults(), *values), DEFAULT)
    user, near = list(_from_user(where.config_file)), [*_from_environment(env), *_from_flags(flags)]
    profile = _profile([*user, *near], where, auto)
    mine = [*user, *(profile.settings if profile else ())]
    project = list(_from_project(root, {one.key: one.value for one in mine}, notices))
    for one in (*mine, *project, *near):
        if one.key == "provider" or one.key.startswith("options.provider."):
            from optimizer.config.servers import check_provider

            check_provider(one, where.models_file)
        values[one.key] = one.value
        origins[one.key] = one.origin
    if moved := [one for one in project if origins[one.key] == one.origin]:
        notices.append(_moved(moved))
    for key in [key for key in values if key.startswith("options.") and _nearer(parts(key)[-1], origins)]:
        del values[key], origins[key]
    settings = _settings(values)
    if settings.max_tokens >= settings.first_request:
        raise ConfigError(
            f"max_tokens ({settings.max_tokens:,}, {origins['max_tokens']}) leaves no room in request_tokens "
            f"({settings.first_request:,}, {origins['request_tokens']})",
            "raise request_tokens, or lower max_tokens",
        )
    keys = keys_from(env)
    problems = (*notices, *keys.problems)
    return Config(settings, origins, where, features_from(settings.features), keys, problems, profile)


def user_only_keys() -> frozenset[str]:
    """The keys, or sections, that no project file may set."""
    return frozenset(row.key for row in rows() if row.user_only)


def _nearer(name: str, origins: Mapping[str, Origin]) -> bool:
    """Whether a flag or a variable sets this option for every call of the run."""
    key = next(row.key for row in rows() if row.name == name)
    return origins[key].layer in ("env", "flag")


def _plain_defaults() -> Iterator[str]:
    return (row.key for row in rows() if row.key not in SECTIONS)


def _settings(values: Mapping[str, Value]) -> Settings:
    fields: dict[str, Any] = {}
    for row in rows():
        if row.key in SECTIONS:
            within = f"{row.key}."
            fields[row.name] = {k.removeprefix(within): v for k, v in values.items() if k.startswith(within)}
        elif row.key in values:
            fields[row.name] = values[row.key]
    return Settings(**fields)


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def _from_user(path: Path) -> Iterator[Given]:
    document = read_document(path)
    if document:
        for key, value in leaves(document.data):
            yield given(document, key, value, "user")


def _from_project(root: Path | None, mine: Mapping[str, Value], notices: list[str]) -> Iterator[Given]:
    """What a project's file may set, given the user's own values; `notices` gets the rest, a line each."""
    document = read_document(root / PROJECT_FILE, _WITHOUT_PROJECT) if root else None
    if not document:
        return
    for key, value in leaves(document.data):
        section = key.partition(".")[0]
        if type_of(key) is None and isinstance(document.data.get(section), dict) and section not in SECTIONS:
            notices.append(f"{document.place(key)}: the section [{section!r}] is ignored: it is unknown")
            continue
        own_only = {key, section} & user_only_keys()
        one = None if own_only else given(document, key, value, "project", _WITHOUT_PROJECT)
        if one is None or not for_projects(key):
            notices.append(f"{document.place(key)}: {key!r} is ignored: only your own configuration may set it")
            continue
        row = ROWS[key]
        own = mine.get(key, row.default)
        if _is_allowed(row, own, one.value):
            if one.value != own:
                yield one
        else:
            how = {"lower": "lower it", "higher": "raise it", "off": "switch it off"}[row.project]
            yours = str(own).lower() if isinstance(own, bool) else own
            notices.append(f"{one.origin.place}: {key!r} is ignored: a project may only {how} (yours: {yours})")


def for_projects(key: str) -> bool:
    """Whether a project's file may set a key at all; an unknown one is an error of its own."""
    if key.startswith("options.") or key.partition(".")[0] in _TABLES:
        return False
    return key not in ROWS or bool(ROWS[key].project)


def _is_allowed(row: Setting, own: Any, value: Any) -> bool:
    """Whether a project may set this value where the user's own is that."""
    if row.word:
        if value == row.word:
            return bool(own == value)
        own = USUAL_REQUEST if own == row.word else own
    if row.choices:
        own, value = row.choices.index(own), row.choices.index(value)
    match row.project:
        case "lower":
            return bool(value <= own)
        case "higher":
            return bool(value >= own)
        case "off":
            return value is False
    return True


def _moved(project: Sequence[Given]) -> str:
    """What a project's file sets, in a line."""
    shown = [f"{one.key}={str(one.value).lower() if isinstance(one.value, bool) else one.value}" for one in project]
    return f"project sets: {', '.join(shown)}"


def _profile(given_values: Sequence[Given], where: Places, auto: Callable[[Mapping[str, str]], str]) -> Profile | None:
    """The profile that the nearest of the values names, None where none is named; `auto` chooses for "auto"."""
    name, origin = "", DEFAULT
    for one in given_values:
        if one.key == "profile":
            name, origin = str(one.value), one.origin
    if not name:
        return None
    from optimizer.config.profiles import AUTO, resolve

    if name == AUTO:
        start = "keywords."
        name = auto({k.removeprefix(start): str(v) for k, v, _ in given_values if k.startswith(start)})
        return resolve(name, where.profiles) if name else None
    try:
        return resolve(name, where.profiles, origin.place or ("" if origin.layer == "flag" else origin.layer))
    except ConfigError as error:
        if origin.layer != "user":
            raise
        raise ConfigError(error.message, f"{error.hint}; to use none: optimize profile use none") from error


# ── environment and flags ────────────────────────────────────────────────────────────────────────


def _from_environment(env: Mapping[str, str]) -> Iterator[Given]:
    for variable, key in VARIABLES.items():
        if text := env.get(variable, "").strip():
            yield Given(key, _read_text(f"{variable}: ", key, text), Origin("env", variable))


def _misspelt(env: Mapping[str, str]) -> Iterator[str]:
    """A line for each environment variable that looks misspelt."""
    own = [
        name.removeprefix(_OURS)
        for name in (*VARIABLES, "OPTIMIZER_HOME", "OPTIMIZER_DEBUG", "OPTIMIZER_PASSPHRASE_FILE")
    ]
    strange = [name for name in sorted(env) if name.startswith(_OURS) and name.removeprefix(_OURS) not in own]
    if strange:
        import difflib

        for name in strange:
            for near in difflib.get_close_matches(name.removeprefix(_OURS), own, n=1, cutoff=0.7):
                yield f"{name} is not read; did you mean {_OURS}{near}?"


def _supplied(env: Mapping[str, str], within: Path | None) -> Iterator[str]:
    """A line for each variable that would let a repository bring its own consent, trust and settings."""
    for name in supplied(env, within) if within else ():
        yield f"{name} is ignored: it names a folder in this repository, which may not bring settings, consent or trust"


def _from_flags(flags: Mapping[str, object]) -> Iterator[Given]:
    for key, value in flags.items():
        if value is None:
            continue
        if type_of(key) is None:
            raise unknown("", key, "")
        if isinstance(value, str):
            yield Given(key, _read_text(f"{key}: ", key, value), FLAG)
        else:
            try:
                yield Given(key, check(key, value), FLAG)
            except BadValue as error:
                raise ConfigError(f"{key}: {error}", error.hint or "correct the flag") from error


def _read_text(place: str, key: str, text: str) -> Value:
    try:
        return from_text(key, text)
    except BadValue as error:
        raise ConfigError(f"{place}{error}", error.hint or "correct the value") from error


@dataclass(frozen=True, slots=True)
class Keys:
    """The key of each provider that has one; `problems` names the variables that were left out, and why."""

    by_provider: Mapping[str, str] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()

    def of(self, provider: str) -> str:
        """The provider's key, '' if there is none."""
        return self.by_provider.get(provider, "")


def keys_from(env: Mapping[str, str]) -> Keys:
    """All providers' keys from the environment; one that no header could carry is left out and named."""
    found: dict[str, str] = {}
    problems: list[str] = []
    for provider, vendor in VENDORS.items():
        for variable in vendor.keys:
            key = env.get(variable, "").strip()
            if key and not is_sendable(key):
                problems.append(f"{variable} is ignored: it holds a space, a control or a non-ASCII character")
            elif key:
                found[provider] = key
                break
    return Keys(found, tuple(problems))


def is_sendable(key: str) -> bool:
    """Whether a header can carry a key."""
    return key.isascii() and key.isprintable() and " " not in key
