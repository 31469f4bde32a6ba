"""From the rows of an answer to lines of text, each citing `path:line`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from optimizer.lookup.questions import Row

USES = frozenset({"call", "import", "use", "definition"})


def lines_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """The lines of an answer; the uses of a name within one definition share a line."""
    return tuple(line for place, text in cited(rows) for line in (f"{place}  {text}" if place else text,))


def cited(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """For each line its place (`path:line`, '' for a remark or a line of source) and what is said of it."""
    for are_uses, run in groupby(rows, lambda row: row.kind in USES):
        if not are_uses:
            for _, same in groupby(run, lambda row: (row.kind, row.path, row.line, row.text)):
                yield from _same_import(list(same))
            continue
        holders: dict[tuple[str, str], list[Row]] = {}
        for row in run:
            holders.setdefault((row.path, row.symbol), []).append(row)
        yield from map(_uses, holders.values())


def _same_import(rows: list[Row]) -> Iterator[tuple[str, str]]:
    """An import of a package, which leads to all files of a folder, in one line; anything else a line each."""
    folders = {row.target.rpartition("/")[0] for row in rows}
    if rows[0].kind == "imports" and len(rows) > 2 and len(folders) == 1:
        yield f"{rows[0].path}:{rows[0].line}", f"{rows[0].text} → {folders.pop() or '.'}/ ({len(rows)} files)"
    else:
        yield from map(_one, rows)


def _uses(rows: list[Row]) -> tuple[str, str]:
    first = rows[0]
    more = dict.fromkeys(str(row.line) for row in rows[1:] if row.line != first.line)
    also = f" (also {', '.join(more)})" if more else ""
    return f"{first.path}:{first.line}", f"in {first.symbol or 'the file itself'}{also}: {first.text}"


def _one(row: Row) -> tuple[str, str]:
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
