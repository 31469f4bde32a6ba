"""A question that the index answers, its answer, and the lines of that answer, each citing `path:line`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from optimizer.retrieval import ReferenceKind, SymbolKind
from optimizer.types import Patch

CitationKind = (
    SymbolKind | ReferenceKind | Literal["file", "source", "imports", "imported", "rename", "mention", "note"]
)
LookupKind = Literal["where", "show", "list", "callers", "importers", "imports", "rename"]


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question that the index alone answers; `within` narrows to one path.

    For a rename only: `new_name`, `docs` for comments, strings and other text too, and `unresolved` for places too that
    may mean another thing of that name. `target` is "parameter" or "variable" for one of a function.
    """

    kind: LookupKind
    subject: str
    new_name: str = ""
    within: str = ""
    docs: bool = False
    unresolved: bool = False
    target: Literal["", "parameter", "variable"] = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """One place that answers a question, and its text; a remark has no `path`.

    `kind` is a kind of symbol, of reference or of import, "file", "source" (a line of it) or "note".
    """

    text: str
    path: str = ""
    line: int = 0
    kind: CitationKind = "note"
    symbol: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class LookupResult:
    """What the index answered, place by place; for a rename, the patch that does it.

    `open` are the places that a rename leaves because it is not known what they mean; `breaks`: without them it is
    likely to break the program.
    """

    citations: tuple[Citation, ...]
    found: bool
    patch: Patch | None = None
    open: tuple[Citation, ...] = ()
    breaks: bool = False


# ── lines ────────────────────────────────────────────────────────────────────────────────────────

USES = frozenset({"call", "import", "use", "definition"})


def lines_of(rows: Sequence[Citation]) -> tuple[str, ...]:
    """The lines of an answer; the uses of a name within one definition share a line."""
    return tuple(line for place, text in cited(rows) for line in (f"{place}  {text}" if place else text,))


def cited(rows: Sequence[Citation]) -> Iterator[tuple[str, str]]:
    """For each line its place (`path:line`, '' for a remark or a line of source) and its text."""
    for are_uses, run in groupby(rows, lambda row: row.kind in USES):
        if not are_uses:
            for _, same in groupby(run, lambda row: (row.kind, row.path, row.line, row.text)):
                yield from _same_import(list(same))
            continue
        holders: dict[tuple[str, str], list[Citation]] = {}
        for row in run:
            holders.setdefault((row.path, row.symbol), []).append(row)
        yield from map(_uses, holders.values())


def _same_import(rows: list[Citation]) -> Iterator[tuple[str, str]]:
    """An import of a package, which leads to all files of a folder, in one line; anything else a line each."""
    folders = {row.target.rpartition("/")[0] for row in rows}
    if rows[0].kind == "imports" and len(rows) > 2 and len(folders) == 1:
        yield f"{rows[0].path}:{rows[0].line}", f"{rows[0].text} → {folders.pop() or '.'}/ ({len(rows)} files)"
    else:
        yield from map(_one, rows)


def _uses(rows: list[Citation]) -> tuple[str, str]:
    first = rows[0]
    more = dict.fromkeys(str(row.line) for row in rows[1:] if row.line != first.line)
    also = f" (also {', '.join(more)})" if more else ""
    return f"{first.path}:{first.line}", f"in {first.symbol or 'the file itself'}{also}: {first.text}"


def _one(row: Citation) -> tuple[str, str]:
    if row.kind == "source":
        return "", f"{row.line:>5}  {row.text}"
    if not row.path:
        return "", row.text
    place = f"{row.path}:{row.line}"
    if row.kind == "imports":
        return place, f"{row.text} → {row.target or 'outside this repository'}"
    if row.kind in ("imported", "rename"):
        return place, row.text
    if row.kind == "file":
        return place, f"file, {row.text}" if row.text else "file"
    return place, row.text if row.text.startswith(f"{row.kind} ") else f"{row.kind} {row.text}"
