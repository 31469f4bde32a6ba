"""What is known about models: rows of `catalogue.toml` under the user's own, read as data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase, translate
from functools import cached_property
from math import log2
from pathlib import Path
from typing import Any

from optimizer.config.document import Document, read_document
from optimizer.config.profiles import CAPABILITIES
from optimizer.config.servers import OwnEndpoint, own_endpoints
from optimizer.config.suggest import did_you_mean
from optimizer.errors import INSTALL_AGAIN, ConfigError
from optimizer.models.memory import parameters
from optimizer.providers.quotas import DAY, MINUTE, Quota
from optimizer.types import TIERS, Model
from optimizer.vendors import COMPATIBLE, OLLAMA, VENDORS

SHIPPED = Path(__file__).with_name("catalogue.toml")
LICENCES: tuple[str, ...] = ("permissive", "copyleft", "restricted", "proprietary", "unknown")
LATENCIES: tuple[str, ...] = ("fast", "medium", "slow")

GLOB = frozenset("*?[")  # letters that make an id a pattern
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "tier": TIERS[1:],
    "edit_format": ("tool", "text", "whole"),
    "licence": LICENCES,
    "latency": LATENCIES,
}


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One `[[model]]` of a file; None is a fact that this row does not state."""

    id: str
    provider: str = ""
    host: str = ""
    unfit: str | None = None
    family: str | None = None
    tier: str | None = None
    label: str | None = None
    window: int | None = None
    max_output: int | None = None
    tools: bool | None = None
    vision: bool | None = None
    streaming: bool | None = None
    json: bool | None = None
    thinking: bool | None = None
    edit_format: str | None = None
    parameters: frozenset[str] | None = None
    licence: str | None = None
    trains: bool | None = None
    price_ref: str | None = None
    reasoning: float | None = None
    coding: float | None = None
    creativity: float | None = None
    multilingual: float | None = None
    billions: float | None = None
    sized: float | None = None
    latency: str | None = None
    profiles: tuple[str, ...] | None = None
    fallback: tuple[str, ...] | None = None
    cache_seconds: int | None = None
    requests_minute: int | None = None
    tokens_minute: int | None = None
    requests_day: int | None = None
    tokens_day: int | None = None

    def fits(self, model_id: str, *providers: str) -> bool:
        """Whether this row is about the model at a provider of these names."""
        return self.serves(providers) and fnmatchcase(model_id.lower(), self.id.lower())

    def serves(self, providers: Sequence[str]) -> bool:
        """Whether this row is about models of a provider of these names."""
        return self.provider in ("", *providers)

    @property
    def exact(self) -> bool:
        """Whether the row names one model of one provider, so that it can be offered without asking a server."""
        return bool(self.provider) and not set(self.id) & GLOB


@dataclass(frozen=True, slots=True)
class Traits:
    """What a decision needs: strengths in [0, 1] by name, the fallbacks when the model cannot be asked, for how many
    seconds its prompt cache is kept, the quotas of a free account, family, what it can do (names of CAPABILITIES), how
    soon it answers, and the profiles it suits."""

    strengths: Mapping[str, float]
    fallback: tuple[str, ...] = ()
    cache_seconds: int = 0
    quotas: tuple[Quota, ...] = ()
    family: str = ""
    capabilities: frozenset[str] = frozenset()
    latency: str = "medium"
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact about a model, and the row that states it: its glob, and whether it is the user's own."""

    value: Any
    row: str
    own: bool


class _Rows:
    """The rows about some providers, found by the name of a model: servers may list thousands of models."""

    def __init__(self, rows: Iterable[tuple[int, ModelRow]]) -> None:
        self._exact: dict[str, list[int]] = {}
        self._globs: list[tuple[int, re.Pattern[str]]] = []
        for number, row in rows:
            if set(row.id) & GLOB:
                self._globs.append((number, re.compile(translate(row.id.lower()))))
            else:
                self._exact.setdefault(row.id.lower(), []).append(number)

    def of(self, model_id: str) -> list[int]:
        """The places of the rows about a model, in order."""
        name = model_id.lower()
        return sorted([*self._exact.get(name, ()), *(number for number, glob in self._globs if glob.match(name))])


@dataclass(frozen=True)
class Catalogue:
    """Rows in the order of precedence, the user's own (so many) first; the model to suggest to users without one on
    their machine, the names in Ollama's library to choose from, and the user's own compatible servers.

    A model at such a server is described by rows that name it, and by those of the provider whose interface it speaks.
    """

    rows: tuple[ModelRow, ...]
    suggested_local: str
    own: int = 0
    pullable: tuple[str, ...] = ()
    endpoints: tuple[OwnEndpoint, ...] = ()

    def _names(self, provider: str) -> tuple[str, ...]:
        """The provider names of rows about it: its own, and that of the interface it speaks."""
        return (provider, COMPATIBLE) if any(one.name == provider for one in self.endpoints) else (provider,)

    def describe(self, model_id: str, provider: str) -> Model:
        """All that is known; each fact from the first row that states it, the last rows being guesses for any model."""
        facts = self._facts(model_id, provider)
        return Model(
            id=model_id,
            provider=provider,
            tier=facts["tier"],
            window=facts["window"],
            max_output=facts["max_output"],
            tools=facts["tools"],
            edit_format="text" if facts["edit_format"] == "tool" and not facts["tools"] else facts["edit_format"],
            parameters=facts["parameters"],
            licence=facts["licence"],
            label=facts["label"],
            price_ref=facts.get("price_ref", "").replace("{id}", model_id),
            vision=facts["vision"],
            trains=facts["tier"] == "free" and facts.get("trains", False),
        )

    def traits(self, model: Model) -> Traits:
        """What a decision needs of a model that was described; quotas are known of free accounts only."""
        facts = self._facts(model.id, model.provider)
        sizes = {limit: facts[name] for name, limit in _LIMITS.items() if name in facts and model.tier == "free"}
        return Traits(
            strengths={name: facts[name] for name in STRENGTHS if name in facts},
            fallback=tuple(facts.get("fallback", ())),
            cache_seconds=facts.get("cache_seconds", 0),
            quotas=tuple(Quota(what, period, size, size, 0.0) for (what, period), size in sizes.items()),
            family=facts.get("family", ""),
            capabilities=frozenset(name for name in CAPABILITIES if facts.get(name)),
            latency=facts.get("latency", "medium"),
            profiles=tuple(facts.get("profiles", ())),
        )

    def facts(self, model_id: str, provider: str) -> Mapping[str, Fact]:
        """All that is stated of a model, each fact with the row it comes from."""
        found: dict[str, Fact] = {}
        for number in self._about(provider).of(model_id):
            for name, value in self._stated[number].items():
                found.setdefault(name, Fact(value, self.rows[number].id, number < self.own))
        scaled = self._facts(model_id, provider)
        return {name: replace(fact, value=scaled[name]) for name, fact in found.items()}

    def billions(self, model_id: str, provider: str) -> float:
        """Parameters in billions of a model whose name has no size; 0 where no row states it either."""
        return float(self._facts(model_id, provider).get("billions", 0.0))

    def unfit(self, model_id: str, provider: str) -> str:
        """Why this model is never asked, '' when it may be."""
        return str(self._facts(model_id, provider).get("unfit", ""))

    def rank(self, model_id: str, provider: str) -> int:
        """Place in the order of preference; smaller is better."""
        return self._about(provider).of(model_id)[0]

    def offered(self, provider: str, host: str) -> tuple[str, ...]:
        """Ids that the provider is known to serve at this host, the preferred first."""
        names = self._names(provider)
        ids = (row.id for row in self.rows if row.exact and row.provider in names and row.host in ("", host))
        return tuple(dict.fromkeys(ids))

    def examples(self, seeing: bool = False) -> tuple[Model, ...]:
        """One model a tier, cheapest tier first: what there is to set up, and to quote prices of; `seeing`: of those
        that see images."""
        local = (self.describe(name, OLLAMA) for name in (self.suggested_local, *reversed(self.pullable)))
        first = next((model for model in local if model.vision or not seeing), None)
        found = {"local": first} if first else {}
        for row in self.rows:
            if row.exact and row.provider in VENDORS:
                model = self.describe(row.id, row.provider)
                if model.vision or not seeing:
                    found.setdefault(model.tier, model)
        return tuple(found[tier] for tier in TIERS if tier in found)

    def hosts(self, provider: str) -> frozenset[str]:
        """Hosts whose models are known without asking."""
        names = self._names(provider)
        return frozenset(row.host for row in self.rows if row.provider in names and row.host)

    def homes(self, model_id: str) -> tuple[str, ...]:
        """Providers with a row about this very model or its family; '' for open weights anywhere."""
        rows = (row for row in self.rows if row.id != "*" and row.unfit is None)
        return tuple(dict.fromkeys(row.provider for row in rows if row.fits(model_id, row.provider)))

    @cached_property
    def _stated(self) -> tuple[dict[str, Any], ...]:
        """The facts that each row states."""
        stated = ({name: getattr(row, name) for name in _FACTS} for row in self.rows)
        return tuple({name: value for name, value in one.items() if value is not None} for one in stated)

    @cached_property
    def _by_provider(self) -> dict[str, _Rows]:
        return {}

    @cached_property
    def _known(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        return {}

    def _about(self, provider: str) -> _Rows:
        if provider not in self._by_provider:
            names = self._names(provider)
            rows = ((number, row) for number, row in enumerate(self.rows) if row.serves(names))
            self._by_provider[provider] = _Rows(rows)
        return self._by_provider[provider]

    def _facts(self, model_id: str, provider: str) -> Mapping[str, Any]:
        key = model_id, provider
        if key not in self._known:
            self._known[key] = self._collected(model_id, provider)
        return self._known[key]

    def _collected(self, model_id: str, provider: str) -> Mapping[str, Any]:
        facts: dict[str, Any] = {}
        sizes: dict[str, float | None] = {}
        for number in self._about(provider).of(model_id):
            stated = self._stated[number]
            facts = stated | facts
            sizes = {name: self.rows[number].sized for name in STRENGTHS if name in stated} | sizes
        size = parameters(model_id) or facts.get("billions", 0.0)
        return facts | {name: _at_size(facts[name], size, of) for name, of in sizes.items() if of and size}


def _at_size(strength: float, size: float, of: float) -> float:
    """The strength of a model with so many parameters, from that of its family at another size."""
    return round(min(max(strength + PER_DOUBLING * log2(size / of), WEAKEST), STRONGEST), 2)


MOST_BILLIONS = 10_000.0
PER_DOUBLING = 0.05  # as between two sizes of one family in the shipped rows
WEAKEST, STRONGEST = 0.05, 0.7
_COUNTED = ("billions", "sized")
STRENGTHS: tuple[str, ...] = ("reasoning", "coding", "creativity", "multilingual")
_LIMITS: Mapping[str, tuple[str, int]] = {
    "requests_minute": ("requests", MINUTE),
    "tokens_minute": ("tokens", MINUTE),
    "requests_day": ("requests", DAY),
    "tokens_day": ("tokens", DAY),
}
_FACTS = tuple(field.name for field in fields(ModelRow) if field.default is None)
_TYPES: Mapping[str, type] = {
    field.name: {
        "int | None": int,
        "bool | None": bool,
        "float | None": float,
        "frozenset[str] | None": list,
        "tuple[str, ...] | None": list,
    }.get(str(field.type), str)
    for field in fields(ModelRow)
}
_NAMES = {
    int: "a whole number above 0",
    float: "a number from 0.0 to 1.0",
    bool: "true or false",
    list: "a list of texts",
    str: "text",
}


def load_catalogue(user: Path | None) -> Catalogue:
    """The shipped rows, under the user's own when that file exists.

    Raises ConfigError for an unknown field or a value of the wrong kind, naming file and line; StorageError when the
    file cannot be read.
    """
    shipped = read_document(SHIPPED)
    if shipped is None:
        raise ConfigError(f"{SHIPPED} is missing", INSTALL_AGAIN)
    own = read_document(user) if user else None
    servers = tuple(own_endpoints(own)) if own else ()
    mine = tuple(_rows(own, tuple(server.name for server in servers))) if own else ()
    source = own if own and "suggested_local" in own.data else shipped
    suggested = source.data["suggested_local"]
    if not isinstance(suggested, str):
        place = source.place("suggested_local")
        raise ConfigError(f"{place}: suggested_local: expected text", "write the name of a model in quotes")
    return Catalogue((*mine, *_rows(shipped)), suggested, len(mine), _pullable(own, shipped), servers)


def _pullable(own: Document | None, shipped: Document) -> tuple[str, ...]:
    """The user's names before the shipped ones."""
    found: list[str] = []
    for document in filter(None, (own, shipped)):
        names = document.data.get("pullable", [])
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise ConfigError(f"{document.place('pullable')}: pullable: expected {_NAMES[list]}", "correct the value")
        found += names
    return tuple(dict.fromkeys(found))


_KEYS = ("model", "suggested_local", "pullable", "endpoint")


def _rows(document: Document, servers: tuple[str, ...] = ()) -> Iterator[ModelRow]:
    """The rows of a file; they may name `servers` like any provider."""
    for key in document.data:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            raise ConfigError(f"{document.place(key)}: unknown section {key!r}", hint or "write rows as [[model]]")
    tables = document.data.get("model", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"{document.place('model')}: model is a list of rows", "write each row below [[model]]")
    for number, table in enumerate(tables):
        yield _row(document, f"model.{number}", table, servers)


def _row(document: Document, key: str, table: Mapping[str, Any], servers: tuple[str, ...]) -> ModelRow:
    allowed = {**_CHOICES, "provider": (*VENDORS, *servers)}
    for name, value in table.items():
        if name not in _TYPES:
            place = document.place(f"{key}.{name}")
            raise ConfigError(f"{place}: unknown field {name!r}", did_you_mean(name, _TYPES))
        if problem := _problem(name, value, allowed.get(name, ())):
            hint = did_you_mean(value, allowed[name]) if name in allowed and isinstance(value, str) else ""
            place = document.place(f"{key}.{name}")
            raise ConfigError(f"{place}: {name}: expected {problem}", hint or "correct the value")
    if not table.get("id"):
        raise ConfigError(f"{document.place(key)}: a model without an id", 'write id = "..." below [[model]]')
    vendor = VENDORS.get(table.get("provider", ""))
    if table.get("tier") == "local" and vendor and not vendor.can_be_local:
        raise ConfigError(f"{document.place(f'{key}.tier')}: {table['provider']} is never local", "choose another tier")
    shapes = {"parameters": frozenset, "fallback": tuple, "profiles": tuple}
    return ModelRow(**{name: shapes[name](value) if name in shapes else value for name, value in table.items()})


def _problem(name: str, value: object, choices: tuple[str, ...]) -> str:
    wanted = _TYPES[name]
    if type(value) is not wanted or (isinstance(value, int) and wanted is int and value < 1):
        return _NAMES[wanted]
    if isinstance(value, float) and not 0 <= value <= (MOST_BILLIONS if name in _COUNTED else 1):
        return f"a number from 0.0 to {MOST_BILLIONS:.1f}" if name in _COUNTED else _NAMES[float]
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        return _NAMES[list]
    if isinstance(value, str) and not value.isprintable():
        return "text that can be printed"
    return f"one of {', '.join(choices)}" if choices and value not in choices else ""
