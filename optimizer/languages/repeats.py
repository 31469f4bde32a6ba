"""Whether a text goes round in circles: the same words, or the same run of characters, again and again at its end."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")
_NO_NUMBER = re.compile(r"\w*[^\W\d]\w*")
WINDOWS = (
    (60, 0.1),
    (90, 0.13),
    (150, 0.15),
    (400, 0.22),
)  # words at the end, and the share of distinct groups of four that is too small
WITHOUT_NUMBERS = (400, 0.04)  # the same for a text that only counts on
GROUP = 4
PERIODS = ((40, 800), (400, 2000))  # characters: a run of up to so many that fills so much of the end
LOOKED_AT = 6000
STEP = 200  # characters between two looks at a text that grows


def circles(text: str) -> bool:
    """Whether the end of a text says the same again and again; a list or a table of different things does not."""
    end = text[-LOOKED_AT:]
    words, bare = _WORD.findall(end.lower()), _NO_NUMBER.findall(end.lower())
    few = any(_few_groups(words, *window) for window in WINDOWS) or _few_groups(bare, *WITHOUT_NUMBERS)
    return few or any(_periodic(end, *period) for period in PERIODS)


def _few_groups(words: list[str], most: int, least: float) -> bool:
    last = words[-most:]
    groups = list(zip(*(last[at:] for at in range(GROUP)), strict=False))
    return len(last) == most and len(set(groups)) / len(groups) < least


def _periodic(text: str, longest: int, span: int) -> bool:
    """Whether the end of a text is one short run repeated."""
    end = text[-span:]
    return len(end) == span and any(end[at:] == end[:-at] for at in range(1, longest + 1))


class Watch:
    """Looks at a text that grows, every few characters."""

    def __init__(self) -> None:
        self._text = ""
        self._seen = 0

    def circles(self, piece: str) -> bool:
        """Whether the text circles with this piece at its end."""
        self._text = self._text[-LOOKED_AT:] + piece
        self._seen += len(piece)
        if self._seen < STEP:
            return False
        self._seen = 0
        return circles(self._text)
