"""Stored keys: a list without secrets, and for each the keyring or the encrypted file that holds it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock as Mutex
from typing import Literal, NamedTuple, get_args

from optimizer.errors import ConfigError, StorageError
from optimizer.privacy import private_file
from optimizer.privacy.keys import keyring, sealing
from optimizer.privacy.keys.sealing import BadSeal, Lock, WrongPassphrase

FILE = "keys.json"
SHOWN = 4  # letters of a key that may be shown
LEAST_SHOWN = 16  # letters of a key of which so many may be shown
TRIES = 3
LONGEST_PASSPHRASE = 4096

Place = Literal["keyring", "file"]


class StoredKey(NamedTuple):
    """A key as listed: the provider, where it is, a random name of it, its last letters, and since when (UTC).

    `sealed` is the key encrypted, where it is in the file.
    """

    provider: str
    place: Place
    id: str
    last: str
    at: str
    sealed: str = ""

    @property
    def purpose(self) -> str:
        """What it is encrypted for: it opens for no other provider."""
        return f"optimizer key of {self.provider} {self.id}"


class Listed(NamedTuple):
    """What the file holds."""

    keys: tuple[StoredKey, ...] = ()
    lock: Lock | None = None


class Passphrase(NamedTuple):
    """How the passphrase is had, and how often one may ask for it; `ask` is given whether the one before was wrong."""

    ask: Callable[[bool], str]
    tries: int = 1


def last_letters(key: str) -> str:
    """The end of a key that may be shown: nothing of a short one."""
    return f"…{key[-SHOWN:]}" if len(key) >= LEAST_SHOWN else "…"


def listed(state: Path) -> Listed:
    """What is stored. Raises StorageError when the file is damaged or cannot be read."""
    path = state / FILE
    try:
        data = json.loads(path.read_bytes())
        keys = tuple(StoredKey(**{name: row[name] for name in StoredKey._fields}) for row in data["keys"])
        lock = Lock(**{name: data["lock"][name] for name in Lock._fields}) if data["lock"] else None
    except (FileNotFoundError, NotADirectoryError):
        return Listed()
    except OSError as error:
        raise StorageError(f"the stored keys cannot be read ({error.strerror})", f"check {path}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged(state) from None
    whole = all(isinstance(value, str) for one in keys for value in one)
    if not whole or any(one.place not in get_args(Place) for one in keys) or (lock and not _typed(lock)):
        raise damaged(state)
    return Listed(keys, lock)


def damaged(state: Path) -> StorageError:
    """The error for a file that cannot be used, with its cure."""
    return StorageError("the file of stored keys is damaged", f"remove {state / FILE} and set your keys again")


def _typed(lock: Lock) -> bool:
    try:
        base64.b64decode(lock.salt, validate=True)
    except (ValueError, TypeError):
        return False
    return isinstance(lock.proof, str) and all(type(one) is int for one in (lock.memory, lock.passes, lock.lanes))


def passphrase_in(path: str) -> Callable[[bool], str]:
    """Read the passphrase from a file: its first line. Raises ConfigError, when it is called."""

    def read(again: bool) -> str:
        try:
            with Path(path).expanduser().open(encoding="utf-8") as file:
                found = file.readline(LONGEST_PASSPHRASE).rstrip("\r\n")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", "") or "it is not text"
            raise ConfigError(f"OPTIMIZER_PASSPHRASE_FILE cannot be read ({why})", f"check {path}") from None
        if not found:
            raise ConfigError("OPTIMIZER_PASSPHRASE_FILE holds no passphrase", f"write one into {path}")
        return found

    return read


class KeyStore:
    """The stored keys of one run: what was decrypted stays in its memory, and only there.

    `passphrase` is None where none can be had.
    """

    def __init__(self, state: Path, passphrase: Passphrase | None) -> None:
        self.state, self.passphrase = state, passphrase
        self._cipher = b""
        self._one_at_a_time = Mutex()

    def read(self, stored: StoredKey) -> str:
        """The key. Raises WrongPassphrase, ConfigError where no passphrase or keyring is to be had, StorageError."""
        with self._one_at_a_time:
            if stored.place == "file":
                return self._unsealed(stored)
            found = keyring.load(stored.id)
        if not found:
            raise StorageError(
                f"the keyring no longer holds the key of {stored.provider}", f"optimize keys set {stored.provider}"
            )
        return found

    def put(self, provider: str, key: str, place: Place) -> StoredKey:
        """Store a key in place of any earlier one of the provider. Raises as `read` does."""
        made = StoredKey(provider, place, os.urandom(8).hex(), last_letters(key), _now())
        lock = listed(self.state).lock
        if place == "keyring":
            keyring.save(made.id, key)
        else:
            lock = self._locked(lock)
            made = made._replace(sealed=sealing.seal(self._cipher, made.purpose, key))

        def add(old: Listed) -> Listed:
            if place == "file" and old.lock not in (None, lock):
                raise StorageError("another process stored a key meanwhile", "run it again")
            return _kept((*_without(old, provider), made), lock or old.lock)

        earlier = _change(self.state, add)
        with suppress(ConfigError, StorageError):  # a keyring that is gone keeps what nothing here asks for any more
            _clear(one for one in earlier if one.provider == provider)
        return made

    def remove(self, provider: str = "") -> tuple[StoredKey, ...]:
        """Remove the key of a provider, of all without a name; no passphrase is needed. Raises StorageError."""
        gone = tuple(one for one in listed(self.state).keys if provider in ("", one.provider))
        _clear(gone)
        if gone:
            _change(self.state, lambda old: _kept(_without(old, provider) if provider else (), old.lock))
        return gone

    def _unsealed(self, stored: StoredKey) -> str:
        lock = listed(self.state).lock
        if lock is None:
            raise damaged(self.state)
        self._locked(lock)
        try:
            return sealing.unseal(self._cipher, stored.purpose, stored.sealed)
        except BadSeal:
            raise damaged(self.state) from None

    def _locked(self, lock: Lock | None) -> Lock:
        """The lock, made where there is none, with its cipher ready."""
        if lock and self._cipher:
            return lock
        if self.passphrase is None:
            raise ConfigError(
                "the stored keys need their passphrase, and there is no terminal to ask at",
                "write it into a file that only you can read, and name that in OPTIMIZER_PASSPHRASE_FILE",
            )
        if lock is None:
            made, self._cipher = sealing.new_lock(self.passphrase.ask(False))
            return made
        for left in reversed(range(self.passphrase.tries)):
            try:
                self._cipher = sealing.opened(lock, self.passphrase.ask(left < self.passphrase.tries - 1))
                break
            except WrongPassphrase:
                if not left:
                    raise
            except BadSeal:
                raise damaged(self.state) from None
        return lock


def _clear(gone: Iterable[StoredKey]) -> None:
    """Delete from the keyring what is no longer to be listed. Raises ConfigError, StorageError."""
    for one in gone:
        if one.place == "keyring":
            keyring.delete(one.id)


def _without(old: Listed, provider: str) -> tuple[StoredKey, ...]:
    return tuple(one for one in old.keys if one.provider != provider)


def _kept(keys: tuple[StoredKey, ...], lock: Lock | None) -> Listed:
    """A lock without a key behind it is dropped: the next key gets a passphrase of its own."""
    return Listed(keys, lock if any(one.place == "file" for one in keys) else None)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _change(state: Path, change: Callable[[Listed], Listed]) -> tuple[StoredKey, ...]:
    """Read, change and replace the file while no other process does; returns what was listed before."""
    try:
        with private_file.alone(state / FILE):
            old = listed(state)
            new = change(old)
            rows = [one._asdict() for one in new.keys]
            data = {"version": 1, "lock": new.lock._asdict() if new.lock else None, "keys": rows}
            private_file.replace(state / FILE, json.dumps(data, indent=1) + "\n")
    except OSError as error:
        raise StorageError(f"the key cannot be stored ({error.strerror})", f"check {state}") from None
    return old.keys
