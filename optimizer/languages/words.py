"""Identifiers as search terms: the whole word and its parts, the same for the index and for queries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+")

_PART_OR_BREAK = re.compile(_PART.pattern + r"|\n")


MEMORABLE = 64


@lru_cache(maxsize=1 << 16)
def split(identifier: str) -> tuple[str, ...]:
    """The parts of an identifier in lower case: `parseHTTPResponse_2` → parse, http, response, 2."""
    return tuple([part.lower() for part in _PART.findall(identifier)])


def split_all(identifiers: Sequence[str]) -> list[list[str]]:
    """The same as `split` of each identifier, many times faster; none may hold a line break."""
    parts = _PART_OR_BREAK.findall("\n".join(identifiers))
    return [line.split() for line in " ".join(parts).lower().split("\n")]


@lru_cache(maxsize=1 << 16)
def _terms_of(identifier: str) -> tuple[str, ...]:
    whole = identifier.lower()
    parts = split(identifier) if len(identifier) <= MEMORABLE else split.__wrapped__(identifier)
    return (whole,) if parts == (whole,) else (whole, *parts)


# Words longer than any name (mostly encoded data) are split each time rather than cached.
_long = _terms_of.__wrapped__


def terms(text: str) -> list[str]:
    """All terms of a text in order: each identifier in lower case, followed by its parts when they differ from it."""
    found: list[str] = []
    for identifier in _IDENTIFIER.findall(text):
        found += _terms_of(identifier) if len(identifier) <= MEMORABLE else _long(identifier)
    return found
