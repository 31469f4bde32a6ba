"""Which repository an answer was given for: one that takes its place at the same path is another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Identity(NamedTuple):
    """What is known of a repository besides its path: its first commits, and a mark of its folder.

    The mark counts where there is no commit yet, or none can be read.
    """

    roots: tuple[str, ...] = ()
    mark: str = ""


UNKNOWN = Identity()
Look = Callable[[], Identity]
"""Looks at a repository; called only where there is an answer for its path."""


def is_same(given: Identity | None, now: Identity) -> bool:
    """Whether an answer that was given for a repository holds for the one that is there now.

    Of an answer that an older version recorded (None) nothing is known: it does not hold.
    """
    if given is None:
        return False
    if given.roots and now.roots:
        return not set(given.roots).isdisjoint(now.roots)
    return given.mark == now.mark


def packed(identity: Identity | None) -> dict[str, Any]:
    """The fields of a record."""
    return {} if identity is None else {"roots": list(identity.roots), "mark": identity.mark}


def unpacked(row: Mapping[str, Any]) -> Identity | None:
    """The identity in a record, None in one of an older version. Raises KeyError, TypeError."""
    if "roots" not in row:
        return None
    found = Identity(tuple(row["roots"]), row["mark"])
    if not all(isinstance(one, str) for one in (*found.roots, found.mark)):
        raise TypeError("an identity is text")
    return found
