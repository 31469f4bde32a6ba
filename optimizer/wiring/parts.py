"""From settings to the parts of a run; the only place that chooses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from optimizer.index.walk import Root, list_names
from optimizer.retrieval import Progress
from optimizer.wiring.ground import Start, configured, root_of, settings_at
from optimizer.wiring.models import Models
from optimizer.wiring.stores import Stores

if TYPE_CHECKING:
    from optimizer.config.load import Config
    from optimizer.config.profiles import Wanted
    from optimizer.context.semantic import Reranker
    from optimizer.engine.parts import Parts
    from optimizer.index.embed import ModelChoice
    from optimizer.index.store import Index
    from optimizer.types import Model, Usage
    from optimizer.verify.commands import Means


@contextmanager
def parts(start: Start, progress: Callable[[Progress], None], notice: Callable[[str], None]) -> Iterator[Parts]:
    """The parts of a run in the repository that holds `start.project`; stores are closed on leaving.

    `notice` is told, a line each, what a person should know at the start: ignored settings, a recovered write.
    Raises InputError for a place that is no project, ConfigError for a broken configuration, StorageError.
    """
    root = root_of(start.project, start.env)
    with ExitStack() as closing:
        naming = list_names(root) if start.looks else None
        if naming is not None:
            closing.callback(naming.close)
        from optimizer.index.store import open_index

        config = configured(root, start, notice).config
        index = open_index(root, config.places.cache, naming)
        closing.callback(index.close)
        stores = Stores(config.places.state, closing)
        opened = _Opened(root, index, stores, progress, notice, cache(partial(_reranker, index, notice, closing)))
        yield _parts(start, config, opened)


class _Opened(NamedTuple):
    """What stays open from request to request, and who is told."""

    root: Root
    indexed: Index
    stores: Stores
    progress: Callable[[Progress], None]
    notice: Callable[[str], None]
    reranker: Callable[[ModelChoice], Reranker | None]


def _parts(start: Start, config: Config, opened: _Opened) -> Parts:
    """The parts of one request, with what is open already."""
    from optimizer.engine.parts import Parts

    models = Models(opened.root.path, config, start.env, opened.stores)
    return Parts(
        root=opened.root.path,
        settings=config.settings,
        features=config.features,
        places=config.places,
        index=opened.indexed,
        endpoints=models.endpoints,
        progress=opened.progress,
        reranker=lambda: _chosen_reranker(config, opened),
        ledger=opened.stores.ledger,
        available=models.available,
        candidates=models.candidates,
        kept_model=models.kept,
        register=models.register,
        seats=models.seats,
        wish=models.wish,
        provider=models.provider,
        cost=_cost,
        quote=models.quote,
        means=lambda: _means(opened.root, config, start.env),
        profiles=lambda: _profiles(config),
        role=lambda name: _role(config, name),
        rewired=lambda flags: _rewired(start, config, opened, flags),
        router=models.router,
    )


def _rewired(start: Start, before: Config, opened: _Opened, flags: Mapping[str, object]) -> Parts:
    """The parts of the next request, for other flags; what a person was told `before` is not told again."""
    start = start._replace(flags={**start.flags, **flags})
    return _parts(start, settings_at(opened.root.path, start, opened.notice, before.notices), opened)


def _means(root: Root, config: Config, env: Mapping[str, str]) -> Means:
    from optimizer.verify.commands import Means

    return Means(root, config.places.state, config.places.cache, config.settings, env)


def _profiles(config: Config) -> tuple[Wanted, ...]:
    from optimizer.config.profiles import line_of

    return line_of(config.profile, config.places.profiles) if config.profile else ()


def _role(config: Config, name: str) -> Wanted:
    from optimizer.config.profiles import role

    return role(name, config.profile)


def _chosen_reranker(config: Config, opened: _Opened) -> Reranker | None:
    """What orders a context by meaning too; None where it is off, or cannot be, which a person is told."""
    if not config.features.semantic_search:
        return None
    from optimizer.index import embed

    return opened.reranker(embed.choice_from(config.settings, config.places.cache))


def _reranker(index: Index, notice: Callable[[str], None], closing: ExitStack, choice: ModelChoice) -> Reranker | None:
    from optimizer.context.semantic import Reranker
    from optimizer.index import embed, vectors

    if not embed.installed():
        notice(f"semantic-search is on, but words alone decide: its extra is not installed; {embed.INSTALL}")
        return None
    known = vectors.open_vectors(index.file, choice.id)
    closing.callback(known.close)
    if known.notice:
        notice(known.notice)
    if not known.count():
        notice("semantic-search is on, but words alone decide: nothing is embedded yet; optimize index --embed")
        return None
    return Reranker(cache(lambda: embed.open_model(choice)), known, choice.id)


def _cost(model: Model, usage: Usage, at: datetime) -> int | None:
    from optimizer.ledger import prices

    return prices.cost(model, usage, at)
