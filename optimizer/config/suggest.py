"""Guess which known name a mistyped one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """One sentence for an error's hint: the nearest known names, or all of them when none is near and they are few."""
    import difflib

    names = sorted({name for name in known if name})
    folded = {name.casefold().replace("_", "-"): name for name in names}
    near = difflib.get_close_matches(word.casefold().replace("_", "-"), folded, n=2, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(repr(folded[name]) for name in near) + "?"
    return f"known: {', '.join(names)}" if 0 < len(names) <= 12 else ""
