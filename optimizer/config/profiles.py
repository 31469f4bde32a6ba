"""Profiles: named sets of settings and model preferences, shipped or the user's own, that inherit from each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimizer.config.document import Document, read_document
from optimizer.config.paths import MODELS_FILE
from optimizer.config.suggest import did_you_mean
from optimizer.config.values import SECTIONS, Given, given, leaves, type_of
from optimizer.errors import INSTALL_AGAIN, ConfigError
from optimizer.reasons import By

SHIPPED = Path(__file__).with_name("profiles.toml")
CAPABILITIES: tuple[str, ...] = ("tools", "vision", "streaming", "json", "thinking")
AUTO = "auto"  # no profile: the kind of work chooses one of those that come with the program
ROLES: tuple[str, ...] = ("planner", "editor", "critic", "summariser", "reader")
NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")
MOST_ANCESTORS = 8
_PREFERENCES: Mapping[str, type] = {"about": str, "families": list, "models": list, "window": int, "requires": list}
KEYS: Mapping[str, type] = {**_PREFERENCES, "extends": str, "fallback": str, "settings": dict, "roles": dict}
ROLE_KEYS: Mapping[str, type] = {**_PREFERENCES, "cloud": bool}
_NAMES = {str: "text", list: "a list of texts", int: "a whole number from 0", bool: "true or false", dict: "a table"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a profile, role or setting wants of models: preferred ones, and what any of them must have.

    `suits` are names of profiles that the catalogue may say a model suits; `local_only` leaves cloud models out.
    """

    by: By
    families: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    suits: tuple[str, ...] = ()
    window: int = 0
    requires: frozenset[str] = frozenset()
    local_only: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile with all that it inherits: `chain` names it and those it builds on, `path` is its file."""

    name: str
    path: Path
    about: str
    chain: tuple[str, ...]
    wanted: Wanted
    fallback: str = ""
    settings: tuple[Given, ...] = ()
    roles: Mapping[str, Wanted] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Source:
    """A profile as a file writes it: the table, and the place of that table within the file."""

    document: Document
    table: Mapping[str, Any]
    within: str = ""


def names(folder: Path) -> dict[str, Path]:
    """All profiles by name, the shipped first, and the file of each."""
    found = dict.fromkeys(_shipped().data["profile"], SHIPPED)
    if folder.is_dir():
        own = sorted(path for path in folder.glob("*.toml") if NAME.fullmatch(path.stem))
        found |= {path.stem: path for path in own if not is_shipped(path.stem)}
    return found


def is_shipped(name: str) -> bool:
    """Whether a profile came with the program, or the name is not free; such are never changed."""
    return name == AUTO or name in _shipped().data["profile"]


def resolve(name: str, folder: Path, asked_by: str = "") -> Profile:
    """The profile `name` with all that it inherits; `asked_by` is the place that names it, for messages.

    Raises ConfigError for an unknown name, a circle, or anything in its files that is no profile, with file and line.
    """
    sources = list(_ancestry(name, folder, asked_by))
    merged: dict[str, Any] = {}
    settings: dict[str, Given] = {}
    roles: dict[str, Wanted] = {}
    for source in reversed(sources):
        merged |= {key: value for key, value in source.table.items() if key not in ("settings", "roles")}
        settings |= {one.key: one for one in _settings(source, folder)}
        roles |= dict(_roles(source))
    chain = tuple(_name(source, name) for source in sources)
    fallback = merged.get("fallback", "")
    if fallback and fallback not in names(folder):
        where = next(source for source in sources if "fallback" in source.table)
        raise _unknown(fallback, folder, where.document.place(f"{where.within}fallback"))
    return Profile(
        name=name,
        path=sources[0].document.path,
        about=sources[0].table.get("about", ""),
        chain=chain,
        wanted=_wanted(By("profile", name), merged, chain),
        fallback="" if fallback == name else fallback,
        settings=tuple(settings.values()),
        roles=roles,
    )


def line_of(first: Profile, folder: Path) -> tuple[Wanted, ...]:
    """The preferences of a profile, then those of its fallbacks, in order."""
    found = {first.name: first.wanted}
    following = first.fallback
    while following and following not in found:
        profile = resolve(following, folder)
        found[following], following = profile.wanted, profile.fallback
    return tuple(found.values())


def role(name: str, profile: Profile | None) -> Wanted:
    """The preferences of the role `name`: the profile's, else the shipped ones."""
    if profile and name in profile.roles:
        return profile.roles[name]
    document = _shipped()
    return dict(_roles(_Source(document, {"roles": document.data["role"]})))[name]


def check(document: Document, name: str, folder: Path) -> tuple[Given, ...]:
    """The settings of a file that is to be the profile `name`.

    Raises ConfigError, with file and line, when it holds anything that is no part of a profile, or builds on none.
    """
    source = _Source(document, document.data)
    _check_keys(source)
    for key in ("extends", "fallback"):
        other = document.data.get(key)
        if other and other != name and other not in names(folder):
            raise _unknown(other, folder, document.place(key))
    list(_roles(source))
    return tuple(_settings(source, folder))


def written(name: str, folder: Path) -> Mapping[str, Any]:
    """The profile `name` as in its file, without what it inherits. Raises ConfigError for an unknown name."""
    return _source(name, folder, "").table


def _shipped() -> Document:
    document = read_document(SHIPPED)
    if document is None:
        raise ConfigError(f"{SHIPPED} is missing", INSTALL_AGAIN)
    return document


def _source(name: str, folder: Path, asked_by: str) -> _Source:
    shipped = _shipped()
    if name in shipped.data["profile"]:
        return _Source(shipped, shipped.data["profile"][name], f"profile.{name}.")
    document = read_document(folder / f"{name}.toml") if NAME.fullmatch(name) and name != AUTO else None
    if document is None:
        raise _unknown(name, folder, asked_by)
    return _Source(document, document.data)


def _unknown(name: str, folder: Path, asked_by: str) -> ConfigError:
    place = f"{asked_by}: " if asked_by else ""
    hint = did_you_mean(name, (*names(folder), AUTO)) or "optimize profile list"
    if name == AUTO:
        hint = "auto is not a profile: it selects one by the kind of work"
    return ConfigError(f"{place}no profile {name!r}", hint)


def _ancestry(name: str, folder: Path, asked_by: str) -> Iterator[_Source]:
    """The profile and those it builds on, the nearest first, each checked."""
    seen: list[str] = []
    while name:
        source = _source(name, folder, asked_by)
        _check_keys(source)
        asked_by = source.document.place(f"{source.within}extends")
        if name in seen or len(seen) == MOST_ANCESTORS:
            raise ConfigError(
                f"{asked_by}: profiles build on each other in a circle: {' -> '.join([*seen, name])}",
                "let one of them extend none",
            )
        seen.append(name)
        yield source
        name = source.table.get("extends", "")


def _name(source: _Source, name: str) -> str:
    return source.within.removeprefix("profile.").rstrip(".") or source.document.path.stem or name


def _check_keys(source: _Source, keys: Mapping[str, type] = KEYS) -> None:
    for key, value in source.table.items():
        place = source.document.place(source.within + key)
        if key not in keys:
            below = "settings" in keys and (type_of(key) or key in SECTIONS)
            hint = f"write {key} below [settings]" if below else did_you_mean(key, keys)
            raise ConfigError(f"{place}: unknown key {key!r}", hint or f"known: {', '.join(keys)}")
        if not _is(value, keys[key]):
            raise ConfigError(f"{place}: {key}: expected {_NAMES[keys[key]]}", "correct the value")
    for capability in source.table.get("requires", ()):
        if capability not in CAPABILITIES:
            place = source.document.place(f"{source.within}requires")
            raise ConfigError(f"{place}: unknown capability {capability!r}", did_you_mean(capability, CAPABILITIES))


def _is(value: object, kind: type) -> bool:
    if kind is list:
        return isinstance(value, list) and all(isinstance(one, str) and one and one.isprintable() for one in value)
    if kind is int:
        return type(value) is int and 0 <= value <= 100_000_000
    if kind is str:
        return isinstance(value, str) and value.isprintable()
    return isinstance(value, kind)


def _settings(source: _Source, folder: Path) -> Iterator[Given]:
    from optimizer.config.servers import check_provider

    within = f"{source.within}settings."
    for key, value in leaves(source.table.get("settings", {})):
        if key == "profile":
            place = source.document.place(within + key)
            raise ConfigError(
                f"{place}: a profile cannot select another", "write extends = NAME at the top of the file"
            )
        found = given(source.document, key, value, "profile", within=within)
        check_provider(found, folder.with_name(MODELS_FILE))
        yield found


def _roles(source: _Source) -> Iterator[tuple[str, Wanted]]:
    for name, table in source.table.get("roles", {}).items():
        shipped = source.document.path == SHIPPED and not source.within
        within = f"role.{name}." if shipped else f"{source.within}roles.{name}."
        place = source.document.place(within.rstrip("."))
        if name not in ROLES:
            raise ConfigError(f"{place}: unknown role {name!r}", did_you_mean(name, ROLES))
        if not isinstance(table, dict):
            raise ConfigError(f"{place}: a role is a table", f"write [roles.{name}] and its keys below it")
        _check_keys(_Source(source.document, table, within), ROLE_KEYS)
        yield name, _wanted(By("role", name), table, ())


def _wanted(by: By, table: Mapping[str, Any], suits: tuple[str, ...]) -> Wanted:
    return Wanted(
        by=by,
        families=tuple(table.get("families", ())),
        models=tuple(table.get("models", ())),
        suits=suits,
        window=table.get("window", 0),
        requires=frozenset(table.get("requires", ())),
        local_only=not table.get("cloud", True),
    )
