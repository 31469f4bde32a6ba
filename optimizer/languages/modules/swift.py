"""Swift imports: they name whole libraries, so that none leads to a file."""

from __future__ import annotations

from optimizer.languages.modules.statements import COMMENT, Read


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    return [(COMMENT.sub(" ", text).split()[-1].rstrip(";"), (), kind)]
