"""Micro-dollars as people read them."""

from __future__ import annotations

UNKNOWN = "price unknown"


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
