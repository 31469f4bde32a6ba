"""Check that no definition is removed that other files still use."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from optimizer.languages.declared import declaring
from optimizer.languages.source import Source
from optimizer.report.checks import BrokenName
from optimizer.types import FileChange
from optimizer.verify import python
from optimizer.verify.patched import Patched
from optimizer.verify.verdict import Finding, broken

MOST_IMPORTERS = 200


def check_uses(patched: Patched) -> Iterator[Finding]:
    """Report uses of removed definitions, in files that import them."""
    found = [one for change in patched.changes for one in _orphans(change, patched)]
    yield broken(found, patched.has_code, "no file with definitions")


def _orphans(change: FileChange, patched: Patched) -> Iterator[BrokenName]:
    if change.before is None or change.after is None:
        return  # a removed file shows in the imports of others
    importers = list(islice(patched.importers(change.path), MOST_IMPORTERS))
    if python.is_module(change.path):
        yield from python.orphans(change, patched, importers)
        return
    removed = _tops(patched.before.source(change.path)) - _tops(patched.after.source(change.path))
    for name in sorted(removed):
        if any(symbol.path != change.path for symbol in patched.index.symbols_named((name,))):
            continue  # another definition may be meant
        for path in importers:
            source = patched.after.source(path)
            places = source.occurrences(name)
            if any(place.kind == "definition" for place in places):
                continue
            kinds = ("import",) if declaring(source.language).by_name else ("import", "call")
            lines = [place.line for place in places if place.kind in kinds]
            yield from (BrokenName("removed", path, line, name, change.path) for line in lines[:1])


def _tops(source: Source) -> set[str]:
    return {symbol.name for symbol in source.symbols if not symbol.parent and symbol.kind != "section"}
