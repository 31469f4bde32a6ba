"""The keyring of the system: macOS Keychain, Windows Credential Locker, Secret Service, KWallet."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

from optimizer.errors import ConfigError, StorageError

SERVICE = "optimizer"
INSTALL = "pipx inject optimizer keyring"
_SAFE = ("SecretService", "libsecret", "kwallet", "macOS", "Windows")
"""Modules of `keyring.backends` that encrypt; others, such as those of keyrings.alt, may write keys plainly."""


class Keyring(NamedTuple):
    """A keyring that can be used, or `missing`: why there is none."""

    backend: Any = None
    missing: str = ""

    @property
    def name(self) -> str:
        """What the user may know it by."""
        return type(self.backend).__module__.rpartition(".")[2] if self.backend else ""


def system_keyring() -> Keyring:
    """The keyring of this system; imports the library. Asks the user nothing."""
    try:
        library = importlib.import_module("keyring")
        backend = library.get_keyring()
    except ImportError:
        return Keyring(missing="the package keyring is not installed")
    except (RuntimeError, OSError) as error:
        return Keyring(missing=f"the keyring cannot be used ({error})")
    found = next(filter(_safe, (backend, *getattr(backend, "backends", ()))), None)
    name = f"{type(backend).__module__}.{type(backend).__name__}"
    return Keyring(found) if found else Keyring(missing=f"no keyring that encrypts works here (found: {name})")


def _safe(backend: Any) -> bool:
    package, _, module = type(backend).__module__.rpartition(".")
    return package == "keyring.backends" and module in _SAFE


def save(name: str, key: str) -> None:
    """Store a key. Raises ConfigError without a keyring, StorageError when it refuses."""
    _call("set_password", name, key)


def load(name: str) -> str:
    """A stored key, '' if there is none. Raises as `save` does."""
    return str(_call("get_password", name) or "")


def delete(name: str) -> None:
    """Delete a key, whether or not it is there. Raises as `save` does."""
    if load(name):
        _call("delete_password", name)


def _call(method: str, name: str, *values: str) -> Any:
    """Call the keyring; its libraries raise errors of many kinds, none of which may show what was to be stored."""
    ring = system_keyring()
    if not ring.backend:
        raise ConfigError(f"{ring.missing}: keys in it cannot be reached", f"{INSTALL}, or: optimize keys set NAME")
    errors = importlib.import_module("keyring.errors")
    try:
        return getattr(ring.backend, method)(SERVICE, name, *values)
    except (errors.KeyringError, OSError, RuntimeError, ValueError, AttributeError) as error:
        raise StorageError(
            f"the system's keyring refused ({type(error).__name__})",
            "unlock it, or store the key in the encrypted file: optimize keys set NAME --file",
        ) from None
