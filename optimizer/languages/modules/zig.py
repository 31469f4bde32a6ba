"""Zig imports → files: `@import("a/b.zig")` is beside the file; a bare name is a package."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from optimizer.languages.edges import RawImport
from optimizer.languages.modules.statements import STRING, Read

Paths = frozenset[str]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Paths:
    """The files of the tree."""
    return paths


def resolve(path: str, raw: RawImport, table: Paths) -> Iterator[tuple[str, str | None]]:
    """The file that is named, from the folder of the file; None for a package."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), raw.module))
    yield raw.module, place if place in table else None


def read(text: str, kind: str) -> list[Read]:
    """The file or package that the text of an import names."""
    match = STRING.search(text) if text.startswith("@import") else None
    return [(match[1], (), "import")] if match and match[1] else []
