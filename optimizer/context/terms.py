"""The search terms of a request: its words with weights, and other forms in which code may spell them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from optimizer.context.mentions import Mentions
from optimizer.languages.words import split

MOST_LOOKED_UP = 120
VARIANT, IN_CODE = 0.5, 0.5
SHORTEST_STEM = 3
_ENDINGS = (
    ("ies", ("y", "ie")),
    ("sses", ("ss",)),
    ("es", ("e", "")),
    ("ss", ("sses",)),
    ("s", ("",)),
    ("ations", ("ate", "ation")),
    ("ation", ("ate", "e")),
    ("ing", ("", "e", "er")),
    ("ed", ("", "e")),
    ("er", ("", "e")),
)


class Term(NamedTuple):
    """A term to look up, its weight, and whether it is in the first line."""

    text: str
    weight: float
    in_title: bool


def terms_of(mentions: Mentions) -> list[Term]:
    """The terms of a request worth looking up: its words, other forms of them, and pairs of the title joined."""
    title = set(mentions.title_words)
    named = {name.lower() for name in mentions.identifiers}
    weights = {term: 1.0 + math.log(1.0 + count) / 2 for term, count in mentions.words.items()}
    order = sorted(weights, key=lambda term: (term not in title, term not in named, -weights[term]))[:MOST_LOOKED_UP]
    for term in order:
        if term not in title and term not in mentions.prose:
            weights[term] *= IN_CODE
    terms = {term: Term(term, weights[term], term in title) for term in order}
    for term in order:
        for variant in variants(term):
            terms.setdefault(variant, Term(variant, VARIANT * weights[term], term in title))
    plain = [term for term in mentions.title_words if "_" not in term]
    for first, second in pairwise(plain):
        for joined in (first + second, f"{first}_{second}"):
            terms.setdefault(joined, Term(joined, 1.0, True))
    return list(terms.values())


def variants(word: str) -> tuple[str, ...]:
    """Forms a plain lower-case word may also have: parsing → pars, parse, parser; tokens → token; none for names."""
    if not (word.isascii() and word.isalpha() and len(word) > SHORTEST_STEM):
        return ()
    for ending, replacements in _ENDINGS:
        stem = word[: -len(ending)]
        if word.endswith(ending) and len(stem) >= SHORTEST_STEM:
            if len(ending) > 1 and len(stem) > SHORTEST_STEM and stem[-1] == stem[-2] and stem[-1] not in "lsz":
                return (stem[:-1],)
            return tuple(stem + replacement for replacement in replacements)
    return (word + "s",)


def mentioned_share(name: str, terms: Mapping[str, Term]) -> tuple[float, float]:
    """The share of a name's parts that are in the request, and that are in its first line."""
    parts = split(name)
    if not parts:
        return 0.0, 0.0
    found = [terms.get(part) for part in parts]
    return (
        sum(term is not None for term in found) / len(parts),
        sum(term is not None and term.in_title for term in found) / len(parts),
    )
