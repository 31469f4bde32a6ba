"""What `attack_runners.py` tries: changes of a project under a runner of tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Changes = Mapping[str, str | None]


class Attack(NamedTuple):
    """A change: path → new content; `right` where it breaks nothing."""

    name: str
    changes: Changes
    right: bool = False


class Runner(NamedTuple):
    """A project, the command for its tests, the program that must be there, and what is tried."""

    name: str
    program: str
    command: str
    files: Mapping[str, str]
    attacks: tuple[Attack, ...]


def with_(broken: Mapping[str, str], how: Mapping[str, Changes]) -> tuple[Attack, ...]:
    return tuple(Attack(name, {**broken, **changes}) for name, changes in how.items())
