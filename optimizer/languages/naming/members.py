"""The members that the core and the libraries of a language give its objects, where they are listed; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from optimizer.languages.naming.undeclared import known

# Every library for tests may be loaded by the command that runs them.
_CORE = ""
_SAME = {"typescript": "javascript", "tsx": "javascript"}


@cache
def by_library(language: str) -> Mapping[str, frozenset[str]]:
    """The names of members by what must be required for them, '' for the core; nothing where none are listed."""
    file = Path(__file__).parents[1] / "known" / f"{_SAME.get(language, language)}-members.txt"
    if not file.exists():
        return {}
    parts = re.split(r"^([\w/-]*):", file.read_text("utf-8"), flags=re.M)[1:]
    return {name: frozenset(listed.split()) for name, listed in zip(parts[::2], parts[1::2], strict=True)}


def reached(language: str, required: Iterable[str]) -> frozenset[str]:
    """The members of the core and of the libraries that are required; empty where none are listed."""
    libraries = by_library(language)
    names = frozenset().union(*(libraries.get(one, ()) for one in (_CORE, *required)))
    return names | known(language) if libraries else names
