"""The text of indexed files as lines, read once each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.encodings import text_of
from optimizer.errors import NotFound

if TYPE_CHECKING:
    from optimizer.index.reader import Index


class FileLines:
    """Lines by path, without line ends; none for a file that can no longer be read."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.known: dict[str, list[str]] = {}

    def lines(self, path: str) -> list[str]:
        """The lines of a file as they are now; other encodings than UTF-8 are tried."""
        lines = self.known.get(path)
        if lines is None:
            try:
                text = text_of(self.index.read(path))
            except NotFound:
                text = ""
            lines = text.replace("\r\n", "\n").removesuffix("\r").split("\n")
            if not lines[-1]:
                lines.pop()
            self.known[path] = lines
        return lines
