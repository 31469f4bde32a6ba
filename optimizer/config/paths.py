"""Where the program keeps its files: the XDG places, or all of them under OPTIMIZER_HOME."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from optimizer.errors import ConfigError

MODELS_FILE = "models.toml"


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


def places(env: Mapping[str, str]) -> Places:
    """Read OPTIMIZER_HOME, else XDG_CONFIG_HOME, XDG_STATE_HOME and XDG_CACHE_HOME, else HOME (USERPROFILE).

    Empty values count as unset, and so do relative XDG paths, as their specification asks.
    Raises ConfigError when a place is needed and there is no home at all.
    """
    if home := env.get("OPTIMIZER_HOME", "").strip():
        root = _expand(home, env).absolute()
        return Places(root / "config", root / "state", root / "cache")
    return Places(
        _xdg(env, "XDG_CONFIG_HOME", ".config"),
        _xdg(env, "XDG_STATE_HOME", ".local/state"),
        _xdg(env, "XDG_CACHE_HOME", ".cache"),
    )


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
