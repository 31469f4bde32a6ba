"""The switches of `features.toml`: which parts of the program are on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from optimizer.errors import INSTALL_AGAIN, ConfigError


class Features(NamedTuple):
    """One switch a field; in files and flags a name is written with hyphens."""

    context_optimization: bool
    output_optimization: bool
    multi_model_routing: bool
    local_models: bool
    semantic_search: bool


FEATURE_NAMES: tuple[str, ...] = tuple(name.replace("_", "-") for name in Features._fields)

_SWITCH = {"true": True, "false": False}


def shipped_file() -> Path:
    """The `features.toml` that came with the program: inside the package, or at the top of a source checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "features.toml"
    return inside if inside.is_file() else package.parent / "features.toml"


def default_features() -> dict[str, bool]:
    """The shipped switches by name. Raises ConfigError when the file is missing or does not name them all.

    It holds lines `name = true` or `name = false` below one header, and is read as such: the TOML parser takes longer
    to load than all other settings together, and few have a file of their own that needs it.
    """
    path = shipped_file()
    try:
        lines = (line.partition("#")[0].partition("=") for line in path.read_text(encoding="utf-8").splitlines())
        table = {name.strip(): value.strip() for name, sign, value in lines if sign}
        return {name: _SWITCH[table[name]] for name in FEATURE_NAMES}
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"the shipped {path} cannot be used: {error}", INSTALL_AGAIN) from error


def features_from(switches: Mapping[str, bool]) -> Features:
    """Build Features from a switch for every name in FEATURE_NAMES."""
    return Features(**{name.replace("-", "_"): switches[name] for name in FEATURE_NAMES})
