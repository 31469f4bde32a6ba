"""Rename one definition and every use of it, as a patch; refused where a name could mean two things."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.errors import Conflict, InputError, NotFound
from optimizer.languages.occurrences import Occurrence
from optimizer.languages.source import Source
from optimizer.languages.table import language_of
from optimizer.lookup.names import definitions, nearest, parts_of
from optimizer.lookup.questions import Answer, Citation, Lookup
from optimizer.retrieval import Symbol
from optimizer.types import FileChange, Patch

if TYPE_CHECKING:
    from optimizer.index.reader import Index

MOST_SHOWN = 10
MEMBERS = frozenset({"method"})
_REACHED = re.compile(rb"(?:\.|->|::)\s*\Z")


@dataclass(frozen=True, slots=True)
class _File:
    """A file with the name: what is renamed, and what is left because it may mean another definition."""

    path: str
    before: bytes
    renamed: tuple[Occurrence, ...]
    left: tuple[Occurrence, ...]
    mentions: int


def rename(lookup: Lookup, index: Index) -> Answer:
    """The patch that renames `lookup.subject` to `lookup.new_name`; the citations list what it changes and leaves.

    A name that is not in the index gives `found` False. Raises Conflict when several definitions share the name and
    neither a class nor a path selects one, or when the new name is taken; InputError when it cannot be a name there.
    """
    name, new = parts_of(lookup.subject)[-1], lookup.new_name
    found = definitions(index, lookup.subject, lookup.within)
    if not found:
        near = nearest(name, index.all_names())
        texts = (f"{lookup.subject} is not defined here", *(f"did you mean {word}?" for word in near))
        return Answer(tuple(map(Citation, texts)), False)
    if len(found) > 1:
        raise Conflict(
            f"{lookup.subject} is defined {len(found)} times: {_listed(map(_place, found))}",
            f"name one: rename Class.{name} to {new}, or rename {name} to {new} in PATH",
        )
    if name == new:
        raise InputError(f"{name} already has that name")
    target = found[0]
    others = [symbol for symbol in index.symbols_named([name]) if symbol != target]
    touched = [file for file in _files(index, target, others) if file.renamed or file.left or file.mentions]
    changed = [file for file in touched if file.renamed]
    for file in changed:
        _refuse_taken(file, index, new)
    changes = tuple(FileChange(file.path, file.before, _replaced(file, name, new)) for file in changed)
    for file, change in zip(changed, changes, strict=True):
        _refuse_unfit(file, change, new)
    return Answer(tuple(_report(target, new, touched, others)), True, Patch(changes))


def _files(index: Index, target: Symbol, others: Sequence[Symbol]) -> Iterator[_File]:
    words = index.words()
    numbers, _ = words.postings("body", target.name.lower())
    paths = {words.paths[words.file_of[unit]] for unit in numbers} or set(words.paths)
    reach = None if not others else {target.path} | {edge.source for edge in index.importers_of(target.path)}
    taken = {symbol.path for symbol in others}
    whole = re.compile(rb"(?<![\w$])" + re.escape(target.name.encode()) + rb"(?![\w$])")
    for path in sorted(paths | {target.path}):
        try:
            data = index.read(path)
        except NotFound:
            continue
        places = Source(path, data).occurrences(target.name)
        renamed = tuple(place for place in places if reach is None or _is_ours(place, path, target, reach, taken))
        left = tuple(place for place in places if place not in renamed)
        yield _File(path, data, renamed, left, max(0, len(whole.findall(data)) - len(places)))


def _is_ours(place: Occurrence, path: str, target: Symbol, reach: Iterable[str], taken: Iterable[str]) -> bool:
    """Whether a use can only mean the target although other definitions share its name."""
    if path == target.path and target.line <= place.line <= target.end and place.kind == "definition":
        return place.line == target.line
    if path not in reach:
        return False
    if path not in taken:
        return target.kind not in MEMBERS or path == target.path
    return False


def _refuse_taken(file: _File, index: Index, new: str) -> None:
    for symbol in index.symbols_in(file.path):
        if symbol.name == new:
            raise Conflict(f"{new} is already defined at {_place(symbol)}", "choose another name")
    for place in Source(file.path, file.before).occurrences(new):
        if not _REACHED.search(file.before[max(0, place.start - 40) : place.start]):
            raise Conflict(f"{new} is already used at {file.path}:{place.line}", "choose another name")


def _replaced(file: _File, name: str, new: str) -> bytes:
    parts, at = [], 0
    for place in file.renamed:
        parts += [file.before[at : place.start], new.encode()]
        at = place.end
    return b"".join([*parts, file.before[at:]])


def _refuse_unfit(file: _File, change: FileChange, new: str) -> None:
    """Refuse a name that the language does not allow, or that means something else there."""
    after = change.after or b""
    old, fresh = Source(file.path, file.before), Source(file.path, after)
    fits = len(fresh.occurrences(new)) == len(old.occurrences(new)) + len(file.renamed)
    if not fits or (fresh.error_count or 0) > (old.error_count or 0):
        language = language_of(file.path)
        raise InputError(
            f"{new} cannot be a name in {language.name if language else file.path}", "choose a name that is no keyword"
        )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}"


def _report(target: Symbol, new: str, touched: Sequence[_File], others: Sequence[Symbol]) -> Iterator[Citation]:
    changed = [file for file in touched if file.renamed]
    total = sum(len(file.renamed) for file in changed)
    what = (
        f"rename {target.kind} {target.qualified} to {new}: {_count(total, 'place')} in {_count(len(changed), 'file')}"
    )
    yield Citation(what, target.path, target.line, "rename", target.qualified)
    for file in changed:
        lines = ", ".join(dict.fromkeys(str(place.line) for place in file.renamed))
        on = f"line{'s' if ',' in lines else ''} {lines}"
        yield Citation(f"{_count(len(file.renamed), 'place')}, {on}", file.path, file.renamed[0].line, "rename")
    if target.kind in MEMBERS and not others:
        yield Citation(
            f"uses such as obj.{target.name} were renamed by name alone: nothing else here is called {target.name}"
        )
    left = [f"{file.path}:{place.line}" for file in touched for place in file.left]
    if left:
        yield Citation(f"left alone, they may mean another {target.name}: {_listed(left)}")
    mentions = [f"{file.path} ({file.mentions})" for file in touched if file.mentions]
    if mentions:
        yield Citation(f"left alone in strings, comments and other text: {_listed(mentions)}")


def _listed(places: Iterable[str]) -> str:
    known = list(places)
    more = f" and {len(known) - MOST_SHOWN} more" if len(known) > MOST_SHOWN else ""
    return ", ".join(known[:MOST_SHOWN]) + more


def _place(symbol: Symbol) -> str:
    return f"{symbol.path}:{symbol.line}"
