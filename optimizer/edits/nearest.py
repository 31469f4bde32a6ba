"""The region of a file that is most like a search text that is not there."""

from __future__ import annotations

import re
from collections import Counter

MAX_SHOWN_LINES = 16
SHOWN_AROUND = 2
MAX_SHOWN_COLUMNS = 160
_WORD = re.compile(r"\w{2,60}")


def nearest(lines: list[str], needle: str) -> str:
    """A message with the region of the file that shares most lines, or else most words, with the needle."""
    wanted = needle.removesuffix("\n").split("\n")
    at = _by_lines(lines, wanted)
    if at is None:
        at = _by_words(lines, wanted)
    if at is None:
        return "the search text is not in the file, and nothing there resembles it"
    stop = min(at + len(wanted), len(lines))
    first, last = max(0, at - SHOWN_AROUND), min(len(lines), stop + SHOWN_AROUND)
    shown = [f"{n + 1}: {lines[n][:MAX_SHOWN_COLUMNS]}" for n in range(first, min(last, first + MAX_SHOWN_LINES))]
    where = f"line {stop}" if stop == at + 1 else f"lines {at + 1}-{stop}"
    return f"the search text is not in the file; the nearest region is {where}:\n" + "\n".join(shown)


def _by_lines(lines: list[str], wanted: list[str]) -> int | None:
    places: dict[str, list[int]] = {line.strip(): [] for line in wanted if line.strip()}
    for number, line in enumerate(lines):
        found = places.get(line.strip())
        if found is not None and len(found) < 50:
            found.append(number)
    votes = Counter(number - offset for offset, line in enumerate(wanted) for number in places.get(line.strip(), ()))
    best = max(votes.items(), key=lambda vote: (vote[1], -vote[0]), default=None)
    return None if best is None else max(0, best[0])


def _by_words(lines: list[str], wanted: list[str]) -> int | None:
    offset = max(range(len(wanted)), key=lambda n: len(set(_WORD.findall(wanted[n]))))
    words = set(_WORD.findall(wanted[offset]))
    if not words:
        return None
    shared = [len(words.intersection(_WORD.findall(line))) for line in lines]
    best = max(range(len(lines)), key=shared.__getitem__)
    return max(0, best - offset) if shared[best] else None
