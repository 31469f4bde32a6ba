"""PHP names and includes → files: PSR-4 prefixes of every composer.json, and literal paths."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.resolvers import suffixes
from optimizer.languages.resolvers.javascript import read_json


@dataclass(frozen=True, slots=True)
class Php:
    """The files, all by name, and (namespace prefix, folder) with the longest prefix first."""

    paths: frozenset[str]
    names: Mapping[str, tuple[str, ...]]
    prefixes: tuple[tuple[str, str], ...]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Php:
    """Read `autoload` and `autoload-dev` of every composer.json."""
    prefixes: list[tuple[str, str]] = []
    for path, data in sorted(manifests.items()):
        if posixpath.basename(path) != "composer.json":
            continue
        composer = read_json(data)
        for section in ("autoload", "autoload-dev"):
            autoload = composer.get(section)
            for standard in ("psr-4", "psr-0"):
                table = autoload.get(standard) if isinstance(autoload, dict) else None
                for prefix, places in table.items() if isinstance(table, dict) else ():
                    for place in places if isinstance(places, list) else [places]:
                        if isinstance(place, str):
                            place = posixpath.join(posixpath.dirname(path), place)
                            if standard == "psr-0":
                                place = posixpath.join(place, prefix.replace("\\", "/"))
                            prefixes.append(
                                (prefix.strip("\\"), "" if place in ("", ".") else posixpath.normpath(place))
                            )
    prefixes.sort(key=lambda item: (-len(item[0]), item))
    return Php(paths, suffixes.by_name(path for path in paths if path.endswith(".php")), tuple(prefixes))


def resolve(path: str, raw: RawImport, table: Php) -> Iterator[tuple[str, str | None]]:
    """The file of the class that a `use` names, or the included file; None outside the repository."""
    if raw.kind == "include":
        yield raw.module, _included(path, raw.module, table)
    else:
        yield raw.module, _autoloaded(raw.module, table)


def _autoloaded(name: str, table: Php) -> str | None:
    for prefix, folder in table.prefixes:
        if prefix and not f"{name}\\".startswith(f"{prefix}\\"):
            continue
        place = posixpath.join(folder, name[len(prefix) :].strip("\\").replace("\\", "/") + ".php")
        if place in table.paths:
            return place
    return None


def _included(path: str, name: str, table: Php) -> str | None:
    for place in (posixpath.join(posixpath.dirname(path), name), name):
        place = posixpath.normpath(place)
        if place in table.paths:
            return place
    candidates = suffixes.ending_in(name.lstrip("./"), table.names)
    return candidates[0] if len(candidates) == 1 else None
