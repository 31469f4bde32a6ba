"""Why the index left out a file, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.retrieval import SkipCode, Skipped

_WHY: Mapping[SkipCode, str] = {
    "large": "larger than {limit:,.0f} bytes",
    "secret": "secret file",
    "name": "name is not UTF-8",
    "unreadable": "cannot be read",
    "binary": "binary",
    "slow": "parsing took longer than {limit:g} s",
    "crash": "the parser crashed on it",
}


def why(one: Skipped) -> str:
    """Why a file was left out."""
    return _WHY[one.code].format(limit=one.limit)
