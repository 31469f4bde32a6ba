"""How a person says a figure."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A time: `45 s`, `15 minutes`, `2.5 hours`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60):,} minutes" if seconds < 5400 else f"{seconds / 3600:,.1f} hours"
