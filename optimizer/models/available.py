"""Which models can be asked now: cloud models whose key is set, and what servers on this machine say they hold."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from optimizer.config.features import Features
from optimizer.config.suggest import did_you_mean
from optimizer.errors import ConsentMissing, InputError, ProviderError
from optimizer.models.catalogue import Catalogue
from optimizer.models.discovery import KNOCK_SECONDS, discover, last_known
from optimizer.providers.door import Gate
from optimizer.providers.endpoints import Endpoint
from optimizer.reasons import HoldsNothing, NoAnswer, NoKey, NotHeld, OtherTier, Reason, ServerFailed, Unfit, Why
from optimizer.settings import Settings
from optimizer.types import TIERS, LeftOut, Model, Tier
from optimizer.vendors import OLLAMA, whole_name


@dataclass(frozen=True, slots=True)
class Available:
    """Models that can be asked, the preferred of equals first, and what is missing."""

    models: tuple[Model, ...]
    left_out: tuple[LeftOut, ...]


def available(
    catalogue: Catalogue, endpoints: Mapping[str, Endpoint], settings: Settings, features: Features, gate: Gate
) -> Available:
    """Find the models that can be asked; only servers that may hold a wanted model are asked for their list.

    Raises InputError when `settings.model` is known to no row, and no server holds it or held it when it last answered.
    """
    models: list[Model] = []
    left_out: list[LeftOut] = []
    for provider, endpoint in endpoints.items():
        if settings.provider in ("", provider):
            found = _at(catalogue, endpoint, settings, features, gate)
            models += found.models
            left_out += found.left_out
    models.sort(key=lambda model: catalogue.rank(model.id, model.provider))
    told = any(whole_name(settings.model) == whole_name(left.model) for left in left_out if left.model)
    if settings.model and not told and not any(named(model, settings.model) for model in models):
        homes = (
            (settings.provider,) if settings.provider else homes_of(settings.model, catalogue, endpoints, gate.state)
        )
        extra = _explicit(catalogue, endpoints, settings, homes, Available(tuple(models), tuple(left_out)))
        models += extra.models
        left_out += extra.left_out
    return Available(tuple(models), tuple(left_out))


def named(model: Model, name: str) -> bool:
    """Whether a user means this model by `name`; the tag `latest` may be left off."""
    return model.id in (name, whole_name(name))


def _at(catalogue: Catalogue, endpoint: Endpoint, settings: Settings, features: Features, gate: Gate) -> Available:
    provider, host, vendor = endpoint.provider, endpoint.host, endpoint.vendor
    holds_local = endpoint.local or vendor.manages_models
    if holds_local and not features.local_models:
        return _missing(provider, "local", Why.LOCAL_OFF)
    if holds_local and settings.tier not in ("", "local"):
        return _missing(provider, "local", OtherTier(settings.tier))
    if _lists(catalogue, endpoint):
        return _held(catalogue, endpoint, settings, gate)
    ids = catalogue.offered(provider, host)
    if not endpoint.key:
        tiers: list[Tier] = [catalogue.describe(model_id, provider).tier for model_id in ids]
        no_key = NoKey(endpoint.key_variable, "" if endpoint.wire else vendor.key_page)
        return _missing(provider, min(tiers, key=TIERS.index), no_key)
    return Available(tuple(catalogue.describe(model_id, provider) for model_id in ids), ())


def _lists(catalogue: Catalogue, endpoint: Endpoint) -> bool:
    """Whether a server is asked what it holds; what vendors offer is in the catalogue."""
    if endpoint.local or endpoint.vendor.manages_models:
        return True
    return endpoint.vendor.server == "compatible" and endpoint.host not in catalogue.hosts(endpoint.provider)


def homes_of(name: str, catalogue: Catalogue, endpoints: Mapping[str, Endpoint], state: Path) -> tuple[str, ...]:
    """Who may serve a model of this name: own servers that said so last, then whom rows name; '' stands for anyone."""
    own = (one for one in endpoints.values() if one.wire)
    held = [one.provider for one in own if (known := last_known(one, state)) and name in known.ids]
    return tuple(dict.fromkeys((*held, *catalogue.homes(name))))


def _held(catalogue: Catalogue, endpoint: Endpoint, settings: Settings, gate: Gate) -> Available:
    """What a server says it holds, each model described as one that runs there."""
    provider = endpoint.provider
    tier = _tier(endpoint)
    pull = catalogue.suggested_local if endpoint.vendor.manages_models else ""
    if endpoint.local and not listens(endpoint):
        return _missing(provider, tier, NoAnswer(_title(endpoint), endpoint.host, pull))
    try:
        found = discover(endpoint, gate, settings.discovery_seconds)
    except ConsentMissing:
        return _missing(provider, tier, Why.CONSENT)
    except ProviderError as error:
        return _missing(provider, tier, ServerFailed(error.message, error.hint))
    unfit = {model_id: catalogue.unfit(model_id, provider) for model_id in found.ids}
    described = (
        replace(catalogue.describe(model_id, provider), resident=model_id in found.resident) for model_id in found.ids
    )
    models = (_placed(model, endpoint, settings) for model in described)
    fit = tuple(model for model in models if not unfit[model.id])
    left_out = [LeftOut(model_id, provider, tier, Unfit(why)) for model_id, why in unfit.items() if why]
    if not fit:
        left_out.insert(0, LeftOut("", provider, tier, HoldsNothing(_title(endpoint), endpoint.host, pull)))
    return Available(fit, tuple(left_out))


def _placed(model: Model, endpoint: Endpoint, settings: Settings) -> Model:
    """The model as this server runs it: what its vendor charges elsewhere is no price here."""
    model = replace(model, price_ref="")
    if endpoint.local:
        model = replace(model, tier="local", label="Local", local=True)
    if settings.context_size and model.tier == "local":
        model = replace(model, window=min(model.window, settings.context_size))
    return model


def listens(endpoint: Endpoint) -> bool:
    """Whether anything accepts a connection at a loopback address; spares importing an SDK to hear a refusal."""
    parts = urlsplit(endpoint.base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname, port), KNOCK_SECONDS).close()
    except OSError:
        return False
    return True


def _explicit(
    catalogue: Catalogue,
    endpoints: Mapping[str, Endpoint],
    settings: Settings,
    homes: tuple[str, ...],
    so_far: Available,
) -> Available:
    """The model that the user named and nothing lists: a cloud id without a row of its own, or what is missing."""
    name = settings.model
    for provider in filter(None, homes):
        endpoint = endpoints[provider]
        if endpoint.key and not endpoint.local and not endpoint.vendor.manages_models:
            found = catalogue.describe(name, provider)
            return Available((_placed(found, endpoint, settings) if _lists(catalogue, endpoint) else found,), ())
    if not homes:
        known = (*(model.id for model in so_far.models), *(row.id for row in catalogue.rows if row.exact))
        listed = "optimize models lists what there is; for a local one: ollama serve"
        raise InputError(f"unknown model {name!r}", did_you_mean(name, known) or listed)
    wanted = {home or OLLAMA for home in homes}
    if absent := [left for left in so_far.left_out if not left.model and left.provider in wanted]:
        return Available((), (replace(absent[0], model=name),))
    server = next((home for home in homes if home and home != OLLAMA and _lists(catalogue, endpoints[home])), OLLAMA)
    endpoint = endpoints[server]
    not_held = NotHeld(_title(endpoint), endpoint.vendor.manages_models)
    return Available((), (LeftOut(name, server, _tier(endpoint), not_held),))


def _tier(endpoint: Endpoint) -> Tier:
    """The tier of what a server holds, as long as nothing else is known of it."""
    return "local" if endpoint.local or endpoint.vendor.manages_models else "premium"


def _missing(provider: str, tier: Tier, reason: Reason) -> Available:
    return Available((), (LeftOut("", provider, tier, reason),))


def _title(endpoint: Endpoint) -> str:
    return f"the server {endpoint.provider}" if endpoint.wire else endpoint.vendor.title
