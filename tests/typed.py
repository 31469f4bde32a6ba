"""Reasons with their types."""

from __future__ import annotations


def typed(*some: object) -> list[tuple[type, object]]:
    """Each value with its type: named tuples of other types are equal where they hold the same values."""
    return [(type(one), one) for one in some]
