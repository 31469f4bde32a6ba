"""The files of the user's own profiles: written, taken away, and put back when a profile turns out to be none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optimizer.config import profiles
from optimizer.config.convert import flat, nested, to_toml
from optimizer.config.document import Document
from optimizer.config.edit import write_text
from optimizer.config.load import user_only_keys
from optimizer.errors import ConfigError, InputError, SafetyRefused, StorageError


def add(name: str, document: Document, folder: Path, replace: bool = False) -> Path:
    """Write what `document` holds as the profile `name`, and say where; a profile of that name is not overwritten
    unless `replace`.

    Raises InputError for a name that cannot be, ConfigError for what is no profile, StorageError.
    """
    check_name(name)
    path = folder / f"{name}.toml"
    if path.exists() and not replace:
        raise InputError(f"there is a profile {name!r} already: {path}", "choose another name, or --replace it")
    profiles.check(document, name, folder)
    before = path.read_text(encoding="utf-8") if path.exists() else None
    write_text(path, to_toml(document.data))
    try:
        profiles.resolve(name, folder)
    except ConfigError:
        path.unlink() if before is None else write_text(path, before)
        raise
    return path


def check_name(name: str) -> None:
    """Raise InputError unless a profile of the user's own may be named so."""
    if name == profiles.AUTO:
        raise InputError(f"{name!r} chooses among profiles and is none", "give yours another name")
    if profiles.is_shipped(name):
        raise InputError(f"{name!r} comes with the program and is not changed", f"optimize profile copy {name} NAME")
    if not profiles.NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is no name of a profile",
            "use small letters, digits, '-' and '_', 40 at most, a letter or digit first",
        )


def remove(name: str, folder: Path) -> Path:
    """Take a profile away, and say which file that was; one that others build on stays.

    Raises InputError for a name that is none or comes with the program, or is needed; StorageError.
    """
    path = profiles.names(folder).get(name)
    if path is None or profiles.is_shipped(name):
        check_name(name)
        raise InputError(f"no profile is named {name!r}", "optimize profile list")
    others = [
        other
        for other in profiles.names(folder)
        if other != name and name in (profiles.written(other, folder).get(key) for key in ("extends", "fallback"))
    ]
    if others:
        raise InputError(f"{name!r} is needed by {', '.join(others)}", "change or delete these first")
    try:
        path.unlink()
    except OSError as error:
        raise StorageError(f"cannot delete {path}: {error.strerror}", "check its permissions") from error
    return path


def refuse_user_only(document: Document) -> None:
    """Raise SafetyRefused when a profile from elsewhere sets what only the user may: endpoints, commands, caps."""
    for key, _ in flat(document.data.get("settings", {})):
        if {key, key.partition(".")[0]} & user_only_keys():
            raise SafetyRefused(
                f"{document.place(f'settings.{key}')}: {key} is yours alone to set, and this profile sets it",
                "take it out, or --allow-user-only if you wrote the file",
            )


def whole(profile: profiles.Profile) -> Mapping[str, Any]:
    """A profile as a table that builds on no other."""
    wishes = _wishes(profile.wanted) | ({"fallback": profile.fallback} if profile.fallback else {})
    roles = {name: _wishes(wanted) | {"cloud": not wanted.local_only} for name, wanted in profile.roles.items()}
    table = {"about": profile.about, **wishes, "settings": nested({one.key: one.value for one in profile.settings})}
    return {key: value for key, value in {**table, "roles": roles}.items() if value}


def _wishes(wanted: profiles.Wanted) -> dict[str, Any]:
    found: dict[str, Any] = {
        "families": list(wanted.families),
        "models": list(wanted.models),
        "window": wanted.window,
        "requires": sorted(wanted.requires),
    }
    return {key: value for key, value in found.items() if value}
