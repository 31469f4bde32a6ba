"""What later turns used of a conversation so far, and how likely a block is that they will need again.

A block that shows something (a read, a result, a change, a note) is used when words or calls after it name its file, or
a name that it was the last to show; and when its file is read again. How likely a block that was idle for a while is
used again is counted in the conversation itself: of all its spells that were at least as long, the share that ended in
a use, by the estimate of Krichevsky and Trofimov (half an observation more on each side), so that nothing is certain.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from optimizer.session.blocks import Block
from optimizer.session.levels import shown_path
from optimizer.session.trim import names_in

COVERED = 0.8  # share of the lines of a read that later reads must show to stand for it

_LINE = re.compile(r"^(\d+)\t", re.MULTILINE)

Uses = Mapping[int, Sequence[int]]
"""For each block the messages that used it, its own first."""


class Spells(NamedTuple):
    """How long blocks were idle, in messages, ascending: spells that ended in a use, and those that go on."""

    ended: Sequence[int]
    going_on: Sequence[int]

    def chance(self, idle: int) -> float:
        """How likely a block is used again that was idle for so many messages."""
        again = len(self.ended) - bisect_right(self.ended, idle)
        others = len(self.going_on) - bisect_left(self.going_on, idle)
        return (again + 0.5) / (again + others + 1)


def uses_of(blocks: Sequence[Block]) -> dict[int, list[int]]:
    """The messages that used each block which shows something."""
    uses: dict[int, list[int]] = {}
    showing: dict[str, int] = {}
    for block in blocks:
        path = shown_path(block) or block.path
        if block.kind in ("user", "assistant", "tool-use"):
            named = names_in(block.text) | (names_in(block.arguments) if block.arguments else frozenset())
            used = {showing[name] for name in (*named, path) if name in showing}
        else:
            used = {showing[path]} if path in showing else set()
        for id in used:
            if uses[id][-1] < block.message:
                uses[id].append(block.message)
        if block.kind in ("file-read", "tool-result", "edit", "note"):
            uses[block.id] = [block.message]
            showing.update(dict.fromkeys(names_in(block.text), block.id))
            if path:
                showing[path] = block.id
        elif block.kind == "assistant":
            uses[block.id] = [block.message]
    return uses


def spells(uses: Uses, now: int) -> Spells:
    """How long blocks were idle until they were used again, or until the message `now`."""
    ended = sorted(after - before for known in uses.values() for before, after in pairwise(known))
    return Spells(ended, sorted(now - known[-1] for known in uses.values()))


def superseded(blocks: Sequence[Block]) -> set[int]:
    """The blocks of which later reads of their file show nearly all lines, as they are now."""
    later: dict[str, set[int]] = {}
    found: set[int] = set()
    for block in reversed(blocks):
        path = shown_path(block) or (block.path if block.kind == "edit" else "")
        if not path:
            continue
        lines, known = _lines(block.text), later.setdefault(path, set())
        if lines and len(lines & known) >= COVERED * len(lines):
            found.add(block.id)
        if block.kind != "edit":
            known |= lines
    return found


@lru_cache(maxsize=4096)
def _lines(text: str) -> frozenset[int]:
    return frozenset(map(int, _LINE.findall(text)))
