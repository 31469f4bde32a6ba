"""The part of a long body to send where all is too much: its head, and the lines that the request is about; pure."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from optimizer.context.rank import TOKENS_PER_CHARACTER, TOKENS_PER_LINE
from optimizer.languages.words import split

if TYPE_CHECKING:
    from optimizer.context.mentions import Mentions
    from optimizer.context.rank import RankedUnit

HEAD = 2  # lines that open a body
NEAR = 3  # lines around a telling one that count too, less with each
BRIDGED = 2  # lines left out that are sent all the same, since a gap costs as much
FURTHER = 0.5  # of a word of the request outside its first line
_NAME = r"\w{3,}"


def parts(
    lines: Sequence[str], unit: RankedUnit, mentions: Mentions, sizes: Sequence[float]
) -> Iterator[list[tuple[int, int]]]:
    """For each of `sizes`, spans of a unit in about so many tokens; `lines` are those of its file.

    They are the first lines of a definition, then those near most of what is asked.
    """
    numbers = [number for first, last in unit.spans for number in range(first, min(last, len(lines)) + 1)]
    telling = _telling([lines[number - 1] for number in numbers], mentions)
    head = range(min(HEAD, len(numbers)) if unit.symbol else 0)
    found = sorted((at for at, value in enumerate(telling) if value and at not in head), key=lambda at: -telling[at])
    order = [numbers[at] for at in (*head, *found)]
    costs = list(accumulate(TOKENS_PER_LINE + TOKENS_PER_CHARACTER * len(lines[number - 1]) for number in order))
    for most in sizes:
        yield list(_joined(sorted(order[: bisect_right(costs, most)]), unit.spans))


def _telling(lines: Sequence[str], mentions: Mentions) -> list[float]:
    """How much of what is asked stands in each line and near it; a word counts less the more lines have it."""
    asked = {*mentions.title_words, *(name.lower() for name in mentions.identifiers)}
    asked |= {word for name in mentions.identifiers for word in split(name)}
    wanted = asked.union(mentions.words)
    shared = [wanted.intersection((*split(line), *re.findall(_NAME, line.lower()))) for line in lines]
    common = Counter(word for words in shared for word in words)
    own = [sum((1.0 if word in asked else FURTHER) / math.sqrt(common[word]) for word in words) for words in shared]
    around = [(step, 1 - abs(step) / (NEAR + 1)) for step in range(-NEAR, NEAR + 1)]
    return [
        sum(own[at + step] * share for step, share in around if 0 <= at + step < len(own)) for at in range(len(own))
    ]


def _joined(numbers: Sequence[int], spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Runs of lines, over gaps of few lines within one of the `spans`."""
    start = end = 0
    for number in numbers:
        if start and number - end <= BRIDGED + 1 and any(first <= end and number <= last for first, last in spans):
            end = number
            continue
        if start:
            yield start, end
        start = end = number
    if start:
        yield start, end
