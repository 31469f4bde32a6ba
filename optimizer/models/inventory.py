"""All models, each with its price, its health, and what is missing if it cannot be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from optimizer.config.features import Features
from optimizer.ledger.prices import Tariff
from optimizer.models.available import available, last_known, with_pull
from optimizer.models.catalogue import Catalogue
from optimizer.models.state import Health
from optimizer.providers.door import Gate
from optimizer.providers.endpoints import Endpoint
from optimizer.reasons import State, Why
from optimizer.settings import Settings
from optimizer.types import TIERS, LeftOut, Model

Rates = Callable[[Sequence[Model]], Mapping[tuple[str, str], Tariff | None]]


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One model: `price` is dollars a million tokens in and out (None: unknown), `size` bytes on disk (0: unknown).

    `health` says how it answered recently, `left` why it cannot be asked (None: it can).
    """

    model: Model
    host: str
    size: int
    price: tuple[float, float] | None
    health: State
    left: LeftOut | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """The models, cheapest tier first, and what is missing as a whole: a server, a key."""

    models: tuple[InventoryRow, ...]
    missing: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """What an inventory is made from: rates and health by model, whether a provider may see the project, and which
    local model suits this machine."""

    catalogue: Catalogue
    endpoints: Mapping[str, Endpoint]
    settings: Settings
    features: Features
    gate: Gate
    rates: Rates
    health: Callable[[Sequence[Model]], Mapping[str, Health]]
    consented: Callable[[str], bool]
    suggested: Callable[[], str]
    now: float


def inventory(sources: Sources) -> Inventory:
    """List all models; servers on this machine are asked what they hold. Raises StorageError."""
    settings = replace(sources.settings, model="", provider="", tier="")
    found = available(sources.catalogue, sources.endpoints, settings, sources.features, sources.gate)
    left_out = tuple(with_pull(left, sources.suggested) for left in found.left_out)
    blocked = {model: left for left in left_out for model in _behind(left, sources)}
    models = sorted((*found.models, *blocked), key=lambda model: TIERS.index(model.tier))
    rates, health = sources.rates(models), sources.health(models)
    rows = []
    for model in models:
        state = health.get(f"{model.provider}/{model.id}", Health())
        rows.append(
            InventoryRow(
                model,
                sources.endpoints[model.provider].host,
                _size(model, sources),
                _price(rates[model.price_ref, model.tier]),
                state.state(sources.now),
                blocked.get(model) or _consent(model, sources),
            )
        )
    return Inventory(tuple(rows), tuple(left for left in left_out if not left.model))


def _behind(left: LeftOut, sources: Sources) -> tuple[Model, ...]:
    """The known models that cannot be asked because something is missing."""
    endpoint = sources.endpoints[left.provider]
    describe = sources.catalogue.describe
    if left.model:
        described = describe(left.model, left.provider)
        return (described._replace(local=True, tier="local") if endpoint.local else described,)
    ids = sources.catalogue.offered(left.provider, endpoint.host)
    if endpoint.local or endpoint.vendor.manages_models:
        known = last_known(endpoint, sources.gate.state)
        ids = known.ids if known else ()
        fit = tuple(one for one in ids if not sources.catalogue.unfit(one, left.provider))
        return tuple(describe(one, left.provider)._replace(local=endpoint.local, tier="local") for one in fit)
    return tuple(describe(one, left.provider) for one in ids)


def _consent(model: Model, sources: Sources) -> LeftOut | None:
    if model.local or sources.consented(model.provider):
        return None
    return LeftOut(model.id, model.provider, model.tier, Why.CONSENT)


def _size(model: Model, sources: Sources) -> int:
    endpoint = sources.endpoints[model.provider]
    known = last_known(endpoint, sources.gate.state) if endpoint.vendor.manages_models else None
    return known.sizes.get(model.id, 0) if known else 0


def _price(tariff: Tariff | None) -> tuple[float, float] | None:
    """A million tokens at the rates of a short prompt; micro-dollars a token are dollars a million."""
    return None if tariff is None else (tariff.steps[0].input, tariff.steps[0].output)
