"""What may reach a terminal: text made inert, colours only where a person looks."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, TextIO

_CONTROL = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"


def inert(text: str) -> str:
    """`text` with control, direction and zero-width characters shown as escapes, so that none acts on a terminal."""
    return re.sub(_CONTROL, lambda match: f"\\u{ord(match.group()):04x}", text.replace("\r\n", "\n"))


def coloured(stream: TextIO) -> bool:
    """Whether to colour what goes to `stream`: a terminal, and neither NO_COLOR nor TERM=dumb."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def interactive() -> bool:
    """Whether a person can be asked: both ends are a terminal, and this is not CI."""
    return sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")


def paint(text: str, err: bool = False, **style: Any) -> str:
    """`text` styled as `click.style` does, where stdout (with `err`: stderr) shows colours."""
    if not coloured(sys.stderr if err else sys.stdout):
        return text
    import click

    return click.style(text, **style)


def width(err: bool = False) -> int | None:
    """The columns of the terminal that stdout (with `err`: stderr) is; None where it is none: nothing is cut then."""
    if not (sys.stderr if err else sys.stdout).isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns


def wrapped(text: str, columns: int | None, indent: int = 2) -> str:
    """`text` broken between words where a line is wider than `columns`, what follows set in; None leaves it.

    What follows stands `indent` beyond where its line begins.
    """
    if columns is None or all(cells(line) < columns for line in text.split("\n")):
        return text
    return "\n".join("\n".join(folded(line, columns, indent)) for line in text.split("\n"))


def folded(line: str, columns: int, indent: int) -> list[str]:
    """One line as several, none as wide as `columns` where its words let it; what follows is set in by `indent`."""
    import textwrap

    begin = line[: len(line) - len(line.lstrip(" "))]
    fold = textwrap.TextWrapper(
        max(columns - 1, len(begin) + indent + 1),
        initial_indent=begin,
        subsequent_indent=begin + " " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    return fold.wrap(line.lstrip(" ")) or [line]


def cells(text: str) -> int:
    """How many columns `text` takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def cut(text: str, room: int | None) -> str:
    """`text` in at most `room` columns, with an ellipsis where its end was left away; None leaves it whole."""
    if room is None or cells(text) <= room:
        return text
    kept, used = [], 0
    for char in text:
        used += cells(char)
        if used > room - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def cut_start(text: str, room: int) -> str:
    """`text` in at most `room` columns, with an ellipsis where its beginning was left away."""
    return text if cells(text) <= room else cut(text[::-1], room)[::-1]


def pad(text: str, columns: int) -> str:
    """`text` with blanks up to so many columns."""
    return text + " " * max(0, columns - cells(text))
