"""Ruby requires → files: next to the file, or below a load path (`lib`, `app/*`, the folders of gems)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.modules import suffixes
from optimizer.languages.modules.statements import STRING, Read


@dataclass(frozen=True, slots=True)
class Ruby:
    """The files, and the load paths: every folder called `lib`, `spec` or `test`, and the top."""

    paths: frozenset[str]
    roots: tuple[str, ...]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Ruby:
    """Find the load paths by their names."""
    roots = {""}
    for path in paths:
        if path.endswith(".rb"):
            parts = path.split("/")[:-1]
            roots.update("/".join(parts[: number + 1]) for number, part in enumerate(parts) if part in LOAD_FOLDERS)
    return Ruby(paths, tuple(sorted(roots)))


LOAD_FOLDERS = ("lib", "spec", "test", "ext")


def resolve(path: str, raw: RawImport, table: Ruby) -> Iterator[tuple[str, str | None]]:
    """The required file; None for a gem or the standard library."""
    here = posixpath.dirname(path)
    if raw.kind == "require_relative" or raw.module.startswith("."):
        yield raw.module, _file(posixpath.join(here, raw.module), table)
        return
    found = [file for root in table.roots if (file := _file(posixpath.join(root, raw.module), table))]
    yield raw.module, suffixes.nearest(path, found)


def _file(place: str, table: Ruby) -> str | None:
    place = posixpath.normpath(place)
    return next((candidate for candidate in (f"{place}.rb", place) if candidate in table.paths), None)


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    match = STRING.search(text)
    module = (match[1] or match[2] or "") if match else ""
    return [(module, (), text.split("(")[0].split()[0])] if module and "#{" not in module else []
