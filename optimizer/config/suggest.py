"""Suggest the known name that a mistyped one may mean."""

from __future__ import annotations

from collections.abc import Iterable

MOST_LISTED = 12


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """The one or two known names nearest to a word, if any is near."""
    import difflib

    folded = {_folded(name): name for name in sorted({*known} - {""})}
    return [folded[name] for name in difflib.get_close_matches(_folded(word), folded, n=2, cutoff=0.6)]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the nearest known names, or with all of them if none is near and they are few."""
    names = sorted({*known} - {""})
    if near := nearest(word, names):
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"known: {', '.join(names)}" if 0 < len(names) <= MOST_LISTED else ""


def _folded(word: str) -> str:
    return word.casefold().replace("_", "-")
