"""Files and folders that Terraform and Make name by their paths → files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.modules.statements import Read

_LITERAL = re.compile(r"=\s*\"([^\"$]+)\"\s*\Z")


@dataclass(frozen=True, slots=True)
class Folders:
    """All files, and those of Terraform by folder."""

    paths: frozenset[str]
    modules: Mapping[str, tuple[str, ...]]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Folders:
    """A module of Terraform is a folder."""
    modules: dict[str, list[str]] = {}
    for path in sorted(paths):
        if path.endswith(".tf"):
            modules.setdefault(posixpath.dirname(path), []).append(path)
    return Folders(paths, {folder: tuple(files) for folder, files in modules.items()})


def resolve(path: str, raw: RawImport, table: Folders) -> Iterator[tuple[str, str | None]]:
    """The file, or all files of the module; None outside the repository."""
    for folder in (posixpath.dirname(path), ""):
        place = posixpath.normpath(posixpath.join(folder, raw.module))
        if place in table.paths:
            yield raw.module, place
            return
        if raw.kind == "source" and (files := table.modules.get("" if place == "." else place)):
            yield from ((raw.module, file) for file in files)
            return
    yield raw.module, None


def read(text: str, kind: str) -> list[Read]:
    """The place that an argument `source` names, where it is written out."""
    found = _LITERAL.search(text)
    return [(found[1], (), kind)] if found and "/" in found[1] else []


def read_make(text: str, kind: str) -> list[Read]:
    """The files that an `include` names; ones with a pattern or a variable are not known."""
    return [(word, (), kind) for word in text.split()[1:] if not re.search(r"[$()*?%]", word)]
