"""Identifiers as search terms, the same for the index and for queries; and the words of English that are none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+")

_PART_OR_BREAK = re.compile(_PART.pattern + r"|\n")

_FUNCTION_WORDS = "the of and to in is it that for as with are this be by on an or if not from"
_COMMON_WORDS = """
a about all also am any at been but can could did do does done each either else few get gets give given gives had has
have he her here him his how however i into its just like made make makes many may me might more most much must my
need needs no now off one only other our out over own please same see she should show shows so some such than their
them then there these they thing things those through too under up use used uses using very want was way we well were
what when where which while who why will would you your yes
"""
_OTHER_WORDS = """
above actually after again against almost already although always another anyone anything apparently aren around away
back became because before being below best better between both came cannot cant couldn d didn didnt doesn doesnt
doing don dont down due during especially etc even ever every everything exactly except far find first fine found
further gave getting giving go goes going gone good got happen happened happening happens hasn haven having hello help
hence hi idea im indeed instead isn isnt itself ive keep kind know known last later least less let likely little ll
lot m mainly making maybe mean means mine myself near needed neither never new next nice none nor nothing obviously
often oh ok okay once ones onto others otherwise part per perhaps possible possibly probably put quite rather re
really recent recently right s saw say says seem seems seen several shall shouldn since someone something sometimes
soon still sure t take taken takes thank thanks themselves therefore think though thus time together took totally
tried tries try trying two unless until upon us useful user users usual usually ve via wanted wants wasn went weren
whatever whether whole whose wish within without won wont work worked working works wouldn yet yours
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""The words that any English sentence has."""
COMMON_WORDS = FUNCTION_WORDS | frozenset(_COMMON_WORDS.split())
"""Words of English that say nothing about a matter."""
ENGLISH = COMMON_WORDS | frozenset(_OTHER_WORDS.split())
"""Words of English that say nothing about code."""

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
