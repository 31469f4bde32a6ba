"""A question that the index answers, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from optimizer.retrieval import ReferenceKind, SymbolKind
from optimizer.types import Patch

RowKind = SymbolKind | ReferenceKind | Literal["file", "source", "imports", "imported", "rename", "note"]
LookupKind = Literal["where", "show", "list", "callers", "importers", "imports", "rename"]


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question that the index alone answers; `new_name` is set for a rename only, `within` narrows to one path."""

    kind: LookupKind
    subject: str
    new_name: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One place that answers a question, and what stands there; a remark has no `path`.

    `kind` is a kind of symbol, of reference or of import, "file", "source" (a line of it) or "note".
    """

    text: str
    path: str = ""
    line: int = 0
    kind: RowKind = "note"
    symbol: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the index answered, row by row; for a rename, the patch that does it."""

    rows: tuple[Row, ...]
    found: bool
    patch: Patch | None = None
