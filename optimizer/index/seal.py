"""Checksums on what is stored, so that a damaged store shows as such and never as a wrong answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar
from zlib import crc32

from optimizer.db.store import is_damage
from optimizer.errors import StorageError

EMPTY = 4  # the length of sealed nothing
P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Damageable")


class Damageable(Protocol):
    """Something that reads a store and can tell its owner that the store is damaged."""

    def damaged(self, why: str) -> None: ...


def seal(data: bytes, *beside: bytes) -> bytes:
    """The data with a checksum of it and of what is stored beside it."""
    return _sum(data, beside).to_bytes(4, "little") + data


def unseal(sealed: bytes, *beside: bytes) -> bytes:
    """The data of `seal`. Raises sqlite3.DatabaseError when it or what is beside it changed."""
    data = sealed[EMPTY:]
    if not isinstance(sealed, bytes) or sealed[:EMPTY] != _sum(data, beside).to_bytes(4, "little"):
        raise sqlite3.DatabaseError("a checksum does not match")
    return data


def _sum(data: bytes, beside: tuple[bytes, ...]) -> int:
    total = crc32(data)
    for more in beside:
        total = crc32(more, total)
    return total


def sound(read: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Turn a damaged store met while reading into one clear StorageError, after it was put aside."""

    @wraps(read)
    def checked(self: S, /, *arguments: P.args, **named: P.kwargs) -> R:
        try:
            return read(self, *arguments, **named)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if is_damage(error):
                self.damaged(str(error))
            raise StorageError(f"the index cannot be read: {error}", "run the command again") from error

    return checked


def text(data: Any) -> bytes:
    """What stands beside sealed data, as bytes."""
    return repr(data).encode()


def get_meta(connection: sqlite3.Connection, name: str) -> bytes:
    """A value kept by name; empty when there is none. Raises sqlite3.DatabaseError when it is damaged."""
    row = connection.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
    return unseal(row[0], name.encode()) if row else b""


def check_meta(connection: sqlite3.Connection, known: frozenset[str]) -> None:
    """Raise sqlite3.DatabaseError when a name among the kept values is damaged: out of order, or none of `known`."""
    names = [row[0] for row in connection.execute("SELECT name FROM meta")]
    if not known.issuperset(names) or names != sorted(set(names)):
        raise sqlite3.DatabaseError("the names of kept values are damaged")


def set_meta(connection: sqlite3.Connection, **values: str | bytes | int) -> None:
    """Keep values by name; a number or text comes back as its bytes."""
    rows = [(name, value if isinstance(value, bytes) else str(value).encode()) for name, value in values.items()]
    connection.executemany(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)", [(name, seal(value, name.encode())) for name, value in rows]
    )
