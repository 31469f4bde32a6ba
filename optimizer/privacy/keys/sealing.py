"""Seal keys with a passphrase: AES-256-GCM, its key made by Argon2id. Pure; `cryptography` is imported on use."""

from __future__ import annotations

import base64
import binascii
import os
from typing import NamedTuple

from optimizer.errors import ConfigError, InputError

MEMORY, PASSES, LANES = 65_536, 3, 4  # KiB; RFC 9106, section 4: "if much less memory is available"
MOST_MEMORY, MOST_PASSES, MOST_LANES = 1_048_576, 16, 16
_SALT, _NONCE, _SIZE = 16, 12, 32  # bytes
_PROOF = "optimizer keys"


class WrongPassphrase(InputError):
    """The passphrase does not open the encrypted keys."""


class BadSeal(ValueError):
    """What is sealed was changed, or is not what it is taken for."""


class Lock(NamedTuple):
    """How the passphrase becomes the key of the cipher; `proof` opens with the right passphrase alone."""

    salt: str
    memory: int
    passes: int
    lanes: int
    proof: str

    @property
    def sound(self) -> bool:
        """Whether it is at least as strong as those that are made here, and no stronger than a machine can bear."""
        return (
            MEMORY <= self.memory <= MOST_MEMORY
            and PASSES <= self.passes <= MOST_PASSES
            and 1 <= self.lanes <= MOST_LANES
            and len(self.salt) >= _SALT
        )


def new_lock(passphrase: str) -> tuple[Lock, bytes]:
    """A lock that the passphrase opens, and the key of its cipher."""
    blank = Lock(_text(os.urandom(_SALT)), MEMORY, PASSES, LANES, "")
    key = _derived(blank, passphrase)
    return blank._replace(proof=seal(key, _PROOF, "")), key


def opened(lock: Lock, passphrase: str) -> bytes:
    """The key of the cipher. Raises WrongPassphrase; BadSeal for a lock that nothing here made."""
    if not lock.sound:
        raise BadSeal("the lock is not sound")
    key = _derived(lock, passphrase)
    try:
        unseal(key, _PROOF, lock.proof)
    except BadSeal:
        raise WrongPassphrase(
            "the passphrase does not open the stored keys", "try again; if it is lost: optimize keys rm --all"
        ) from None
    return key


def seal(key: bytes, purpose: str, text: str) -> str:
    """`text` encrypted; it opens for the same `purpose` only."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE)
    return _text(nonce + AESGCM(key).encrypt(nonce, text.encode(), purpose.encode()))


def unseal(key: bytes, purpose: str, sealed: str) -> str:
    """The text in `sealed`. Raises BadSeal."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        data = base64.b64decode(sealed, validate=True)
        return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], purpose.encode()).decode()
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise BadSeal("it does not open") from error


def _derived(lock: Lock, passphrase: str) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    salt = base64.b64decode(lock.salt)
    try:
        maker = Argon2id(salt=salt, length=_SIZE, iterations=lock.passes, lanes=lock.lanes, memory_cost=lock.memory)
    except UnsupportedAlgorithm:  # OpenSSL before 3.2
        raise ConfigError("this build of cryptography has no Argon2id", "pip install --upgrade cryptography") from None
    return maker.derive(passphrase.encode("utf-8", "surrogatepass"))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
