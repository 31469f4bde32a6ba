"""From settings to the parts of a run; the only place that chooses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.config.load import Config, load
from optimizer.engine.parts import Parts
from optimizer.errors import InputError
from optimizer.index.store import open_index
from optimizer.index.walk import Root, find_root
from optimizer.retrieval import Progress

if TYPE_CHECKING:
    from optimizer.context.semantic import Reranker
    from optimizer.index.store import Index
    from optimizer.ledger.store import Ledger
    from optimizer.models.available import Available
    from optimizer.models.catalogue import Catalogue
    from optimizer.providers.base import Endpoint, Provider
    from optimizer.providers.door import Gate
    from optimizer.types import Model, Quote, Task, Usage
    from optimizer.verify.commands import Means


@dataclass(frozen=True, slots=True)
class Start:
    """Where a run starts: a directory of the project, the environment, and settings from flags by dotted key."""

    project: Path
    env: Mapping[str, str]
    flags: Mapping[str, object]
    project_config: bool = True


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a run takes place, and how it is configured."""

    root: Root
    config: Config

    @property
    def journal(self) -> Path:
        """Where edits are journalled."""
        return self.config.places.state / "journal"


def ground(start: Start, notice: Callable[[str], None]) -> Ground:
    """The repository that holds `start.project`, recovered; no store is opened. `notice` and errors as in `parts`."""
    root = _root(start.project, start.env)
    config = load(root.path if start.project_config else None, start.env, start.flags)
    for line in config.notices:
        notice(line)
    found = Ground(root, config)
    _recover(root.path, found.journal, notice)
    return found


@contextmanager
def parts(start: Start, progress: Callable[[Progress], None], notice: Callable[[str], None]) -> Iterator[Parts]:
    """The parts of a run in the repository that holds `start.project`; stores are closed on leaving.

    `notice` is told, a line each, what a person should know at the start: ignored settings, a recovered write.
    Raises InputError for a place that is no project, ConfigError for a broken configuration, StorageError.
    """
    stands = ground(start, notice)
    root, config = stands.root, stands.config
    with ExitStack() as closing:
        index = open_index(root, config.places.cache)
        closing.callback(index.close)
        models = _Models(root.path, config)
        yield Parts(
            root=root.path,
            settings=config.settings,
            features=config.features,
            places=config.places,
            index=index,
            endpoints=models.endpoints,
            progress=progress,
            reranker=cache(lambda: _reranker(config, index, notice, closing)),
            ledger=cache(lambda: _ledger(config, closing)),
            available=models.available,
            consented=models.consented,
            provider=models.provider,
            cost=_cost,
            estimate=_estimate,
            quote=models.quote,
            means=lambda: _means(root, config, start.env),
        )


def _root(project: Path, env: Mapping[str, str]) -> Root:
    if not project.is_dir():
        raise InputError(f"{project} is not a directory", "give --project a repository, or leave it away")
    root = find_root(project)
    home = env.get("HOME") or env.get("USERPROFILE") or "/"
    if not root.git and root.path in (Path(home), Path(root.path.anchor)):
        raise InputError(
            f"{root.path} is not a project: indexing it would read everything you have",
            "go into a repository, or name one with --project",
        )
    return root


def _recover(root: Path, journal: Path, notice: Callable[[str], None]) -> None:
    if journal.exists():
        from optimizer.edits.write import recover

        if line := recover(root, journal):
            notice(line)


def _means(root: Root, config: Config, env: Mapping[str, str]) -> Means:
    from optimizer.verify.commands import Means

    return Means(root, config.places.state, config.places.cache, config.settings, env)


def _ledger(config: Config, closing: ExitStack) -> Ledger:
    from optimizer.ledger.store import open_ledger

    ledger = open_ledger(config.places.state)
    closing.callback(ledger.close)
    return ledger


def _reranker(config: Config, index: Index, notice: Callable[[str], None], closing: ExitStack) -> Reranker | None:
    """What orders a context by meaning too; None where it is off, or cannot be, which `notice` is told."""
    if not config.features.semantic_search:
        return None
    from optimizer.context.semantic import Reranker
    from optimizer.index import embed, vectors

    if not embed.installed():
        notice(f"semantic-search is on, but words alone decide: its extra is not installed; {embed.INSTALL}")
        return None
    choice = embed.choice_from(config.settings, config.places.cache)
    known = vectors.open_vectors(index.file, choice.id)
    closing.callback(known.close)
    if known.notice:
        notice(known.notice)
    if not known.count():
        notice("semantic-search is on, but words alone decide: nothing is embedded yet; optimize index --embed")
        return None
    return Reranker(cache(lambda: embed.open_model(choice)), known, choice.id)


class _Models:
    """What there is to ask, made when first wanted."""

    def __init__(self, root: Path, config: Config) -> None:
        self._root = root
        self._config = config

    @cache  # noqa: B019 - one object a run
    def endpoints(self) -> Mapping[str, Endpoint]:
        from optimizer.config.keys import PROVIDERS
        from optimizer.providers.table import endpoint

        urls, keys = self._config.settings.endpoints, self._config.keys
        return {name: endpoint(name, urls.get(name, ""), keys.of(name)) for name in PROVIDERS}

    @cache  # noqa: B019
    def gate(self) -> Gate:
        from optimizer.providers.door import gate_for

        return gate_for(str(self._root), self._config.places.state, self._config.settings)

    @cache  # noqa: B019
    def catalogue(self) -> Catalogue:
        from optimizer.models.catalogue import load_catalogue

        return load_catalogue(self._config.places.models_file)

    def available(self) -> Available:
        from optimizer.models.available import available

        config = self._config
        return available(self.catalogue(), self.endpoints(), config.settings, config.features, self.gate())

    def consented(self, model: Model) -> bool:
        from optimizer.privacy import consent

        endpoint = self.endpoints()[model.provider]
        state = self._config.places.state
        return endpoint.local or consent.granted(state, str(self._root), endpoint.provider, endpoint.host)

    def provider(self, model: Model) -> Provider:
        from optimizer.providers.table import open_provider

        return open_provider(self.endpoints()[model.provider], self.gate())

    def quote(self, task: Task) -> tuple[Quote, ...]:
        return tuple(Quote(m.tier, m.id, _estimate(m, task)) for m in self.catalogue().examples())


def _cost(model: Model, usage: Usage, at: datetime) -> int | None:
    from optimizer.ledger import prices

    return prices.cost(model, usage, at)


def _estimate(model: Model, task: Task) -> int | None:
    from optimizer.ledger import prices

    return prices.estimate(model, task.input_tokens, task.output_tokens, datetime.now(UTC))
