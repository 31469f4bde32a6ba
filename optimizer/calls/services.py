"""What a call of a model is made with, and what it is made for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from optimizer.errors import ProviderError
    from optimizer.ledger.store import Ledger
    from optimizer.models.memory_leases import MemoryClaim, MemoryLeases
    from optimizer.models.state_store import StateStore
    from optimizer.providers.base import Provider
    from optimizer.providers.quotas import Exchange
    from optimizer.routing.score import Candidate
    from optimizer.settings import Settings
    from optimizer.types import Completion, Model, Prompt, Usage, UsageRecord


class Purpose(NamedTuple):
    """The request that a call belongs to, by its id, and the kind of work: how it is recorded."""

    request: str
    kind: str


class CallServices(NamedTuple):
    """The stores and providers behind calls, all for one user and the repository of that name.

    `candidates` adds to models what is known of them at a time, `named` is whether the user chose the model, `claim`
    is the memory that a local model takes with a window of so many tokens, `unload` takes idle models out of a server
    with so many bytes in all and names them, `cost` gives micro-dollars (None: unknown), `provider` is asked for the
    calls of a model for a kind of work, `keep` writes the transcript of a call.
    """

    repository: str
    settings: Settings
    ledger: Callable[[], Ledger]
    states: Callable[[], StateStore]
    memory: Callable[[], MemoryLeases]
    candidates: Callable[[Sequence[Model], datetime], tuple[Candidate, ...]]
    named: Callable[[], bool]
    claim: Callable[[Model, int], MemoryClaim]
    provider: Callable[[Model, str, Callable[[Exchange], None]], Provider]
    cost: Callable[[Model, Usage, datetime], int | None]
    unload: Callable[[MemoryClaim, int], tuple[str, ...]] = lambda *_: ()
    keep: Callable[[UsageRecord, Prompt, Completion | ProviderError | str], None] = lambda *_: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    arm: str = ""

    def candidate(self, model: Model) -> Candidate:
        """The model with what is known of it now."""
        return self.candidates((model,), self.clock())[0]
