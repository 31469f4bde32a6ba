"""The blocks of a conversation: its smallest pieces that can be kept, trimmed, summarised or removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BlockKind = Literal["user", "assistant", "tool-use", "tool-result", "file-read", "edit", "summary", "note"]
"""What a block is.

`user`: words of the user; `assistant`: words of a model; `tool-use` and `tool-result`: a call of a model and what it
gave; `file-read`: lines of a file that were put into a request; `edit`: a change that was written; `summary`: words of
a model that stand for other blocks; `note`: anything else, such as the project's notes, piped input or output of a
command.
"""

Level = Literal["whole", "trimmed", "summarised", "removed"]
"""How much of a block is sent: all of it, some of its lines as they are, a summary in its place, or nothing."""


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a conversation; `text` is what was sent or received, to the byte.

    `id` counts from 1 within a conversation, in the order of time; so do `turn`, and `message`, which holds blocks of
    one role. `path`, `start` and `end` are the lines of the file that it shows or changes (0: none, or all of the
    file). `tool`, `call` and `arguments` (JSON) belong to a call and its result, which `call` ties together. `failed`:
    the call did nothing. `pinned`: the user wants it kept. `stands_for` are the blocks that a summary replaces.
    """

    id: int
    turn: int
    message: int
    kind: BlockKind
    text: str
    tokens: int
    path: str = ""
    start: int = 0
    end: int = 0
    tool: str = ""
    call: str = ""
    arguments: str = ""
    failed: bool = False
    pinned: bool = False
    stands_for: tuple[int, ...] = ()

    @property
    def of_user(self) -> bool:
        """Whether a request holds it; the others are parts of answers."""
        return self.kind not in ("assistant", "tool-use")
