"""Good refactorings broken as they break in practice: by what a patch removes while another file still uses it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from optimizer.index.reader import Index
from optimizer.languages.source import Source
from optimizer.types import FileChange, Patch

LEAST_NAME = 4
Twin = tuple[str, str, Patch]
"""The kind of break, its place, and the broken patch."""


def twins(patch: Patch, index: Index, rng: random.Random) -> Iterator[Twin]:
    """At most one twin of each kind."""
    for kind, found in (("user left behind", _left_behind), ("used definition deleted", _deleted)):
        made = list(found(patch, index))
        if made:
            place, broken = rng.choice(made)
            yield kind, place, broken


def _left_behind(patch: Patch, index: Index) -> Iterator[tuple[str, Patch]]:
    """The patch without the change to a file that used a definition which is moved or renamed."""
    gone = {(path, name) for change in patch.changes if change.before for path, name in _removed(change)}
    for path, name in sorted(gone):
        if any(one.path != path for one in index.symbols_named((name,))):
            continue
        for user in patch.changes:
            if user.path == path or user.before is None or user.after is None or not _imports(user, path, index):
                continue
            if _uses(user.path, user.before, name) > _uses(user.path, user.after, name):
                rest = tuple(change for change in patch.changes if change is not user)
                yield f"{user.path} still uses {name} of {path}", Patch(rest)


def _imports(user: FileChange, path: str, index: Index) -> bool:
    return any(edge.source == user.path for edge in index.importers_of(path))


def _removed(change: FileChange) -> Iterator[tuple[str, str]]:
    for name in _tops(change.path, change.before or b"") - _tops(change.path, change.after or b""):
        if len(name) >= LEAST_NAME:
            yield change.path, name


def _deleted(patch: Patch, index: Index) -> Iterator[tuple[str, Patch]]:
    """The patch without a function that it adds and that its file calls."""
    for change in patch.changes:
        after = change.after or b""
        source = Source(change.path, after)
        names = [symbol.name for symbol in source.symbols]
        new = _tops(change.path, after) - _tops(change.path, change.before or b"")
        for symbol in source.symbols:
            one_of_its_name = names.count(symbol.name) == 1 and not index.symbols_named((symbol.name,))
            if symbol.kind != "function" or symbol.name not in new or not one_of_its_name:
                continue
            lines = after.split(b"\n")
            left = b"\n".join(lines[: symbol.start - 1] + lines[symbol.end :])
            if _uses(change.path, left, symbol.name):
                others = tuple(one for one in patch.changes if one is not change)
                yield (
                    f"{change.path} calls {symbol.name}",
                    Patch((*others, FileChange(change.path, change.before, left))),
                )


def _tops(path: str, data: bytes) -> set[str]:
    return {symbol.name for symbol in Source(path, data).symbols if not symbol.parent and symbol.kind != "section"}


def _uses(path: str, data: bytes, name: str) -> int:
    return sum(one.kind != "definition" for one in Source(path, data).occurrences(name))
