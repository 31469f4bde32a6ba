"""The memory that local models take, and how they would run on this machine, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

GIB = 2**30
HowRun = Literal["too-large", "gpu", "cpu", "slow-cpu", "crowded"]

HOW: Mapping[HowRun, str] = {
    "too-large": "too large",
    "gpu": "runs on the graphics processor",
    "cpu": "runs on the processor",
    "slow-cpu": "runs on the processor, slowly",
    "crowded": "fits once memory that others use now is free",
}


def estimated(one: Any) -> str:
    """What an estimate follows from."""
    if not one.bytes:
        return "its name has no size"
    return f"{one.billions:g} billion parameters at {one.quantisation} ({one.bits:g} bits)"


def advised(one: Any) -> str:
    """The memory that a model takes, and how it would run."""
    estimate = one.estimate
    size = f"about {estimate.bytes / GIB:.1f} GiB with a window of {estimate.window:,}: {estimated(estimate)}"
    limit = "" if one.fits else f", models may take {one.usable / GIB:.1f} GiB here"
    return f"{size}; {HOW[one.how]}{limit}"
