"""The edits that a reply can ask for, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from optimizer.types import ToolCall


@dataclass(frozen=True, slots=True)
class Replace:
    """Put `replace` in place of `search`, in a file of the prompt when `path` is ''.

    Of several places, `line` is where a diff says it begins, `anchors` are lines whose block it stands in, outermost
    first, and `at_end` is the end of the file.
    """

    path: str
    search: str
    replace: str
    line: int | None = None
    anchors: tuple[str, ...] = ()
    at_end: bool = False


@dataclass(frozen=True, slots=True)
class LineEdit:
    """Replace lines `start`..`end` (from 1, included) by `content`; `end` = `start` - 1 inserts before `start`."""

    path: str
    start: int
    end: int
    content: str


@dataclass(frozen=True, slots=True)
class Create:
    """A new file."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Whole:
    """The new whole text of a file."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a file."""

    path: str


@dataclass(frozen=True, slots=True)
class Move:
    """Give a file another path; edits of `path` in the same reply are made on the way."""

    path: str
    to: str


Edit = Replace | LineEdit | Create | Whole | Delete | Move


class Reply(NamedTuple):
    """A completion read: its edits, what could not be read as an edit, and the prose around them.

    `looks` are the calls of tools that change nothing, as its text has them; `broken`: a call in it cannot be read.
    """

    edits: tuple[Edit, ...]
    problems: tuple[str, ...]
    prose: str
    looks: tuple[ToolCall, ...] = ()
    broken: bool = False
