"""Reading a store: when it proves damaged it is put aside, and one error is raised."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from optimizer.db.store import is_damage
from optimizer.errors import StorageError

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Damageable")


class Damageable(Protocol):
    """Something that reads a store and can report it as damaged."""

    def damaged(self, why: str) -> None: ...


def sound(read: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Put a store aside that proves damaged while reading, and raise one StorageError."""

    @wraps(read)
    def checked(self: S, /, *arguments: P.args, **named: P.kwargs) -> R:
        try:
            return read(self, *arguments, **named)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if is_damage(error):
                self.damaged(str(error))
            raise StorageError(f"the index cannot be read: {error}", "run the command again") from error

    return checked
