"""Rows of text in columns that fit a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.cli.terminal import cells, folded, pad, wrapped

BETWEEN, SET_IN = "  ", "    "  # between columns; before what stands below its row
LEAST_ROOM = 32  # columns below which the last cells stand below their rows


def table(rows: Sequence[Sequence[str]], columns: int | None, begin: str = "  ", *, flowing: bool = True) -> list[str]:
    """Rows of equal length as lines: each cell as wide as the widest of its column, the last one in what is left.

    Where that is too little, or where it would not stay in one line and is not `flowing`, a last cell stands below its
    row, set in; None for `columns` is one line a row.
    """
    if not rows:
        return []
    wide = [max(cells(row[at]) for row in rows) for at in range(len(rows[0]) - 1)]
    room = columns and columns - cells(begin) - sum(wide) - len(BETWEEN) * len(wide)
    lines: list[str] = []
    for *first, last in rows:
        front = begin + "".join(pad(cell, width) + BETWEEN for cell, width in zip(first, wide, strict=True))
        if room is None or cells(last) < room:
            lines.append((front + last).rstrip())
        elif not flowing or room < LEAST_ROOM or room <= max(map(cells, last.split())):
            lines += [front.rstrip(), *wrapped(begin + SET_IN + last, columns, 0).split("\n")]
        else:
            begun, *further = folded(last, room, 0)
            lines += [front + begun, *(" " * cells(front) + piece for piece in further)]
    return lines
