"""The result of reading one format: edits, calls, problems, and the line where reading stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from optimizer.edits.edit import Edit
from optimizer.types import ToolCall


@dataclass(frozen=True, slots=True)
class Found:
    """A piece of a reply that was read; `end` is the number (from 0) of the first line after it.

    `looks` are calls of tools that change nothing; `sure`: this is a call, read or not, and no example of one.
    """

    end: int
    edits: tuple[Edit, ...] = ()
    problems: tuple[str, ...] = ()
    looks: tuple[ToolCall, ...] = ()
    sure: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was read."""
        return not (self.edits or self.problems or self.looks)


def joined(found: Iterable[Found], end: int = 0) -> Found:
    """All that several pieces hold, in their order."""
    pieces = tuple(found)
    return Found(
        end,
        tuple(edit for one in pieces for edit in one.edits),
        tuple(problem for one in pieces for problem in one.problems),
        tuple(look for one in pieces for look in one.looks),
        any(one.sure for one in pieces),
    )


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a reply (without their endings) of which `stop` is the first that may not be read.

    `closed`: something after `stop`, such as a closing fence, proves that the piece is whole.
    """

    lines: tuple[str, ...]
    stop: int
    closed: bool


class Format(NamedTuple):
    """A format of edits: whether one begins on a line of an excerpt, and how it is read from there."""

    starts: Callable[[Excerpt, int], bool]
    read: Callable[[Excerpt, int], Found]
