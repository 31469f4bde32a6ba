"""How a request is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.agent.talk import Talk
    from optimizer.engine.landing import LandingOptions


@dataclass(frozen=True, slots=True)
class Options:
    """How a request is served: `dry_run` stops before any model is asked, `planned` plans a change before it is made,
    `landing` lets a proven change be written (None: it is only shown), `docs` has a rename change comments too, `talk`
    is the conversation that it belongs to."""

    dry_run: bool = False
    planned: bool = False
    landing: LandingOptions | None = None
    docs: bool = False
    talk: Talk | None = None


PLAIN = Options()
