"""Files that the ignore files of coding assistants keep from them, and so from this program: tracked ones too."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from optimizer.index.regular import read_file

if TYPE_CHECKING:
    from optimizer.index.ignore_rules import Rules

KINDS = (".optimizerignore", ".aiderignore", ".clineignore", ".cursorignore", ".geminiignore", ".codeiumignore")
_KINDS = tuple(map(os.fsencode, KINDS))
_BELOW = tuple(b"/" + kind for kind in _KINDS)


class Hiding(NamedTuple):
    """The rules of each kind of ignore file, folder by folder, with what is known of folders."""

    chains: tuple[tuple[list[Rules], dict[bytes, bool]], ...]

    def hides(self, name: bytes) -> bool:
        """Whether any of the kinds hides a file."""
        from optimizer.index.ignore_rules import hidden_within

        return any(hidden_within(chain, name, known) for chain, known in self.chains)


def rule_files(listed: bytes) -> Iterator[bytes]:
    """The ignore files among names that end with a zero byte each."""
    for kind in _KINDS:
        end = listed.find(kind + b"\0")
        while end >= 0:
            name = listed[listed.rfind(b"\0", 0, end) + 1 : end + len(kind)]
            if name.endswith(_BELOW) or name in _KINDS:
                yield name
            end = listed.find(kind + b"\0", end + 1)


def around(path: bytes) -> Iterator[bytes]:
    """All places of ignore files that may speak of a path."""
    folder = path
    while folder:
        folder = folder.rpartition(b"/")[0]
        yield from (folder + b"/" + kind if folder else kind for kind in _KINDS)


def hiding(top: bytes, files: Iterable[bytes] = ()) -> Hiding:
    """Read the ignore files at `top`, and those below it that `files` names."""
    places = sorted({*files, *_KINDS}, key=lambda name: (name.count(b"/"), name))
    chains: dict[bytes, list[Rules]] = {}
    for place in places:
        if data := read_file(top + b"/" + place, through_links=True):
            from optimizer.index.ignore_rules import rules_of

            folder, slash, kind = place.rpartition(b"/")
            chains.setdefault(kind, []).append(rules_of(data, folder + slash))
    return Hiding(tuple((chain, {}) for chain in chains.values()))
