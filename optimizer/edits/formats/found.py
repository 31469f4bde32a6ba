"""The result of reading one format: edits, problems, and the line where reading stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from optimizer.edits.edit import Edit


@dataclass(frozen=True, slots=True)
class Found:
    """A piece of a reply that was read; `end` is the number (from 0) of the first line after it."""

    end: int
    edits: tuple[Edit, ...] = ()
    problems: tuple[str, ...] = ()


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
