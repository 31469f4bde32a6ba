"""Where the program keeps its files: the XDG places, or all of them under OPTIMIZER_HOME."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from optimizer.errors import ConfigError

MODELS_FILE = "models.toml"
_VARIABLES = ("OPTIMIZER_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")


class Places(NamedTuple):
    """Three directories, absolute; none needs to exist yet."""

    config: Path
    state: Path
    cache: Path

    @property
    def config_file(self) -> Path:
        """The user's settings."""
        return self.config / "config.toml"

    @property
    def models_file(self) -> Path:
        """The user's own rows of the catalogue of models."""
        return self.config / MODELS_FILE

    @property
    def journal(self) -> Path:
        """Where edits are journalled."""
        return self.state / "journal"

    @property
    def profiles(self) -> Path:
        """The user's own profiles, a file each."""
        return self.config / "profiles"


def places(env: Mapping[str, str], within: Path | None = None) -> Places:
    """Read OPTIMIZER_HOME, else XDG_CONFIG_HOME, XDG_STATE_HOME and XDG_CACHE_HOME, else HOME (USERPROFILE).

    Empty values count as unset, and so do relative XDG paths, as their specification asks, and those that
    `supplied` names for a repository (`within`). Raises ConfigError when a place is needed and there is no home at all.
    """
    if within:
        own = supplied(env, within)
        env = {name: value for name, value in env.items() if name not in own}
    if home := env.get("OPTIMIZER_HOME", "").strip():
        root = _expand(home, env).absolute()
        return Places(root / "config", root / "state", root / "cache")
    return Places(
        _xdg(env, "XDG_CONFIG_HOME", ".config"),
        _xdg(env, "XDG_STATE_HOME", ".local/state"),
        _xdg(env, "XDG_CACHE_HOME", ".cache"),
    )


def supplied(env: Mapping[str, str], root: Path) -> tuple[str, ...]:
    """The variables that put our files into a repository, where it would supply consent and trust itself.

    A repository that holds the user's home is the user's own.
    """
    inside = Path(os.path.realpath(root))
    home = env.get("HOME") or env.get("USERPROFILE") or "/"
    if Path(os.path.realpath(home)).is_relative_to(inside):
        return ()
    named = {name: env[name].strip() for name in _VARIABLES if env.get(name, "").strip()}
    there = {name: Path(os.path.realpath(_expand(value, env))) for name, value in named.items()}
    return tuple(name for name, place in there.items() if place.is_relative_to(inside))


def _xdg(env: Mapping[str, str], variable: str, fallback: str) -> Path:
    given = Path(env.get(variable, ""))
    base = given if given.is_absolute() else _home(env) / fallback
    return base / "optimizer"


def _home(env: Mapping[str, str]) -> Path:
    home = env.get("HOME") or env.get("USERPROFILE")
    if not home:
        raise ConfigError("there is no home directory: HOME is not set", "set HOME, or OPTIMIZER_HOME to any directory")
    return Path(home).absolute()


def _expand(path: str, env: Mapping[str, str]) -> Path:
    if path == "~" or path.startswith("~/"):
        return _home(env) / path[2:]
    return Path(path)
