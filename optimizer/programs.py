"""Programs of this machine: none from within the repository, and none gets a key in its environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from optimizer.vendors import VENDORS

_KEYS = tuple(variable for vendor in VENDORS.values() for variable in vendor.keys)
# What the vendors' SDKs read, such as ANTHROPIC_AUTH_TOKEN, and what this program reads.
_OWNERS = ("OPTIMIZER_", *sorted({f"{variable.partition('_')[0]}_" for variable in _KEYS}))
_SECRET = re.compile(
    r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASS|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|AUTH|PAT)S?(?:_|$|\d)",
    re.IGNORECASE,
)
# Sockets and programs that ask; git's own way to pass settings, whose names are KEY_0 and so on.
_KEPT = re.compile(r"SSH_AUTH_SOCK|(?:SSH|SUDO|GIT)_ASKPASS|GIT_CONFIG_(?:COUNT|(?:KEY|VALUE)_\d+)")
_ENDINGS = (".exe", ".cmd", ".bat") if os.name == "nt" else ("",)
_LEAST = 8  # letters of a key that is looked for in other variables


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that we start: `env` without keys, tokens, passwords and our own variables."""
    keys = [value for name in _KEYS if len(value := env.get(name, "").strip()) >= _LEAST]
    return {name: value for name, value in env.items() if not (_is_secret(name) or any(key in value for key in keys))}


def _is_secret(name: str) -> bool:
    if name.upper().startswith(_OWNERS):
        return True
    return bool(_SECRET.search(name)) and not _KEPT.fullmatch(name)


def search_path(root: Path, env: Mapping[str, str]) -> str:
    """PATH without relative folders and without those that lie in the repository at `root`."""
    inside = os.path.realpath(root)
    kept = [folder for folder in _folders(env) if not Path(os.path.realpath(folder)).is_relative_to(inside)]
    return os.pathsep.join(kept) or os.defpath


def find(name: str, root: Path, env: Mapping[str, str]) -> str | None:
    """The absolute path of a program on PATH that lies outside the repository at `root`, links followed."""
    inside = Path(os.path.realpath(root))
    for folder in _folders(env):
        found = _program(folder, name)
        if found and not any(Path(os.path.realpath(one)).is_relative_to(inside) for one in (folder, found)):
            return found
    return None


def _program(folder: str, name: str) -> str | None:
    """The program of a folder, as `shutil.which` finds it: that module would take a tenth of a run's start."""
    for ending in _ENDINGS:
        path = f"{folder}{os.sep}{name}{ending}"
        if os.access(path, os.X_OK) and Path(path).is_file():
            return path
    return None


def _folders(env: Mapping[str, str]) -> Iterator[str]:
    return (folder for folder in env.get("PATH", os.defpath).split(os.pathsep) if Path(folder).is_absolute())
