"""What two texts have in common, by shingles: a text is the set of all its runs of a few words (w-shingling).

Of the shingles only a part is kept, the same in all texts, so that what two texts share is found from it (A. Broder, On
the resemblance and containment of documents, 1997): those whose first word has a checksum that is divisible by a small
number, since that is known before the shingle is made.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import compress
from typing import Any
from zlib import crc32

WORDS = 5  # of a shingle
KEPT = 4  # one of so many words begins a shingle that is kept

_NUMBERED = re.compile(r"^\d+\t", re.MULTILINE)


def shingles(text: str) -> frozenset[int]:
    """The shingles of a text that are kept; the numbers at the beginning of lines of files play no part."""
    words = (_NUMBERED.sub("", text) if "\t" in text else text).split()
    begins = compress(range(len(words) - WORDS + 1), map(_begins, words))
    return frozenset({crc32(" ".join(words[at : at + WORDS]).encode("utf-8", "replace")) for at in begins})


@lru_cache(maxsize=1 << 15)
def _begins(word: str) -> bool:
    return crc32(word.encode("utf-8", "replace")) % KEPT == 0


def spoken(arguments: str) -> str:
    """The texts in the arguments of a call, as they read without JSON."""
    try:
        found = json.loads(arguments) if arguments else None
    except (ValueError, RecursionError):
        return arguments
    return "\n".join(_texts(found))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]
