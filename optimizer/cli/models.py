"""`optimize models`: the models there are, what is known about them, and the one pinned to this project."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from optimizer.cli import local_models, options
from optimizer.cli.terminal import emit, notice, paint, width
from optimizer.reasons import NoAnswer, NoKey, Unfit
from optimizer.report import reasons, wire
from optimizer.report.figures import size
from optimizer.report.layout import inert, table, wrapped
from optimizer.vendors import OLLAMA

if TYPE_CHECKING:
    from optimizer.models.inventory import Inventory, InventoryRow
    from optimizer.providers.door import Gate
    from optimizer.providers.endpoints import Endpoint
    from optimizer.providers.ollama import Card
    from optimizer.reasons import Reason
    from optimizer.types import LeftOut
    from optimizer.wiring.models import Stock

_LICENCE_MARKS = {"permissive": "p", "copyleft": "c", "restricted": "r"}
HEAD = ("    model", "tier", f"{'window':>9}", "where", "price", "state")


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
UNKNOWN = "no row matches it: these are careful defaults; describe it in models.toml"


class Stated(NamedTuple):
    """One fact, and its origin."""

    name: str
    value: Any
    origin: str


class About(NamedTuple):
    """What is known about a model at one provider."""

    id: str
    provider: str
    facts: tuple[Stated, ...]
    notes: tuple[str, ...]


@click.group("models", cls=options.Group, default="list")
def command() -> None:
    """List, pull, test and pin models; without a subcommand, list them."""


@command.command("list")
@options.project
@options.as_json
def list_command(project: Path | None, as_json: bool) -> int:
    """List the models on this machine and in the cloud.

    Each with its tier, window, price and health, and what is missing before it can be asked. Works without a network
    and without keys.
    """
    from optimizer.models.available import named

    with options.open_stock(project) as stock:
        found, pinned = taken(stock), stock.models.pinned()
        if as_json:
            for row in found.models:
                emit(wire.model(row, bool(pinned) and named(row.model, pinned), datetime.now(UTC).date()))
            for left in found.missing:
                emit({"event": "missing", **wire.missing(left)})
        else:
            click.echo(text(found, pinned, _dated()))
    return 0


@command.command("pin")
@click.argument("name")
@options.project
@options.as_json
def pin_command(name: str, project: Path | None, as_json: bool) -> int:
    """Ask only the model NAME in this project.

    It stays pinned until `optimize models unpin`. The pin is kept in your own state directory, not in the
    repository. --model and OPTIMIZER_MODEL override it.
    """
    from optimizer.config.suggest import did_you_mean
    from optimizer.errors import InputError
    from optimizer.models import pinned
    from optimizer.models.available import named

    with options.open_stock(project) as stock:
        rows = taken(stock).models
        row = next((one for one in rows if named(one.model, name)), None)
        unfit = stock.models.catalogue().unfit(name, row.model.provider if row else OLLAMA)
        if unfit:
            raise InputError(f"{name} cannot be used: {unfit}", "choose another: optimize models list")
        if row is None and not any(stock.models.catalogue().homes(name)):
            near = did_you_mean(name, [one.model.id for one in rows])
            raise InputError(f"no model is named {name!r} here", near or f"optimize models pull {name}")
        pinned.pin(stock.config.places.state, str(stock.root), row.model.id if row else name)
        if as_json:
            emit({"event": "use", "model": name, "project": str(stock.root)})
        else:
            line = f"{name} is pinned to {stock.root}; unpin it with: optimize models unpin"
            click.echo(wrapped(inert(line), width()))
        if row and row.left:
            hint = reasons.hint(row.left)
            notice(f"it cannot be asked yet: {reasons.why(row.left)}" + (f"; {hint}" if hint else ""))
    return 0


@command.command("unpin")
@options.project
@options.as_json
def unpin_command(project: Path | None, as_json: bool) -> int:
    """Let the router choose the models of this project again."""
    from optimizer.models import pinned

    with options.open_stock(project) as stock:
        had = pinned.unpin(stock.config.places.state, str(stock.root))
    if as_json:
        emit({"event": "unlock", "had": had, "project": str(stock.root)})
    else:
        click.echo("unpinned: the router chooses again" if had else "no model is pinned to this project")
    return 0


def taken(stock: Stock) -> Inventory:
    """All models, with what keeps some of them from being asked."""
    from optimizer.models.inventory import Sources, inventory

    models, config = stock.models, stock.config
    now = datetime.now(UTC)

    def health(some: Any) -> Any:
        limits = {f"{one.provider}/{one.id}": () for one in some}
        return {name: standing.health for name, standing in models.states().read(limits, str(stock.root)).items()}

    return inventory(
        Sources(
            catalogue=models.catalogue(),
            endpoints=models.endpoints(),
            settings=config.settings,
            features=config.features,
            gate=models.gate(),
            rates=lambda some: models.rates(some, now),
            health=health,
            consented=models.consented,
            suggested=lambda: models.suggested(seeing=False),
            now=time.time(),
        )
    )


def text(found: Inventory, pinned: str, dated: str) -> str:
    """The models as people read them; what several of them lack alike is shown once, below them."""
    columns, lines = width(), list[str]()
    below = {(left.provider, left.reason): left for left in found.missing}
    alike = Counter((row.left.provider, row.left.reason) for row in found.models if row.left)
    below |= {
        key: row.left for row in found.models if row.left and alike[key := (row.left.provider, row.left.reason)] > 1
    }
    for title, local in (("On this machine", True), ("In the cloud", False)):
        rows = [_row(row, pinned, below) for row in found.models if row.model.local == local]
        if rows:
            head, *body = table([HEAD, *rows], columns, "")
            lines += [paint(title, bold=True), paint(head, dim=True), *map(inert, body), ""]
    if below:
        below_rows = [(_unavailable(left), reasons.hint(left)) for left in below.values()]
        lines += [*map(inert, table(below_rows, columns, "", flowing=False)), ""]
    if pinned:
        lines.append(
            wrapped(inert(f"* {pinned} is pinned to this project; unpin it with: optimize models unpin"), columns)
        )
    return "\n".join([*lines, wrapped(dated, columns, 0)])


def _unavailable(left: LeftOut) -> str:
    named = isinstance(left.reason, NoKey | NoAnswer)  # these reasons name the provider themselves
    return reasons.why(left) if named else f"{left.provider}: {reasons.why(left)}"


def _row(row: InventoryRow, pinned: str, below: Collection[tuple[str, Reason]]) -> tuple[str, ...]:
    from optimizer.models.available import named

    model = row.model
    mark = ("*" if pinned and named(model, pinned) else " ") + ("i" if model.vision else " ")
    mark += "t" if model.trains else _LICENCE_MARKS.get(model.licence, " ")
    where = model.provider if not row.size else f"{model.provider}, {size(row.size)}"
    state = reasons.state(row.health) if row.health else ""
    if row.left:
        hint = "" if isinstance(row.left.reason, Unfit) else reasons.hint(row.left)
        apart = f"{reasons.why(row.left)}; {hint}" if hint else reasons.why(row.left)
        state = "see below" if (row.left.provider, row.left.reason) in below else apart
    state = ", ".join(filter(None, ("loaded" if model.resident else "", state)))
    return f"{mark} {model.id}", model.tier, f"{model.window:>9,}", where, _priced(row), state


def _priced(row: InventoryRow) -> str:
    """The price of a million tokens, in and out, in dollars."""
    if row.price is None:
        return "unknown"
    return f"{row.price[0]:.2f}/{row.price[1]:.2f}" if any(row.price) else "free"


def _dated() -> str:
    from importlib.metadata import version

    day = datetime.now(UTC).date().isoformat()
    return (
        "i takes images; t: what it is sent may be used for training\n"
        "Licence of open weights: p permissive, c copyleft, r restricted; others are proprietary or unknown\n"
        "Window in tokens; price in dollars for a million tokens in/out of a short prompt, as listed "
        f"by genai-prices {version('genai-prices')} on {day}."
    )


# ── facts ────────────────────────────────────────────────────────────────────────────────────────


@command.command("show")
@click.argument("name")
@click.option("--provider", metavar="NAME", help=options.PROVIDER_MEANT)
@options.project
@options.as_json
def show_command(name: str, provider: str | None, project: Path | None, as_json: bool) -> int:
    """Show all that is known about the model NAME.

    Each fact with its origin: the server, a row of your models.toml, or a shipped row.
    """
    return _print_facts(name, provider, project, as_json, lambda _: True)


@command.command("limits")
@click.argument("name")
@click.option("--provider", metavar="NAME", help=options.PROVIDER_MEANT)
@options.project
@options.as_json
def limits_command(name: str, provider: str | None, project: Path | None, as_json: bool) -> int:
    """Show the limits of the model NAME.

    Its window, longest answer, parameters and quotas, each with its origin.
    """
    return _print_facts(name, provider, project, as_json, lambda fact: fact.name in LIMITS)


def _print_facts(
    name: str, provider: str | None, project: Path | None, as_json: bool, keep: Callable[[Stated], bool]
) -> int:
    with options.open_stock(project) as stock:
        about = describe(name, provider or "", stock)
    kept = [fact for fact in about.facts if keep(fact)]
    if as_json:
        emit(wire.facts(about, kept))
        return 0
    click.echo(inert(f"{about.id} at {about.provider}"))
    origins = {fact.origin for fact in kept}
    if len(origins) == 1:
        lines = [*table([(fact.name, _shown(fact.value)) for fact in kept], width()), f"all from the {origins.pop()}"]
    else:
        lines = table([(fact.name, _shown(fact.value), fact.origin) for fact in kept], width())
    for line in (*lines, *(wrapped(note, width()) for note in about.notes)):
        click.echo(inert(line))
    return 0


def describe(name: str, provider: str, stock: Stock) -> About:
    """All facts about a model, the server's own first. Raises InputError for an unknown provider."""
    from optimizer.cli.consent import known_provider
    from optimizer.models.memory import GIB, USUAL_WINDOW, estimate
    from optimizer.report.memory import estimated

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
            facts.append(Stated("memory", figure, f"estimate with a window of {USUAL_WINDOW:,}: {estimated(needed)}"))
    unknown = UNKNOWN if not any(one.row != "*" for one in stated.values()) else ""
    return About(name, where, tuple(facts), tuple(filter(None, (note, unknown))))


def home(name: str, stock: Stock) -> str:
    """The provider that serves a model: a server that listed it, or the one of its row; else Ollama."""
    from optimizer.models.available import homes_of

    endpoints = stock.models.endpoints()
    homes = homes_of(name, stock.models.catalogue(), endpoints, stock.config.places.state)
    return next((one for one in homes if one and (endpoints[one].wire or ":" not in name)), OLLAMA)


def ask_card(name: str, endpoint: Endpoint, gate: Gate) -> tuple[Card | None, str]:
    """What Ollama knows about a model, or None and why not."""
    from optimizer.errors import ConsentMissing, ModelMissing, ProviderError
    from optimizer.models.available import listens
    from optimizer.providers.ollama import open_shelf

    if endpoint.local and not listens(endpoint):
        return None, f"Ollama does not answer at {endpoint.host}; this is from the catalogue (try: ollama serve)"
    try:
        with open_shelf(endpoint, gate) as shelf:
            return shelf.card(name), ""
    except ModelMissing:
        return None, f"Ollama does not have it (try: optimize models pull {name})"
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


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(sorted(value)) or "none" if isinstance(value, frozenset | tuple) else str(value)


for _name in ("pull", "rm", "status", "recommend", "test"):
    command.add_command(local_models.COMMANDS[_name])
for _alias, _name in (("use", "pin"), ("unlock", "unpin"), ("ps", "status")):
    command.add_alias(_alias, _name)
