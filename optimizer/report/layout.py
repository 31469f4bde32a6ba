"""Text laid out in columns that fit a terminal, with nothing in it that acts on one."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.characters import escaped

BETWEEN, SET_IN = "  ", "    "  # between columns; before what stands below its row
LEAST_SPACE = 32  # columns below which the last cells stand below their rows


def inert(text: str) -> str:
    """`text` with what is not seen shown as escapes, so that none of it acts on a terminal."""
    return escaped(text.replace("\r\n", "\n"))


def wrapped(text: str, columns: int | None, indent: int = 2) -> str:
    """Break lines of `text` wider than `columns` between words, and indent what follows; None leaves them.

    What follows is indented by `indent` more than its line.
    """
    if columns is None or all(cells(line) < columns for line in text.split("\n")):
        return text
    return "\n".join("\n".join(folded(line, columns, indent)) for line in text.split("\n"))


def folded(line: str, columns: int, indent: int) -> list[str]:
    """One line as several narrower than `columns`, unless a word is too long; what follows is indented by `indent`."""
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


def cut(text: str, space: int | None) -> str:
    """`text` in at most `space` columns, with an ellipsis where its end was cut; None leaves it whole."""
    if space is None or cells(text) <= space:
        return text
    kept, used = [], 0
    for char in text:
        used += cells(char)
        if used > space - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def cut_start(text: str, space: int) -> str:
    """`text` in at most `space` columns, with an ellipsis where its start was cut."""
    return text if cells(text) <= space else cut(text[::-1], space)[::-1]


def pad(text: str, columns: int) -> str:
    """`text` padded with blanks to `columns`."""
    return text + " " * max(0, columns - cells(text))


def table(rows: Sequence[Sequence[str]], columns: int | None, begin: str = "  ", *, flowing: bool = True) -> list[str]:
    """Rows of equal length as lines: each cell as wide as the widest of its column, the last one in what is left.

    Where that is too little, a last cell stands below its row, set in; where they are not `flowing`, all of them do
    as soon as one would not stay in one line. None for `columns` is one line a row.
    """
    if not rows:
        return []
    wide = [max(cells(row[at]) for row in rows) for at in range(len(rows[0]) - 1)]
    space = columns and columns - cells(begin) - sum(wide) - len(BETWEEN) * len(wide)
    lines: list[str] = []
    below = not flowing and space is not None and any(cells(row[-1]) >= space for row in rows)
    for *first, last in rows:
        front = begin + "".join(pad(cell, width) + BETWEEN for cell, width in zip(first, wide, strict=True))
        if not last or space is None or (cells(last) < space and not below):
            lines.append((front + last).rstrip())
        elif below or space < LEAST_SPACE or space <= max(map(cells, last.split())):
            lines += [front.rstrip(), *wrapped(begin + SET_IN + last, columns, 0).split("\n")]
        else:
            begun, *further = folded(last, space, 0)
            lines += [front + begun, *(" " * cells(front) + piece for piece in further)]
    return lines
