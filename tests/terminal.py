"""What a terminal shows of the bytes that it gets."""

from __future__ import annotations

import re

_PARTS = re.compile(r"\x1b\[(\d*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")


def screen_of(raw: str) -> str:
    """The text that stands there in the end: lines as they were rewritten and erased, without colours."""
    rows, row, column = [""], 0, 0
    for part in _PARTS.finditer(raw):
        number, letter = part[1], part[2]
        if letter == "A":
            row = max(0, row - int(number or 1))
        elif letter in ("J", "K"):
            rows[row] = rows[row][:column]
            if letter == "J":
                del rows[row + 1 :]
        elif letter is not None:
            assert letter == "m", f"a sequence that nobody expects: {part[0]!r}"
        elif part[0] == "\r":
            column = 0
        elif part[0] == "\n":
            row, column = row + 1, 0
            rows += [""] * (row + 1 - len(rows))
        else:
            before = rows[row].ljust(column)
            rows[row] = before[:column] + part[0] + before[column + len(part[0]) :]
            column += len(part[0])
    return "\n".join(rows)
