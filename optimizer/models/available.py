"""Which models can be asked now: cloud models whose key is set, and those that servers hold."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from optimizer import vendors
from optimizer.config.features import Features
from optimizer.config.options import option
from optimizer.config.suggest import did_you_mean
from optimizer.errors import ConsentMissing, InputError, ProviderError
from optimizer.models.catalogue import Catalogue
from optimizer.privacy import private_file
from optimizer.providers import base
from optimizer.providers.door import Gate
from optimizer.providers.endpoints import Endpoint, loopback
from optimizer.reasons import HoldsNothing, NoAnswer, NoKey, NotHeld, OtherTier, Reason, ServerFailed, Unfit, Why
from optimizer.settings import Settings
from optimizer.types import TIERS, LeftOut, Model, Tier
from optimizer.vendors import OLLAMA, VENDORS, whole_name

if TYPE_CHECKING:
    from optimizer.providers.ollama import OllamaShelf, StoredModel

FILE = "discovered.json"
KNOCK_SECONDS = 0.3
LIST_SECONDS = 3.0
LONGEST_KEPT = 90 * 86_400.0


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
            if endpoint.remote:
                found = _passed_on(catalogue, endpoint, endpoints[endpoint.wire], settings, gate)
            else:
                found = _at(catalogue, endpoint, settings, features, gate)
            models += found.models
            left_out += found.left_out
    models.sort(key=lambda model: catalogue.rank(model.id, model.provider))
    known = any(whole_name(settings.model) == whole_name(left.model) for left in left_out if left.model)
    if settings.model and not known and not any(named(model, settings.model) for model in models):
        homes = (
            (settings.provider,) if settings.provider else homes_of(settings.model, catalogue, endpoints, gate.state)
        )
        extra = _explicit(catalogue, endpoints, settings, homes, Available(tuple(models), tuple(left_out)))
        models += extra.models
        left_out += extra.left_out
    return Available(tuple(models), tuple(left_out))


def with_pull(left: LeftOut, suggested: Callable[[], str]) -> LeftOut:
    """The reason with the model to get on this machine, where its server can download one."""
    if not isinstance(left.reason, NoAnswer | HoldsNothing) or not left.reason.pull:
        return left
    return left._replace(reason=left.reason._replace(pull=suggested()))


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
    if not endpoint.has_key:
        tiers: list[Tier] = [catalogue.describe(model_id, provider).tier for model_id in ids]
        no_key = NoKey(endpoint.key_variable, "" if endpoint.wire else vendor.key_page)
        why: Reason = Why.LOCKED if endpoint.is_locked else no_key
        return _missing(provider, min(tiers, key=TIERS.index), why)
    return Available(tuple(catalogue.describe(model_id, provider) for model_id in ids), ())


def _lists(catalogue: Catalogue, endpoint: Endpoint) -> bool:
    """Whether a server is asked what it holds; what vendors offer is in the catalogue."""
    if endpoint.local or endpoint.vendor.manages_models:
        return True
    return endpoint.vendor.server == "compatible" and endpoint.host not in catalogue.hosts(endpoint.provider)


def homes_of(name: str, catalogue: Catalogue, endpoints: Mapping[str, Endpoint], state: Path) -> tuple[str, ...]:
    """Providers that may serve a model: own servers that listed it last, then those of rows; '' for any."""
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
    ids = [model_id for model_id in found.ids if model_id not in found.remote]
    unfit = {model_id: catalogue.unfit(model_id, provider) for model_id in ids}
    described = (_served(catalogue.describe(model_id, provider), found) for model_id in ids)
    models = (_placed(model, endpoint, settings) for model in described)
    fit = tuple(model for model in models if not unfit[model.id])
    left_out = [LeftOut(model_id, provider, tier, Unfit(why)) for model_id, why in unfit.items() if why]
    if not fit:
        left_out.insert(0, LeftOut("", provider, tier, HoldsNothing(_title(endpoint), endpoint.host, pull)))
    return Available(fit, tuple(left_out))


def _passed_on(catalogue: Catalogue, endpoint: Endpoint, server: Endpoint, settings: Settings, gate: Gate) -> Available:
    """What an Ollama server lists and does not run itself: models of the cloud that it passes requests on to."""
    known = last_known(server, gate.state)
    if settings.provider == endpoint.provider and (not server.local or listens(server)):
        with contextlib.suppress(ProviderError, ConsentMissing):
            known = discover(server, gate, settings.discovery_seconds)
    if not known:
        return Available((), ())
    described = [(catalogue.describe(one, endpoint.provider)._replace(price_ref=""), one) for one in known.remote]
    models = tuple(_served(model, known) for model, one in described if known.remote[one] == endpoint.remote)
    elsewhere = [(model, known.remote[one]) for model, one in described if known.remote[one] != endpoint.remote]
    left = (LeftOut(model.id, model.provider, model.tier, Unfit(f"it runs at {host}")) for model, host in elsewhere)
    return Available(models, tuple(left))


def _served(model: Model, found: HeldModels) -> Model:
    """The model as its server describes it."""
    said = found.windows.get(model.id) or model.window
    window = min(model.window, said) if vendors.of(model.provider).manages_models else said
    return model._replace(
        resident=model.id in found.resident,
        window=window,
        max_output=min(model.max_output, window),
        vision=model.vision or model.id in found.seeing,
    )


def _placed(model: Model, endpoint: Endpoint, settings: Settings) -> Model:
    """The model as this server runs it: its vendor's price elsewhere does not apply."""
    model = model._replace(price_ref="")
    if endpoint.local and not vendors.is_remote(model.id):
        model = model._replace(tier="local", label="Local", local=True)
    size = option(settings, "context_size", model.id, model.provider)
    if size and model.tier == "local":
        model = model._replace(window=min(model.window, size))
    return model


def listens(endpoint: Endpoint) -> bool:
    """Whether a loopback address accepts connections; asked first, so that no SDK is imported for a refusal."""
    parts = urlsplit(endpoint.base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return any(_opens(address, port) for address in loopback(parts.hostname or ""))


def _opens(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), KNOCK_SECONDS):
        return True
    return False


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
        if endpoint.has_key and not endpoint.local and not endpoint.vendor.manages_models:
            found = catalogue.describe(name, provider)
            return Available((_placed(found, endpoint, settings) if _lists(catalogue, endpoint) else found,), ())
    if not homes:
        start = VENDORS[OLLAMA].start
        known = (*(model.id for model in so_far.models), *(row.id for row in catalogue.rows if row.exact))
        hint = did_you_mean(name, known) or f"list models: optimize models; for local ones: {start}"
        raise InputError(f"unknown model {name!r}", hint)
    wanted = {home or OLLAMA for home in homes}
    if missing := [left for left in so_far.left_out if not left.model and left.provider in wanted]:
        return Available((), (missing[0]._replace(model=name),))
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


@dataclass(frozen=True, slots=True)
class HeldModels:
    """What a server held at a time (seconds since the epoch): ids, bytes on disk and tokens of the windows by id, and
    the ids that are loaded and that see images; and where those run that the server passes on."""

    ids: tuple[str, ...]
    sizes: Mapping[str, int] = field(default_factory=dict)
    resident: tuple[str, ...] = ()
    at: float = 0.0
    windows: Mapping[str, int] = field(default_factory=dict)
    seeing: tuple[str, ...] = ()
    remote: Mapping[str, str] = field(default_factory=dict)


def discover(endpoint: Endpoint, gate: Gate, seconds: float) -> HeldModels:
    """What the server holds, as it listed no more than `seconds` ago.

    Raises the tree of ProviderError, ConsentMissing.
    """
    known = last_known(endpoint, gate.state)
    if known and 0 <= time.time() - known.at < seconds:
        return known
    limits = replace(
        gate.limits,
        connect=KNOCK_SECONDS,
        first=LIST_SECONDS,
        load=LIST_SECONDS,
        stall=LIST_SECONDS,
        answer=LIST_SECONDS,
    )
    asking = replace(gate, limits=limits)
    found = _ollama(endpoint, asking) if endpoint.vendor.manages_models else _compatible(endpoint, asking)
    _keep(endpoint, gate.state, found)
    return found


def last_known(endpoint: Endpoint, state: Path) -> HeldModels | None:
    """What the server listed last, however long ago; None when it never did, or the record cannot be read."""
    try:
        row = json.loads((state / FILE).read_bytes())[_name(endpoint)]
        sizes = {str(name): int(size) for name, size in row["sizes"].items()}
        windows = {str(name): int(size) for name, size in row.get("windows", {}).items()}
        ids, resident, seeing = (tuple(map(str, row.get(name, ()))) for name in ("ids", "resident", "seeing"))
        remote = {str(name): str(host) for name, host in row.get("remote", {}).items()}
        return HeldModels(ids, sizes, resident, float(row["at"]), windows, seeing, remote)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def forget(endpoint: Endpoint, state: Path) -> None:
    """Drop what the server listed, because its models have changed."""
    _keep(endpoint, state, None)


def _ollama(endpoint: Endpoint, gate: Gate) -> HeldModels:
    from optimizer.providers.ollama import open_shelf

    with open_shelf(endpoint, gate) as shelf:
        held = shelf.held()
        cards = [_card(shelf, one, last_known(endpoint, gate.state)) for one in held if one.id]
        resident: tuple[str, ...] = ()
        with contextlib.suppress(ProviderError):  # what is loaded is nice to know, not needed
            resident = tuple(one.id for one in shelf.running())
    windows = {one.id: one.window for one in cards if one.window}
    seeing = tuple(one.id for one in cards if one.vision)
    sizes = {one.id: one.size for one in held}
    remote = {one.id: one.remote or vendors.REMOTE_HOST for one in held if vendors.is_remote(one.id, one.remote)}
    return HeldModels(tuple(one.id for one in cards), sizes, resident, time.time(), windows, seeing, remote)


def _card(shelf: OllamaShelf, held: StoredModel, known: HeldModels | None) -> base.ServedModel:
    """A model as the server's own page of it says; as it was known before where its bytes are the same."""
    if known and known.windows.get(held.id) and known.sizes.get(held.id) == held.size:
        return base.ServedModel(held.id, known.windows[held.id], held.id in known.seeing)
    with contextlib.suppress(ProviderError):  # what a model can do is nice to know, not needed
        card = shelf.card(held.id)
        return base.ServedModel(held.id, card.window, "vision" in card.capabilities)
    return base.ServedModel(held.id)


def _compatible(endpoint: Endpoint, gate: Gate) -> HeldModels:
    provider = base.open_provider(endpoint, gate)
    try:
        listed = [one for one in provider.models() if one.id]
    finally:
        provider.close()
    windows = {one.id: one.window for one in listed if one.window}
    seeing = tuple(one.id for one in listed if one.vision)
    return HeldModels(tuple(one.id for one in listed), at=time.time(), windows=windows, seeing=seeing)


def _name(endpoint: Endpoint) -> str:
    return f"{endpoint.provider} {endpoint.account}"


def _keep(endpoint: Endpoint, state: Path, found: HeldModels | None) -> None:
    """Store the list; where that fails, the server is asked again the next time."""
    path = state / FILE
    with contextlib.suppress(OSError), private_file.alone(path):
        rows = _rows(path)
        rows.pop(_name(endpoint), None)
        if found:
            rows[_name(endpoint)] = asdict(found)
        private_file.replace(path, json.dumps(rows))


def _rows(path: Path) -> dict[str, Any]:
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    oldest = time.time() - LONGEST_KEPT
    whole = rows if isinstance(rows, dict) else {}
    return {name: row for name, row in whole.items() if isinstance(row, dict) and row.get("at", 0) > oldest}
