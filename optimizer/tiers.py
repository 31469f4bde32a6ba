"""The tiers of models, cheapest first."""

from __future__ import annotations

from typing import Literal

Tier = Literal["index", "local", "free", "budget", "premium"]
TIERS: tuple[Tier, ...] = ("index", "local", "free", "budget", "premium")
