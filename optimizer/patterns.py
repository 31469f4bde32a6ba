"""Regular expressions that are compiled when they are first used: a command needs few of those it imports."""

from __future__ import annotations

import re
from typing import NamedTuple


class Pattern(NamedTuple):
    """A pattern of `re` and its flags; the methods are those of a compiled one, which `re` keeps."""

    source: str
    flags: int = re.IGNORECASE

    def search(self, text: str) -> re.Match[str] | None:
        """The first match anywhere in `text`."""
        return re.search(self.source, text, self.flags)

    def match(self, text: str) -> re.Match[str] | None:
        """The match at the start of `text`."""
        return re.match(self.source, text, self.flags)
