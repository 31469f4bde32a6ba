"""What a run is made of: the workspace, the models, and what calls are made with; wiring chooses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from optimizer.calls.services import CallServices
    from optimizer.config.features import Features
    from optimizer.config.paths import Places
    from optimizer.config.profiles import Wanted
    from optimizer.context.semantic import Reranker
    from optimizer.index.reader import Index
    from optimizer.models.available import Available
    from optimizer.models.memory_leases import MemoryLeases
    from optimizer.privacy.identity import Look
    from optimizer.providers.base import Provider
    from optimizer.providers.endpoints import Endpoint
    from optimizer.retrieval import Progress, Query
    from optimizer.settings import Settings
    from optimizer.types import Model, Quote, Task
    from optimizer.verify.commands import Means


@dataclass(frozen=True, slots=True)
class Workspace:
    """One repository, its index and the settings that hold there; `means` is what proving a patch needs.

    `may_walk` decides whether a folder outside git with more than so many files is indexed, `look` gives what it is
    known by.
    """

    root: Path
    settings: Settings
    features: Features
    places: Places
    index: Index
    means: Callable[[], Means]
    progress: Callable[[Progress], None]
    reranker: Callable[[], Reranker | None]
    may_walk: Callable[[Path, int], bool]
    look: Look

    @property
    def repository(self) -> str:
        """The name under which consent and usage records of this repository are kept."""
        return str(self.root)

    @property
    def journal(self) -> Path:
        """Where edits are journalled."""
        return self.places.journal


class Router(NamedTuple):
    """The small local model that sorts requests by kind of work, and how it is asked within its time.

    `memory` are leases of its own; `loaded` lists what it must not push out: bytes by name (0: unknown) of the
    models that are loaded, and of the coder.
    """

    model: Model
    open: Callable[[], Provider]
    memory: Callable[[], MemoryLeases]
    loaded: Callable[[], Mapping[str, int]]


class ModelServices(Protocol):
    """The models of a user in one repository, and the preferences that profiles and roles have among them."""

    def endpoints(self) -> Mapping[str, Endpoint]: ...
    def available(self) -> Available: ...
    def suggested(self, seeing: bool) -> str:
        """A local model to get that this machine can run; `seeing`: one that sees images."""
        ...

    def pinned(self) -> str:
        """The model chosen for this project, '' for none."""
        ...

    def quote(self, task: Task) -> tuple[Quote, ...]:
        """The price of a task on a model of each tier."""
        ...

    def profiles(self) -> tuple[Wanted, ...]:
        """What the profile in use prefers and requires of models, then its fallbacks."""
        ...

    def role(self, name: str) -> Wanted: ...
    def router(self) -> Router | None: ...


class Services(NamedTuple):
    """All that a run uses; `rewired` makes those of a later request."""

    workspace: Workspace
    models: ModelServices
    calls: CallServices
    rewired: Callable[[Mapping[str, object], Query | None], Services]

    def for_next(self, flags: Mapping[str, object], query: Query | None = None) -> Services:
        """The services of the next request in this process, with all stores left open.

        `flags` maps dotted keys (model, provider, profile) to values, over the flags so far; None takes one back. Files
        of settings and models, and the model pinned for the project, are read again. With `profile = "auto"` the words
        of `query` choose the profile. Raises ConfigError, StorageError.
        """
        found = self.rewired(flags, query)
        return found._replace(calls=found.calls._replace(clock=self.calls.clock))
