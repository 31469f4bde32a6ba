"""From settings to the services of a run; the only place that chooses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from optimizer.index.files import Root, list_names
from optimizer.retrieval import Progress, Query
from optimizer.wiring.models import Models
from optimizer.wiring.stores import Stores
from optimizer.wiring.workspace import Start, configured, root_of, settings_at

if TYPE_CHECKING:
    from optimizer.config.load import Config
    from optimizer.context.semantic import Reranker
    from optimizer.engine.services import Services
    from optimizer.errors import ProviderError
    from optimizer.git.run import FileNames
    from optimizer.index.embed import ModelChoice
    from optimizer.index.reader import Index
    from optimizer.types import Completion, Model, Prompt, Usage, UsageRecord
    from optimizer.verify.commands import Means


@contextmanager
def services(start: Start, progress: Callable[[Progress], None], notice: Callable[[str], None]) -> Iterator[Services]:
    """The services of a run in the repository that holds `start.project`; stores are closed on leaving.

    `notice` gets what a person should know at the start, a line each: ignored settings, a recovered write.
    Raises InputError for a place that is no project, ConfigError for a broken configuration, StorageError.
    """
    root = root_of(start.project, start.env)
    with ExitStack() as closing:
        naming = list_names(root) if start.looks else None
        if naming is not None:
            closing.callback(naming.close)
        config = configured(root, start, notice).config
        index = _index(root, config.places.cache, naming, notice, closing)
        closing.callback(index.close)
        stores = Stores(root.path, config.places.state, closing, start, notice)
        opened = _Opened(root, index, stores, progress, notice, cache(partial(_reranker, index, notice, closing)))
        yield _services(start, config, opened)


def _index(
    root: Root, cache: Path, naming: FileNames | None, notice: Callable[[str], None], closing: ExitStack
) -> Index:
    """The index of a repository; where it cannot be kept, one of this run only. Raises StorageError."""
    from optimizer.errors import StorageError
    from optimizer.index.reader import open_index

    try:
        return open_index(root, cache, naming)
    except StorageError as error:
        import tempfile

        folder = closing.enter_context(tempfile.TemporaryDirectory(prefix="optimizer-", ignore_cleanup_errors=True))
        notice(f"{error.message}\nit is built for this run only; {error.hint}")
        return open_index(root, Path(folder), naming)


class _Opened(NamedTuple):
    """What stays open from request to request, and the listeners."""

    root: Root
    indexed: Index
    stores: Stores
    progress: Callable[[Progress], None]
    notice: Callable[[str], None]
    reranker: Callable[[ModelChoice], Reranker | None]


def _services(start: Start, config: Config, opened: _Opened) -> Services:
    """The services of one request, with what is open already."""
    from optimizer.calls.services import CallServices
    from optimizer.engine.services import Services, Workspace

    models = Models(opened.root.path, config, start.env, opened.stores)
    workspace = Workspace(
        root=opened.root.path,
        settings=config.settings,
        features=config.features,
        places=config.places,
        index=opened.indexed,
        means=lambda: _means(opened, config, start.env),
        progress=opened.progress,
        reranker=lambda: _chosen_reranker(config, opened),
        may_walk=start.may_walk,
        look=opened.stores.identity,
    )
    calls = CallServices(
        repository=workspace.repository,
        settings=config.settings,
        ledger=opened.stores.ledger,
        states=models.states,
        memory=models.memory,
        candidates=models.candidates,
        named=lambda: bool(models.pinned() or config.settings.model),
        claim=models.claim,
        provider=models.provider,
        unload=models.unload,
        cost=_cost,
        keep=lambda record, prompt, result: _keep(config, record, prompt, result),
    )
    return Services(workspace, models, calls, lambda flags, query: _rewired(start, config, opened, flags, query))


def _rewired(
    start: Start, before: Config, opened: _Opened, flags: Mapping[str, object], query: Query | None
) -> Services:
    """The services of the next request, for other flags; messages shown `before` are not shown again."""
    start = start._replace(flags={**start.flags, **flags}, query=query)
    return _services(start, settings_at(opened.root, start, opened.notice, before.notices), opened)


def _means(opened: _Opened, config: Config, env: Mapping[str, str]) -> Means:
    from optimizer.verify.commands import Means

    return Means(opened.root, config.places.state, config.places.cache, config.settings, env, opened.stores.identity)


def _chosen_reranker(config: Config, opened: _Opened) -> Reranker | None:
    """The reranker by meaning; None if it is off, or cannot be used (with a notice)."""
    if not config.features.semantic_search:
        return None
    from optimizer.index import embed

    return opened.reranker(embed.choice_from(config.settings, config.places.cache))


def _reranker(index: Index, notice: Callable[[str], None], closing: ExitStack, choice: ModelChoice) -> Reranker | None:
    from optimizer.context.semantic import Reranker
    from optimizer.index import embed, vectors
    from optimizer.report import progress as report

    if not embed.installed():
        notice(report.words_alone("extra", embed.INSTALL))
        return None
    known = vectors.open_vectors(index.file, choice.id)
    closing.callback(known.close)
    if known.notice:
        notice(known.notice)
    if not known.count():
        notice(report.words_alone("vectors", embed.INSTALL))
        return None
    return Reranker(cache(lambda: embed.open_model(choice)), known, choice.id)


def _keep(config: Config, record: UsageRecord, prompt: Prompt, result: Completion | ProviderError | str) -> None:
    """Write the transcript of a call, where transcripts are kept."""
    settings = config.settings
    if not settings.transcripts_keep:
        return
    from optimizer.ledger import transcripts

    bounds = transcripts.TranscriptBounds(settings.transcripts_bytes, settings.transcripts_days)
    transcripts.add(config.places.state, transcripts.call_of(record, prompt, result), bounds)


def _cost(model: Model, usage: Usage, at: datetime) -> int | None:
    from optimizer.ledger import prices

    return prices.cost(model, usage, at)
