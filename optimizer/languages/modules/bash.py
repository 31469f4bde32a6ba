"""Sourced shell scripts → files: next to the script or below the top, else the nearest file the path ends in."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.modules import suffixes
from optimizer.languages.modules.statements import Read

_EXPANSION = re.compile(r"\$\((?:[^()]|\([^()]*\))*\)|\$\{[^{}]*\}|\$\w+|`[^`]*`")


@dataclass(frozen=True, slots=True)
class Bash:
    """All files, and the same by name."""

    paths: frozenset[str]
    names: Mapping[str, tuple[str, ...]]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Bash:
    """Scripts need no extension, so that any file may be one."""
    return Bash(paths, suffixes.by_name(paths))


def resolve(path: str, raw: RawImport, table: Bash) -> Iterator[tuple[str, str | None]]:
    """The sourced file; None for one that is not in the repository."""
    if raw.module.startswith(("/", "~")):
        yield raw.module, None
        return
    near = posixpath.normpath(posixpath.join(posixpath.dirname(path), raw.module))
    below = posixpath.normpath(raw.module)
    found = next((place for place in (near, below) if place in table.paths), None)
    if found is None and raw.kind == "source-here" and not below.startswith(".."):
        found = suffixes.nearest(path, suffixes.ending_in(below, table.names))
    yield raw.module, found


def read(text: str, kind: str) -> list[Read]:
    """`. "$(dirname "$0")/x.sh"` → x.sh: an expansion before a path counts as the folder of the script."""
    words = _EXPANSION.sub("$", text).split()
    path = words[1].strip("\"'") if len(words) > 1 else ""
    form = "source-here" if path.startswith("$") else "source"
    path = path.lstrip("$").lstrip("/") if form == "source-here" else path
    return [(path, (), form)] if path and "$" not in path else []
