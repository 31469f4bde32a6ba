"""How much of a message that a program printed stands in a line of code, with the parts that are filled in left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from optimizer.languages.words import ENGLISH

FEWEST_WORDS, FEWEST_TELLING = 3, 2
WHOLE = 6  # words that follow each other as in the message: as good as all of it
_WORD = r"\w+"


def words_of(text: str) -> tuple[str, ...]:
    """The words of a message or of a line of code, as they are written."""
    return tuple(re.findall(_WORD, text))


def share_printed(message: Sequence[str], line: str) -> float:
    """How sure it is that a line of code holds a part of the message, 0 to 1, by the longest run of words in both."""
    run = _longest_run(message, words_of(line))
    telling = sum(len(word) > 2 and word.lower() not in ENGLISH for word in run)
    return min(1.0, len(run) / WHOLE) if len(run) >= FEWEST_WORDS and telling >= FEWEST_TELLING else 0.0


def _longest_run(first: Sequence[str], second: Sequence[str]) -> Sequence[str]:
    """The longest run of words that stands in both."""
    best, end = 0, 0
    above = [0] * (len(second) + 1)
    for at, word in enumerate(first):
        row = [0] * (len(second) + 1)
        for other, same in enumerate(second):
            if word == same:
                row[other + 1] = above[other] + 1
                if row[other + 1] > best:
                    best, end = row[other + 1], at + 1
        above = row
    return first[end - best : end]
