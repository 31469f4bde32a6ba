"""What a file of C includes, and whether a header from outside the repository may bring a name."""

from __future__ import annotations

import posixpath
from collections import Counter
from typing import NamedTuple

from optimizer.languages.naming import undeclared
from optimizer.languages.naming.libraries import is_standard_header, is_windows_header
from optimizer.languages.source import Source
from optimizer.verify.links import is_made
from optimizer.verify.patched import Patched, Side

MOST_INCLUDED = 300
LEAST_OF_PREFIX = 3


class Included(NamedTuple):
    """The files that a file includes, directly or not, itself too, and the headers that are not of the repository.

    `is_whole`: whatever of the repository the file uses is in `files`.
    """

    files: frozenset[str]
    outside: tuple[str, ...]
    is_whole: bool

    def may_bring(self, name: str, source: Source, side: Side) -> bool:
        """Whether a header from outside, but not of the standard library, may bring a name to the file."""
        if len(self.files) > MOST_INCLUDED:
            return True
        if any(map(is_windows_header, self.outside)) and not name[0].islower():
            return True
        other = [one for one in self.outside if not is_windows_header(one)]
        return bool(other) and not _keeps_to_prefixes(name, other, source, side)


def included(path: str, patched: Patched) -> Included:
    """What a file includes in the patched tree."""
    side, pending, seen = patched.after, [path], {path}
    outside: list[str] = []
    named = Counter(map(posixpath.basename, side.paths))
    is_whole = path.endswith(".c") and not any(patched.importers(path))
    while pending and len(seen) <= MOST_INCLUDED:
        file = pending.pop()
        for raw in side.source(file).imports:
            found = side.leads(file, raw)
            made = not found and raw.kind == "include-local" and is_made(raw.module, side)
            is_whole = is_whole and not made and named[posixpath.basename(raw.module)] <= 1
            if not found and not made and not is_standard_header(raw.module):
                outside.append(raw.module)
            pending += [target for target in found if target not in seen]
            seen.update(found)
    return Included(frozenset(seen), tuple(outside), is_whole)


def _keeps_to_prefixes(name: str, headers: list[str], source: Source, side: Side) -> bool:
    """Whether what a file calls from outside starts as its headers do, as `onig_new`, and `name` does not."""
    stems = [part.lower() for one in headers for part in one.removesuffix(".h").split("/") if part]
    used, _ = undeclared.names(source)
    called = [one for one, use in used.items() if use.called_on == "" and one not in undeclared.known("c")]
    own = {_head(one) for one in called if side.symbols_named(one)}
    theirs = [one for one in called if one != name and one[0].islower() and _head(one) not in own]
    each = (sum(_starts_as(one, [stem]) for one in theirs) for stem in stems)
    shown = all(number >= LEAST_OF_PREFIX for number in each) and all(_starts_as(one, stems) for one in theirs)
    return shown and not _starts_as(name, stems)


def _head(name: str) -> str:
    return name.partition("_")[0]


def _starts_as(name: str, stems: list[str]) -> bool:
    return any(name.lower().startswith(stem[:3]) for stem in stems)
