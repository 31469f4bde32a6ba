"""What a run is made of; wiring fills it in, nobody else chooses parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.retrieval import Progress

if TYPE_CHECKING:
    from optimizer.config.features import Features
    from optimizer.config.paths import Places
    from optimizer.config.profiles import Wanted
    from optimizer.context.semantic import Reranker
    from optimizer.index.store import Index
    from optimizer.ledger.store import Ledger
    from optimizer.models.available import Available
    from optimizer.models.register import Register
    from optimizer.models.seats import Seats, Wish
    from optimizer.providers.base import Endpoint, Provider
    from optimizer.providers.quotas import Exchange
    from optimizer.routing.weigh import Candidate
    from optimizer.settings import Settings
    from optimizer.types import Model, Quote, Task, Usage
    from optimizer.verify.commands import Means


@dataclass(frozen=True, slots=True)
class Router:
    """The small local model that tells kinds of work apart, and how it is asked within its time.

    `seats` gives it room in memory of its own; `beside` tells what it must not push out: bytes by name (0: unknown) of
    the models that are loaded, and of the coder.
    """

    model: Model
    open: Callable[[], Provider]
    seats: Callable[[], Seats]
    beside: Callable[[], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Parts:
    """`cost` gives micro-dollars (None: unknown); `quote` prices a task on a model of each tier.

    `candidates` adds to models what a decision weighs at a time, `kept_model` is the one chosen for this project ('':
    none), `wish` is the memory that a local model takes with a window of so many tokens, `approve` is asked before a
    call dearer than the settings allow unasked, `means` is what proving a patch needs, `profiles` is what the profile
    in use, and those that stand in for it, want of models, `role` what is wanted of one who plays it, `rewired` are the
    parts of a later request with other flags, `router` is the small local model that tells kinds of work apart, if
    there is one.
    """

    root: Path
    settings: Settings
    features: Features
    places: Places
    index: Index
    endpoints: Callable[[], Mapping[str, Endpoint]]
    progress: Callable[[Progress], None]
    reranker: Callable[[], Reranker | None]
    ledger: Callable[[], Ledger]
    available: Callable[[], Available]
    candidates: Callable[[Sequence[Model], datetime], tuple[Candidate, ...]]
    kept_model: Callable[[], str]
    register: Callable[[], Register]
    seats: Callable[[], Seats]
    wish: Callable[[Model, int], Wish]
    provider: Callable[[Model, str, Callable[[Exchange], None]], Provider]
    cost: Callable[[Model, Usage, datetime], int | None]
    quote: Callable[[Task], tuple[Quote, ...]]
    means: Callable[[], Means]
    role: Callable[[str], Wanted]
    rewired: Callable[[Mapping[str, object]], Parts]
    profiles: Callable[[], tuple[Wanted, ...]] = tuple
    router: Callable[[], Router | None] = lambda: None
    approve: Callable[[str], bool] = lambda _: False
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def for_next(self, flags: Mapping[str, object]) -> Parts:
        """The parts of the next request in this process, with all stores left open.

        `flags` maps dotted keys (model, provider, profile) to values, over the flags so far; None takes one back. Files
        of settings and models, and the model kept for the project, are read anew. Raises ConfigError, StorageError.
        """
        return replace(self.rewired(flags), approve=self.approve, clock=self.clock)

    @property
    def temperature(self) -> float | None:
        """The temperature that the settings ask for; None leaves it to the provider."""
        return self.settings.temperature if self.settings.temperature >= 0 else None

    @property
    def repository(self) -> str:
        """The name under which consent and bookings of this repository are kept."""
        return str(self.root)

    @property
    def journal(self) -> Path:
        """Where edits are journalled."""
        return self.places.journal
