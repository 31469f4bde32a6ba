"""Figures as people read them: money, numbers of things, sizes, times."""

from __future__ import annotations

from collections.abc import Sequence

UNKNOWN = "price unknown"


def count(number: int, noun: str) -> str:
    """A number of things: `1 file`, `1,204 files`; `noun` is in the singular and takes a plain `s`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def together(names: Sequence[str]) -> str:
    """Names in a row: `a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


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


def money(micro: int | None) -> str:
    """A price: `$0.0014`, `$12.50`, `free`, `price unknown`."""
    return dollars(micro) if micro != 0 else "free"


def dollars(micro: int | None) -> str:
    """An amount: `$0.00`, `$0.25`, `$0.0014`, `$1,234.50`; in cents where exact, with more digits where not."""
    if micro is None:
        return UNKNOWN
    digits = 2 if micro >= 1_000_000 or micro % 10_000 == 0 else 4 if micro >= 100 else 6
    return f"${micro / 1_000_000:,.{digits}f}"


def amount(micro: float) -> str:
    """An amount that is no price: `$0.0014`, `nothing`."""
    return money(round(micro)) if round(micro) else "nothing"


def cap_left(name: str, cap: int, used: int) -> str:
    """What a cap leaves of its amount."""
    return f"the cap of {amount(cap)} a {name} leaves {amount(max(0, cap - used))}"
