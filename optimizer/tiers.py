"""The tiers of models, cheapest first, and the kinds of work."""

from __future__ import annotations

from typing import Literal

Tier = Literal["index", "local", "free", "budget", "premium"]
TIERS: tuple[Tier, ...] = ("index", "local", "free", "budget", "premium")

TaskKind = Literal[
    "find", "explain", "edit", "refactor", "test", "debug", "design", "math", "creative", "quick", "tool", "embedding",
    "general", "plan", "review", "summary", "sorting", "reading",
]  # fmt: skip
ASIDE: frozenset[TaskKind] = frozenset({"plan", "review", "summary", "sorting", "reading"})
"""Work of a role or of `local.router`, not the answer to a request: no request is of such a kind."""

LOOKING: frozenset[TaskKind] = frozenset({"find", "explain", "debug", "design", "general"})
"""Questions about the repository: a model may look around in it before it answers one."""
