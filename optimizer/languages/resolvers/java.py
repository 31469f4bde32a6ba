"""Imports of Java, Kotlin and Scala → files: the class a name ends in, the one around it, or a whole package."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.resolvers import suffixes

ENDINGS = (".java", ".kt", ".scala")


@dataclass(frozen=True, slots=True)
class Java:
    """Source files by name, and by the folder they stand in; folders by their last part."""

    names: Mapping[str, tuple[str, ...]]
    folders: Mapping[str, tuple[str, ...]]
    folder_names: Mapping[str, tuple[str, ...]]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Java:
    """Packages follow folders, so that the paths alone tell where a class stands."""
    sources = sorted(path for path in paths if path.endswith(ENDINGS))
    folders: dict[str, list[str]] = {}
    for path in sources:
        folders.setdefault(posixpath.dirname(path), []).append(path)
    return Java(
        suffixes.by_name(sources),
        {folder: tuple(files) for folder, files in folders.items()},
        suffixes.by_name(folders),
    )


def resolve(path: str, raw: RawImport, table: Java) -> Iterator[tuple[str, str | None]]:
    """The file of the class, or all files of the package for a wildcard; None outside the repository."""
    parts = raw.module.split(".")
    wildcard = parts[-1] == "*"
    parts = parts[:-1] if wildcard else parts
    if wildcard and raw.kind != "static":
        found = suffixes.nearest(path, suffixes.ending_in("/".join(parts), table.folder_names))
        if found is not None:
            for file in table.folders[found]:
                yield raw.module, file
            return
    for end in range(len(parts), 1, -1):
        if not parts[end - 1][:1].isupper() and end != len(parts):
            break
        place = "/".join(parts[:end])
        candidates = [file for ending in ENDINGS for file in suffixes.ending_in(place + ending, table.names)]
        if found := suffixes.nearest(path, candidates):
            yield raw.module, found
            return
    yield raw.module, None
