"""Figures as people read them."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """A number of things: `1 file`, `1,204 files`; `noun` is in the singular and takes a plain `s`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(count: float) -> str:
    """A number of bytes: `999 bytes`, `1.5 kB`, `4.70 GB`."""
    if count == 1:
        return "1 byte"
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f}".removesuffix(".0") + f" {unit}"
        count /= 1000
    return f"{count:,.2f} GB"


def duration(seconds: float) -> str:
    """A time: `45 s`, `15 minutes`, `2.5 hours`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60):,} minutes"
    return f"{seconds / 3600:,.1f}".removesuffix(".0") + " hours"
