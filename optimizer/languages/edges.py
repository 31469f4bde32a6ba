"""Imports: as they are written in a file, and the files that they lead to."""

from __future__ import annotations

from typing import NamedTuple

PACKAGE = "package"


class RawImport(NamedTuple):
    """An import as written: `kind` is its form (`from`, `require`, `include-local`, `mod`, …).

    A `package` is no import: `module` is the package of the file, `names` what it defines there at the top level.
    `-inner` ends the kind of an import inside an inline module (Rust). `language`: of a script without an ending.
    """

    module: str
    names: tuple[str, ...]
    line: int
    kind: str
    language: str = ""


class ImportEdge(NamedTuple):
    """One import of `source`, as written on `line`; `target` is the file it leads to, None outside the repository."""

    source: str
    line: int
    module: str
    target: str | None
