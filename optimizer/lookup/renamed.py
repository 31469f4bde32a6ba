"""The files that a rename changes, and the lines that report it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from optimizer.errors import InputError
from optimizer.languages.source import Source
from optimizer.lookup.questions import Citation

if TYPE_CHECKING:
    from optimizer.retrieval import Symbol
    from optimizer.types import FileChange

MOST_SHOWN = 10


class Change(NamedTuple):
    """One place that is renamed: byte offsets in the file, its line, and the new text."""

    start: int
    end: int
    line: int
    text: bytes


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file with the name: what is renamed, the lines where it may or hardly be meant, and where other text has it."""

    path: str
    before: bytes
    changes: tuple[Change, ...]
    open: tuple[int, ...]
    left: tuple[int, ...]
    mentions: tuple[Change, ...]


def replaced(file: ChangedFile) -> bytes:
    """The new text of a file."""
    parts, at = [], 0
    for change in file.changes:
        parts += [file.before[at : change.start], change.text]
        at = change.end
    return b"".join([*parts, file.before[at:]])


def refuse_unfit(file: ChangedFile, change: FileChange, name: str, new: str) -> None:
    """Refuse a name that the language does not allow, or that means something else there."""
    after = change.after or b""
    old, fresh = Source(file.path, file.before), Source(file.path, after)
    if old.language is None or old.language.outline:
        return
    starts = {change.start for change in file.changes}
    renamed = sum(place.start in starts for place in old.occurrences(name))
    fits = len(fresh.occurrences(new)) >= len(old.occurrences(new)) + renamed
    if not fits or (fresh.error_count or 0) > (old.error_count or 0):
        raise InputError(f"{new} cannot be a name in {old.language.name}", "choose a name that is no keyword")


def counted(number: int, what: str) -> str:
    """`1 place`, `2 places`."""
    return f"{number:,} {what}{'s' if number != 1 else ''}"


def report(
    what: Symbol,
    new: str,
    files: Sequence[ChangedFile],
    left: Sequence[Citation],
    relatives: Sequence[Symbol],
    kind: str,
) -> Iterator[Citation]:
    """The lines on a rename of `what`: the places that change, the `relatives` renamed with it, and what is left."""
    changed = [file for file in files if file.changes]
    total = f"{counted(sum(len(file.changes) for file in changed), 'place')} in {counted(len(changed), 'file')}"
    yield Citation(f"rename {kind} {what.qualified} to {new}: {total}", what.path, what.line, "rename", what.qualified)
    for file in changed:
        lines = ", ".join(dict.fromkeys(str(change.line) for change in file.changes))
        on = f"line{'s' if ',' in lines else ''} {lines}"
        yield Citation(f"{counted(len(file.changes), 'place')}, {on}", file.path, file.changes[0].line, "rename")
    if relatives:
        names = listed(f"{one.qualified} ({place_of(one)})" for one in relatives)
        yield Citation(f"renamed with it, one overrides the other: {names}")
    if left:
        yield Citation(f"not known to be {what.name}: {listed(f'{one.path}:{one.line}' for one in left)}")
    mentions = [f"{file.path} ({len(file.mentions)})" for file in files if file.mentions]
    if mentions:
        yield Citation(f"left alone in strings, comments and other text (--docs renames them): {listed(mentions)}")


def listed(places: Iterable[str]) -> str:
    """The first of some places, and how many more there are."""
    known = list(places)
    more = f" and {len(known) - MOST_SHOWN} more" if len(known) > MOST_SHOWN else ""
    return ", ".join(known[:MOST_SHOWN]) + more


def place_of(symbol: Symbol) -> str:
    """`path:line` of a definition."""
    return f"{symbol.path}:{symbol.line}"
