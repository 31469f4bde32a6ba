"""The files of the user's own profiles: written, deleted, and restored if a new one turns out to be invalid."""

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
    """Write `document` as the profile `name` and return its path; an existing one is overwritten only with `replace`.

    Raises InputError for an invalid name, ConfigError for an invalid profile, StorageError.
    """
    check_name(name)
    path = folder / f"{name}.toml"
    if path.exists() and not replace:
        raise InputError(f"profile {name!r} exists: {path}", "choose another name, or --replace it")
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
    """Raise InputError unless `name` is valid for a profile of the user's own."""
    if name == profiles.AUTO:
        raise InputError(f"{name!r} selects among profiles and is reserved", "choose another name")
    if profiles.is_shipped(name):
        raise InputError(f"{name!r} is a shipped profile and cannot be changed", f"optimize profile copy {name} NAME")
    if not profiles.NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is not a valid profile name",
            "use small letters, digits, '-' and '_', 40 at most, a letter or digit first",
        )


def remove(name: str, folder: Path) -> Path:
    """Delete a profile and return the path of its file.

    Raises InputError for an unknown or shipped one, or if others build on it; StorageError.
    """
    path = profiles.names(folder).get(name)
    if path is None or profiles.is_shipped(name):
        check_name(name)
        raise InputError(f"no profile {name!r}", "optimize profile list")
    others = [
        other
        for other in profiles.names(folder)
        if other != name and name in (profiles.written(other, folder).get(key) for key in ("extends", "fallback"))
    ]
    if others:
        raise InputError(f"{name!r} is used by {', '.join(others)}", "change or delete these first")
    try:
        path.unlink()
    except OSError as error:
        raise StorageError(f"cannot delete {path}: {error.strerror}", "check its permissions") from error
    return path


def refuse_user_only(document: Document, within: str = "") -> None:
    """Raise SafetyRefused if an imported file sets, in a table, what only the user may: endpoints, commands, caps."""
    for key, _ in flat(document.data.get(within, {}) if within else document.data):
        if {key, key.partition(".")[0]} & user_only_keys():
            raise SafetyRefused(
                f"{document.place(f'{within}.{key}'.lstrip('.'))}: {key} is user only, and this file sets it",
                "remove it, or use --allow-user-only if you trust the file",
            )


def whole(profile: profiles.Profile) -> Mapping[str, Any]:
    """A profile as a table with all that it inherits."""
    preferences = _preferences(profile.wanted) | ({"fallback": profile.fallback} if profile.fallback else {})
    roles = {name: _preferences(wanted) | {"cloud": not wanted.local_only} for name, wanted in profile.roles.items()}
    table = {
        "about": profile.about,
        **preferences,
        "settings": nested({one.key: one.value for one in profile.settings}),
    }
    return {key: value for key, value in {**table, "roles": roles}.items() if value}


def _preferences(wanted: profiles.Wanted) -> dict[str, Any]:
    found: dict[str, Any] = {
        "families": list(wanted.families),
        "models": list(wanted.models),
        "window": wanted.window,
        "requires": sorted(wanted.requires),
    }
    return {key: value for key, value in found.items() if value}
