"""`optimize models show` and `limits`: what is known about one model, and where each fact comes from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from optimizer.cli import options
from optimizer.cli.terminal import width
from optimizer.report.layout import inert, table, wrapped
from optimizer.vendors import OLLAMA

if TYPE_CHECKING:
    from optimizer.providers.door import Gate
    from optimizer.providers.endpoints import Endpoint
    from optimizer.providers.ollama import Card
    from optimizer.wiring.models import Stock

LIMITS = (
    "window",
    "max_output",
    "parameters",
    "cache_seconds",
    "requests_minute",
    "tokens_minute",
    "requests_day",
    "tokens_day",
)
UNKNOWN = "no row speaks of it: these are careful defaults; say in models.toml what it can do"


class Stated(NamedTuple):
    """One fact, and where it comes from."""

    name: str
    value: Any
    origin: str


class About(NamedTuple):
    """What is known of a model at one provider."""

    id: str
    provider: str
    facts: tuple[Stated, ...]
    notes: tuple[str, ...]


@click.command("show")
@click.argument("name")
@click.option("--provider", metavar="NAME", help=options.PROVIDER_MEANT)
@options.project
@options.as_json
def show(name: str, provider: str | None, project: Path | None, as_json: bool) -> int:
    """Show all that is known about the model NAME.

    Each fact with where it comes from: the server, a row of your models.toml, or a row that is shipped.
    """
    return _print(name, provider, project, as_json, lambda _: True)


@click.command("limits")
@click.argument("name")
@click.option("--provider", metavar="NAME", help=options.PROVIDER_MEANT)
@options.project
@options.as_json
def limits(name: str, provider: str | None, project: Path | None, as_json: bool) -> int:
    """Show the limits of the model NAME.

    Its window, longest answer, parameters and quotas, each with where it comes from.
    """
    return _print(name, provider, project, as_json, lambda fact: fact.name in LIMITS)


def _print(name: str, provider: str | None, project: Path | None, as_json: bool, keep: Callable[[Stated], bool]) -> int:
    with options.open_stock(project) as stock:
        about = describe(name, provider or "", stock)
    kept = [fact for fact in about.facts if keep(fact)]
    if as_json:
        facts = {fact.name: {"value": _plain(fact.value), "origin": fact.origin} for fact in kept}
        record = {"event": "facts", "model": about.id, "provider": about.provider, "facts": facts}
        click.echo(json.dumps({**record, "notes": about.notes}, ensure_ascii=False))
        return 0
    click.echo(inert(f"{about.id} at {about.provider}"))
    origins = {fact.origin for fact in kept}
    if len(origins) == 1:
        lines = [*table([(fact.name, _spoken(fact.value)) for fact in kept], width()), f"all from the {origins.pop()}"]
    else:
        lines = table([(fact.name, _spoken(fact.value), fact.origin) for fact in kept], width())
    for line in (*lines, *(wrapped(note, width()) for note in about.notes)):
        click.echo(inert(line))
    return 0


def describe(name: str, provider: str, stock: Stock) -> About:
    """All facts about a model, the server's own words first. Raises InputError for an unknown provider."""
    from optimizer.cli.consent import known_provider
    from optimizer.models.memory import GIB, USUAL_WINDOW, estimate

    catalogue, endpoints = stock.models.catalogue(), stock.models.endpoints()
    card, note = None, ""
    where = known_provider(endpoints, provider) if provider else home(name, stock)
    if endpoints[where].vendor.manages_models:
        card, note = ask_card(name, endpoints[where], stock.models.gate())
    stated = catalogue.facts(name, where)
    facts = [
        Stated(fact, one.value, f"your row {one.row!r}" if one.own else f"shipped row {one.row!r}")
        for fact, one in stated.items()
    ]
    if card:
        facts = [*_from_server(card), *facts]
    if endpoints[where].local:
        facts = [Stated("tier", "local", "it runs on this machine"), *(one for one in facts if one.name != "tier")]
    if endpoints[where].local or endpoints[where].vendor.manages_models:
        needed = estimate(name, USUAL_WINDOW, catalogue.billions(name, where))
        if needed.bytes:
            figure = f"{needed.bytes / GIB:.1f} GiB"
            facts.append(Stated("memory", figure, f"estimate with a window of {USUAL_WINDOW:,}: {needed.why}"))
    unknown = UNKNOWN if not any(one.row != "*" for one in stated.values()) else ""
    return About(name, where, tuple(facts), tuple(filter(None, (note, unknown))))


def home(name: str, stock: Stock) -> str:
    """The provider that serves a model by its name: a server that said so last, or whom a row names; else Ollama."""
    from optimizer.models.available import homes_of

    endpoints = stock.models.endpoints()
    homes = homes_of(name, stock.models.catalogue(), endpoints, stock.config.places.state)
    return next((one for one in homes if one and (endpoints[one].wire or ":" not in name)), OLLAMA)


def ask_card(name: str, endpoint: Endpoint, gate: Gate) -> tuple[Card | None, str]:
    """What Ollama says of a model, or None and why not."""
    from optimizer.errors import ConsentMissing, ModelMissing, ProviderError
    from optimizer.models.available import listens
    from optimizer.providers.ollama import open_shelf

    if endpoint.local and not listens(endpoint):
        return None, f"Ollama does not answer at {endpoint.host}; this is from the catalogue (try: ollama serve)"
    try:
        with open_shelf(endpoint, gate) as shelf:
            return shelf.card(name), ""
    except ModelMissing:
        return None, f"Ollama does not hold it (try: optimize models pull {name})"
    except (ProviderError, ConsentMissing) as error:
        return None, f"{error.message}; this is from the catalogue (try: {error.hint})"


def _from_server(card: Card) -> list[Stated]:
    named = {
        "window made for": card.window,
        "size": card.parameters,
        "quantisation": card.quantisation,
        "can": ", ".join(card.capabilities),
        "licence text": card.licence,
    }
    return [Stated(name, value, "server") for name, value in named.items() if value]


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset | tuple) else value


def _spoken(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(sorted(value)) or "none" if isinstance(value, frozenset | tuple) else str(value)
