"""From settings to models, and the stores and connections behind them, opened on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from optimizer import vendors
from optimizer.index.files import find_root
from optimizer.wiring.stores import Stores, open_memory
from optimizer.wiring.workspace import Start, settings_at

if TYPE_CHECKING:
    from optimizer.config.load import Config
    from optimizer.config.profiles import Wanted
    from optimizer.engine.services import Router
    from optimizer.errors import StorageError
    from optimizer.ledger.prices import Tariff
    from optimizer.models.available import Available
    from optimizer.models.catalogue import Catalogue
    from optimizer.models.memory_leases import MemoryClaim, MemoryLeases
    from optimizer.models.state_store import StateStore
    from optimizer.privacy.identity import Identity
    from optimizer.privacy.keys.store import KeyStore
    from optimizer.providers.base import Provider
    from optimizer.providers.door import Gate
    from optimizer.providers.endpoints import Endpoint, Sealed
    from optimizer.providers.quotas import Exchange
    from optimizer.routing.score import Candidate
    from optimizer.types import Model, Quote, Task

GONE = 404  # the status with which a server says that it holds no such model


class Stock(NamedTuple):
    """The models of a user, in a project or not."""

    root: Path
    config: Config
    models: Models


@contextmanager
def stock(start: Start, notice: Callable[[str], None]) -> Iterator[Stock]:
    """The models of a user, without an index; `notice` and errors as in `services`, but in any directory."""
    found = find_root(start.project)
    root, config = found.path, settings_at(found, start, notice)
    with ExitStack() as closing:
        yield Stock(
            root, config, Models(root, config, start.env, Stores(root, config.places.state, closing, start, notice))
        )


class Models:
    """The models for one request, loaded on first use."""

    def __init__(self, root: Path, config: Config, env: Mapping[str, str], stores: Stores) -> None:
        self._root = root
        self._env = env
        self._config = config
        self._stores = stores

    @cache  # noqa: B019 - one object a request
    def endpoints(self) -> Mapping[str, Endpoint]:
        from optimizer.providers.endpoints import endpoint, remote_of

        urls, keys = self._config.settings.endpoints, self._config.keys
        found = {name: endpoint(name, urls.get(name, ""), keys.of(name)) for name in vendors.NAMES}
        for own in self.catalogue().endpoints:
            found[own.name] = endpoint(own.name, own.url, self._env.get(own.key, ""), vendors.COMPATIBLE, own.key)
        sealed = self._sealed(found)
        reached = {name: self._reached(replace(one, sealed=sealed.get(name))) for name, one in found.items()}
        return reached | {vendors.REMOTE: remote_of(reached[vendors.OLLAMA])}

    def _sealed(self, endpoints: Mapping[str, Endpoint]) -> Mapping[str, Sealed]:
        """The stored keys of endpoints without one of the environment; a damaged file is named when one is needed."""
        from optimizer.errors import StorageError
        from optimizer.privacy.keys.store import listed
        from optimizer.providers.endpoints import Sealed

        keys = self._stores.keys()
        wanted = {name: one for name, one in endpoints.items() if not one.key}
        try:
            stored = [one for one in listed(keys.state).keys if one.provider in wanted]
        except StorageError as error:
            return {name: Sealed("", partial(_refuse, error)) for name, one in wanted.items() if one.needs_key}
        can_open = keys.passphrase is not None
        return {
            one.provider: Sealed(one.id, partial(keys.read, one) if one.place == "keyring" or can_open else None)
            for one in stored
        }

    def keys(self) -> KeyStore:
        """The stored keys."""
        return self._stores.keys()

    def _reached(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with the certificates of the environment, and with its proxy unless it is this machine."""
        from optimizer.config.network import certificates, proxy_for
        from optimizer.providers.endpoints import is_loopback

        proxy = None
        if not is_loopback(urlsplit(endpoint.base_url).hostname or ""):
            proxy = proxy_for(endpoint.base_url, self._env, used=self._config.settings.proxy == "environment")
        return replace(endpoint, proxy=proxy, certificates=certificates(self._env))

    def look(self) -> Identity:
        """What the repository is known by."""
        return self._stores.identity()

    @cache  # noqa: B019
    def gate(self) -> Gate:
        from optimizer.providers.door import gate_for

        state, settings = self._config.places.state, self._config.settings
        return gate_for(str(self._root), state, settings, self._stores.pools(), self.look)

    @cache  # noqa: B019
    def catalogue(self) -> Catalogue:
        from optimizer.models.catalogue import load_catalogue

        return load_catalogue(self._config.places.models_file)

    def available(self) -> Available:
        from optimizer.models.available import available

        config = self._config
        settings = replace(config.settings, model=self.pinned() or config.settings.model)
        found = available(self.catalogue(), self.endpoints(), settings, config.features, self.gate())
        busy = self.memory().in_use(self.endpoints()[vendors.OLLAMA].host) - {
            vendors.whole_name(config.settings.local_router)
        }
        if not busy:
            return found
        models = (
            model._replace(resident=model.resident or (vendors.of(model.provider).manages_models and model.id in busy))
            for model in found.models
        )
        return replace(found, models=tuple(models))

    def suggested(self, seeing: bool) -> str:
        """The model that the catalogue suggests where this machine can run it, else the best one that it can."""
        from optimizer.models import machine

        return machine.suggested(self.catalogue(), machine.look(self._root), seeing)

    @cache  # noqa: B019
    def pinned(self) -> str:
        """The model pinned for this project; flags and variables take precedence over it, files do not."""
        from optimizer.models.pinned import pinned

        nearer = self._config.origins["model"].layer in ("flag", "env")
        return "" if nearer else pinned(self._config.places.state, str(self._root))

    def candidates(self, models: Sequence[Model], at: datetime) -> tuple[Candidate, ...]:
        from optimizer.routing.score import Candidate

        rates, catalogue = self.rates(models, at), self.catalogue()
        yes = {provider: self.consented(provider) for provider in {model.provider for model in models}}
        return tuple(
            Candidate(model, rates[model.price_ref, model.tier], catalogue.traits(model), yes[model.provider])
            for model in models
        )

    def consented(self, provider: str) -> bool:
        """Whether this project's code may be sent to a provider."""
        from optimizer.privacy import consent

        endpoint = self.endpoints()[provider]
        state = self._config.places.state
        return endpoint.local or consent.granted(
            state, str(self._root), endpoint.provider, endpoint.destination, self._stores.identity
        )

    @cache  # noqa: B019
    def states(self) -> StateStore:
        return self._stores.states(tuple((name, one.account) for name, one in self.endpoints().items()))

    def memory(self) -> MemoryLeases:
        return self._stores.memory(self._config.settings.memory_gib)

    def claim(self, model: Model, window: int) -> MemoryClaim:
        """The memory that a model takes on its server with a window of so many tokens."""
        from optimizer.models.available import last_known
        from optimizer.models.memory import needed
        from optimizer.models.memory_leases import MemoryClaim

        endpoint = self.endpoints()[model.provider]
        known = last_known(endpoint, self._config.places.state)
        billions = self.catalogue().billions(model.id, model.provider)
        name = vendors.whole_name(model.id)
        return MemoryClaim(endpoint.host, name, needed(name, known.sizes if known else {}, billions, window))

    def unload(self, claim: MemoryClaim, total: int) -> tuple[str, ...]:
        """Unload what no run uses from a server of this machine, as far as a claim needs it; the names of the models.

        `total` are the bytes that models may take together there. The small model that classifies goes last.
        """
        from optimizer.errors import ProviderError
        from optimizer.models.memory import to_unload
        from optimizer.providers.ollama import open_shelf

        settings = self._config.settings
        server = next(
            (one for one in self.endpoints().values() if one.host == claim.server and one.vendor.manages_models), None
        )
        if not (settings.unload and claim.bytes and server and server.local):
            return ()
        kept = self.memory().in_use(claim.server)
        try:
            with open_shelf(server, self.gate()) as shelf:
                loaded = {one.id: one.size for one in shelf.running()}
                last = vendors.whole_name(settings.local_router) if settings.local_router else ""
                names = to_unload(claim.model, claim.bytes, loaded, kept, total, last)
                for name in names:
                    shelf.unload(name)
        except ProviderError:
            return ()
        return names

    def rates(self, models: Sequence[Model], at: datetime) -> Mapping[tuple[str, str], Tariff | None]:
        """What each model is charged at a time, by its name in the price table and its tier."""
        from importlib.metadata import version

        from optimizer.ledger import prices
        from optimizer.ledger.prices import UNCHARGED_TIERS

        refs = {model.price_ref for model in models if model.price_ref and model.tier not in UNCHARGED_TIERS}
        found = self.states().rates(
            refs,
            at.astimezone(UTC).date().isoformat(),
            version("genai-prices"),
            lambda ref: prices.packed(prices.day_of_tariffs(ref, at)),
        )
        known = {ref: prices.unpacked(data, at) for ref, data in found.items()}
        return {
            (model.price_ref, model.tier): prices.FREE if model.tier in UNCHARGED_TIERS else known.get(model.price_ref)
            for model in models
        }

    def provider(self, model: Model, kind: str, on_exchange: Callable[[Exchange], None]) -> Provider:
        from optimizer.models.available import forget
        from optimizer.models.state import key
        from optimizer.providers.base import open_provider
        from optimizer.providers.door import gate_in

        endpoint = self.endpoints()[model.provider]

        def listen(exchange: Exchange) -> None:
            if exchange.status == GONE:
                forget(endpoint, self._config.places.state)
            on_exchange(exchange)

        pace = self.states().pace(key(model)) if endpoint.local else None
        call = (model.id, model.provider, kind)
        return open_provider(endpoint, gate_in(self.gate(), self._config.settings, call, pace, listen))

    def router(self) -> Router | None:
        """The model of `local.router` and how it is asked within its time; None where none is on this machine."""
        from optimizer.engine.services import Router
        from optimizer.providers.base import open_provider

        settings, endpoint = self._config.settings, self.endpoints()[vendors.OLLAMA]
        if not (settings.local_router and endpoint.local) or self._runs_elsewhere(settings.local_router, endpoint):
            return None
        model = self.catalogue().describe(settings.local_router, endpoint.provider)._replace(tier="local", local=True)
        longest, gate = settings.local_router_seconds, self.gate()
        limits = replace(gate.limits, connect=longest, first=longest, stall=longest, answer=longest, load=longest)
        asking = replace(gate, limits=limits)
        return Router(
            model=model,
            open=lambda: open_provider(endpoint, asking),
            memory=lambda: open_memory(self._root, self._config.places.state, settings.memory_gib),
            loaded=lambda: {**self._coder(endpoint), **_loaded(endpoint, asking)},
        )

    def _runs_elsewhere(self, name: str, endpoint: Endpoint) -> bool:
        """Whether a server is known to pass requests for a model on."""
        from optimizer.models.available import last_known

        known = last_known(endpoint, self._config.places.state)
        return vendors.is_remote(name) or bool(known and vendors.whole_name(name) in known.remote)

    def _coder(self, endpoint: Endpoint) -> Mapping[str, int]:
        """The bytes of the model of `local.coder`, by its name, unless its server is known not to hold it."""
        from optimizer.models.available import last_known

        settings = self._config.settings
        if not settings.local_coder:
            return {}
        coder = self.claim(self.catalogue().describe(settings.local_coder, endpoint.provider), settings.first_request)
        known = last_known(endpoint, self._config.places.state)
        return {} if known and coder.model not in known.ids else {coder.model: coder.bytes}

    def profiles(self) -> tuple[Wanted, ...]:
        """What the profile in use wants of models, then its fallbacks."""
        from optimizer.config.profiles import line_of

        profile = self._config.profile
        return line_of(profile, self._config.places.profiles) if profile else ()

    def role(self, name: str) -> Wanted:
        """What the role `name` wants of models."""
        from optimizer.config.profiles import role

        return role(name, self._config.profile)

    def quote(self, task: Task) -> tuple[Quote, ...]:
        from optimizer.types import Quote

        examples = self.catalogue().examples(seeing=task.needs.vision)
        rates = self.rates(examples, datetime.now(UTC))

        def cost(model: Model) -> int | None:
            rate = rates[model.price_ref, model.tier]
            return rate.cost(task.input_tokens, task.output_tokens) if rate else None

        def named(model: Model) -> str:
            return self.suggested(task.needs.vision) if model.tier == "local" else model.id

        return tuple(Quote(model.tier, named(model), cost(model)) for model in examples)


def _refuse(error: StorageError) -> str:
    """The key of a damaged file."""
    raise error


def _loaded(endpoint: Endpoint, gate: Gate) -> Mapping[str, int]:
    """The models that a server says it has loaded, with their bytes; none where it does not say."""
    from optimizer.errors import ProviderError
    from optimizer.providers.ollama import open_shelf

    try:
        with open_shelf(endpoint, gate) as shelf:
            return {one.id: one.size for one in shelf.running()}
    except ProviderError:
        return {}
