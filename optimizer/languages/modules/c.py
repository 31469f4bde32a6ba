"""C and C++ includes → files: next to the file, below an include folder, or the only path that ends that way."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.modules import suffixes
from optimizer.languages.modules.statements import Read

INCLUDE_FOLDERS = ("include", "inc", "src", "")


@dataclass(frozen=True, slots=True)
class C:
    """All files, and all by name, since anything can be included."""

    paths: frozenset[str]
    names: Mapping[str, tuple[str, ...]]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> C:
    """Nothing is read: build files are programs, so include folders are guessed."""
    return C(paths, suffixes.by_name(paths))


def resolve(path: str, raw: RawImport, table: C) -> Iterator[tuple[str, str | None]]:
    """The included file; None for a header of the system."""
    here = posixpath.dirname(path)
    name = raw.module
    if raw.kind == "include-local" and (place := posixpath.normpath(posixpath.join(here, name))) in table.paths:
        yield name, place
        return
    yield name, _below_includes(here, name, table) or _only(raw, table)


def _below_includes(here: str, name: str, table: C) -> str | None:
    folder = here
    while True:
        for include in INCLUDE_FOLDERS:
            place = posixpath.normpath(posixpath.join(folder, include, name))
            if place in table.paths:
                return place
        if not folder:
            return None
        folder = posixpath.dirname(folder)


def _only(raw: RawImport, table: C) -> str | None:
    candidates = suffixes.ending_in(raw.module.lstrip("./"), table.names)
    if raw.kind == "include-system" and "/" not in raw.module:
        return None
    return candidates[0] if len(candidates) == 1 else None


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    start = min((place for place in (text.find('"'), text.find("<")) if place >= 0), default=-1)
    if start < 0:
        return []
    end = text.find('"' if text[start] == '"' else ">", start + 1)
    name = text[start + 1 : end].strip()
    return [(name, (), "include-local" if text[start] == '"' else "include-system")] if end > 0 and name else []
