"""Files by how their paths end, for languages whose imports name the end of a path."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence

from optimizer.languages.edges import RawImport


def by_name(paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Paths by their last part, in order."""
    found: dict[str, list[str]] = {}
    for path in sorted(paths):
        found.setdefault(posixpath.basename(path), []).append(path)
    return {name: tuple(group) for name, group in found.items()}


def by_package(packages: Mapping[str, Sequence[RawImport]], sign: str) -> dict[str, tuple[str, ...]]:
    """The files of each package, by its name and the sign, and those that define a name in it, by its full name."""
    found: dict[str, dict[str, None]] = {}
    for path, rows in sorted(packages.items()):
        for row in rows:
            for name in ("", *row.names):
                found.setdefault(f"{row.module}{sign}{name}", {})[path] = None
    return {name: tuple(files) for name, files in found.items()}


def ending_in(suffix: str, names: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The paths that end in `suffix`, at a `/`."""
    wanted = f"/{suffix}"
    return [path for path in names.get(posixpath.basename(suffix), ()) if f"/{path}".endswith(wanted)]


def nearest(path: str, candidates: list[str]) -> str | None:
    """The candidate that shares the most leading folders with `path`; the shorter, then the earlier one on a tie."""
    return min(candidates, key=lambda other: (-_shared(path, other), len(other), other), default=None)


def _shared(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count
