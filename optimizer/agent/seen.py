"""Which lines of files a model has seen, so that it does not replace others with them that were left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.edits.edit import Edit, LineEdit
from optimizer.encodings import text_of
from optimizer.errors import EditRefused

if TYPE_CHECKING:
    from optimizer.retrieval import ContextItem

_NUMBERED = re.compile(r"(\d+)\t")


@dataclass(slots=True)
class Seen:
    """Numbers of the lines seen, by path; a file that is not here was never shown, or its lines have moved since.

    Of `strict` files no line that was not seen may be replaced, also where none of the replaced ones was.
    """

    lines: dict[str, set[int]] = field(default_factory=dict)
    strict: set[str] = field(default_factory=set)

    def read(self, path: str, text: str) -> None:
        """Count the lines of a file that a result shows, each after its number and a tab."""
        if path in self.lines:
            found = map(_NUMBERED.match, text.split("\n"))
            self.lines[path].update(int(one[1]) for one in found if one)

    def check(self, edits: Iterable[Edit], read: Callable[[str], bytes | None]) -> None:
        """Raise EditRefused where an edit by line numbers replaces lines that were seen with others that were not."""
        for edit in edits:
            if isinstance(edit, LineEdit) and edit.path in self.lines:
                lines = text_of(read(edit.path) or b"").split("\n")
                replaced = range(max(1, edit.start), min(edit.end, len(lines)) + 1)
                seen = self.lines[edit.path]
                hidden = [number for number in replaced if number not in seen and lines[number - 1].strip()]
                if hidden and (edit.path in self.strict or seen.intersection(replaced)):
                    raise EditRefused(
                        f"{edit.path}: line {hidden[0]} would be replaced, and was not shown",
                        "look at all lines that you replace, or replace fewer",
                    )

    def moved(self, paths: Iterable[str]) -> None:
        """Files whose lines may have other numbers now: they are no longer checked."""
        for path in paths:
            self.lines.pop(path, None)


def seen_in(items: Iterable[ContextItem]) -> Seen:
    """What a prompt shows."""
    seen = Seen()
    for item in items:
        seen.lines.setdefault(item.path, set()).update(range(item.start, item.end + 1))
    return seen
