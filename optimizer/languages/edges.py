"""The edges between files: what imports what."""

from __future__ import annotations

from typing import NamedTuple


class ImportEdge(NamedTuple):
    """One import of `source`, as written on `line`; `target` is the file it leads to, None outside the repository."""

    source: str
    line: int
    module: str
    target: str | None
