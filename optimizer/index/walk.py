"""Walk the files of a folder where git does not list them, without those that git would ignore."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from optimizer.index.excludes import rules_outside
from optimizer.index.ignore_rules import Rules, hidden, rules_of
from optimizer.index.regular import read_file

_REPOSITORY, _RULES = b".git", b".gitignore"


class Ground(NamedTuple):
    """Where to walk: below `start`, a path from `base`, the folder from which on rules hold.

    Where `one`, other repositories below are not entered, as git does; else their rules hold in them. Folders named as
    one of `skipped` are left out; files named as one of `wanted` are not, whatever the rules say.
    """

    base: bytes
    start: bytes
    one: bool
    skipped: frozenset[bytes]
    wanted: frozenset[bytes]

    def full(self, folder: bytes) -> bytes:
        """The absolute path of a folder below `base`."""
        return self.base + b"/" + folder


def walk(ground: Ground) -> Iterator[bytes]:
    """All that is no folder below the start, by its path from there; links are not followed."""
    rules = _rules_to(ground, ground.start)
    pending = [] if rules is None else [(ground.start, rules)]
    cut = len(ground.start) + 1 if ground.start else 0
    while pending:
        folder, rules = pending.pop()
        try:
            entries = sorted(os.scandir(ground.full(folder)), key=lambda entry: entry.name)
        except OSError:
            continue
        inside = _entered(ground, folder, rules)
        if inside is None:
            continue
        for entry in entries:
            path = folder + b"/" + entry.name if folder else entry.name
            if not entry.is_dir(follow_symlinks=False):
                if entry.name in ground.wanted or not hidden(inside, path):
                    yield path[cut:]
            elif entry.name not in ground.skipped and not hidden(inside, path + b"/"):
                pending.append((path, inside))


def walks_to(ground: Ground, path: bytes) -> bool:
    """Whether the walk comes to a path below the start, if something is there."""
    whole = ground.start + b"/" + path if ground.start else path
    folder = whole.rpartition(b"/")[0]
    if not ground.skipped.isdisjoint(folder[len(ground.start) :].split(b"/")):
        return False
    rules = _rules_to(ground, folder)
    inside = None if rules is None else _entered(ground, folder, rules)
    return inside is not None and not hidden(inside, whole)


def _rules_to(ground: Ground, folder: bytes) -> Sequence[Rules] | None:
    """The rules that hold for the entries of the folder around `folder`; None where `folder` is hidden."""
    rules: Sequence[Rules] = rules_outside(ground.base, b"")
    place = b""
    for name in folder.split(b"/") if folder else ():
        inside = _entered(ground, place, rules)
        place = place + b"/" + name if place else name
        if inside is None or hidden(inside, place + b"/"):
            return None
        rules = inside
    return rules


def _entered(ground: Ground, folder: bytes, rules: Sequence[Rules]) -> Sequence[Rules] | None:
    """The rules within a folder; None for another repository that is not entered."""
    prefix = folder + b"/" if folder else b""
    if folder not in (b"", ground.start) and os.path.lexists(ground.full(prefix + _REPOSITORY)):
        if ground.one:
            return None
        rules = [*rules, *rules_outside(ground.full(folder), prefix)]
    data = read_file(ground.full(prefix + _RULES))
    return [*rules, rules_of(data, prefix)] if data else rules
