"""`optimize models`: which models there are, what they can do and cost, and which one is asked here."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import model_care, model_facts, model_fit, options
from optimizer.cli.terminal import notice, paint, width
from optimizer.humanize import size
from optimizer.reasons import Unfit
from optimizer.report import reasons
from optimizer.report.layout import inert, table, wrapped
from optimizer.vendors import OLLAMA

if TYPE_CHECKING:
    from optimizer.models.inventory import Inventory, Listed
    from optimizer.reasons import Reason
    from optimizer.wiring.models import Stock

HEAD = ("   model", "tier", f"{'window':>9}", "where", "price", "state")


@click.group("models", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Show which models there are, get and remove local ones, and choose the one that is asked here.

    Without a subcommand, they are listed.
    """
    return int(ctx.invoke(list_command)) if ctx.invoked_subcommand is None else 0


@command.command("list")
@options.project
@options.as_json
def list_command(project: Path | None = None, as_json: bool = False) -> int:
    """List the models on this machine and in the cloud.

    Each with its tier, window, price and health, and what it lacks to be asked. Works without a network and without
    keys.
    """
    with options.open_stock(project) as stock:
        found, kept = taken(stock), stock.models.pinned()
        dated = _dated()
        if as_json:
            for row in found.models:
                click.echo(json.dumps(fields(row, kept), ensure_ascii=False))
            for left in found.missing:
                what = {"event": "missing", "provider": left.provider, "tier": left.tier}
                click.echo(
                    json.dumps({**what, "why": reasons.why(left), "cure": reasons.hint(left)}, ensure_ascii=False)
                )
        else:
            click.echo(text(found, kept, dated))
    return 0


@command.command("use")
@click.argument("name")
@options.project
@options.as_json
def use_command(name: str, project: Path | None, as_json: bool) -> int:
    """Ask only the model NAME in this project.

    It holds until `optimize models unlock`. Kept in your own state directory, not in the repository. --model and
    OPTIMIZER_MODEL are nearer.
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
            click.echo(json.dumps({"event": "use", "model": name, "project": str(stock.root)}))
        else:
            said = f"only {name} is asked in {stock.root}; take it back with: optimize models unlock"
            click.echo(wrapped(inert(said), width()))
        if row and row.left:
            hint = reasons.hint(row.left)
            notice(f"as things are it cannot be asked: {reasons.why(row.left)}" + (f"; {hint}" if hint else ""))
    return 0


@command.command("unlock")
@options.project
@options.as_json
def unlock_command(project: Path | None, as_json: bool) -> int:
    """Let the router choose the models of this project again."""
    from optimizer.models import pinned

    with options.open_stock(project) as stock:
        had = pinned.unpin(stock.config.places.state, str(stock.root))
    if as_json:
        click.echo(json.dumps({"event": "unlock", "had": had, "project": str(stock.root)}))
    else:
        click.echo("the router chooses again" if had else "no model was chosen for this project")
    return 0


for _name, _command in (
    ("pull", model_care.pull),
    ("rm", model_care.remove),
    ("show", model_facts.show),
    ("limits", model_facts.limits),
    ("status", model_care.status),
    ("ps", model_care.status),
    ("recommend", model_fit.recommend),
    ("test", model_fit.test),
):
    command.add_command(_command, _name)


def taken(stock: Stock) -> Inventory:
    """All models that a user has, with what keeps some from being asked."""
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
            now=time.time(),
        )
    )


def fields(row: Listed, kept: str) -> dict[str, Any]:
    """A model as programs read it; prices in dollars a million tokens, null where unknown."""
    from optimizer.models.available import named

    model = row.model
    return {
        "event": "model",
        "id": model.id,
        "provider": model.provider,
        "host": row.host,
        "tier": model.tier,
        "local": model.local,
        "loaded": model.resident,
        "window": model.window,
        "max_output": model.max_output,
        "tools": model.tools,
        "vision": model.vision,
        "licence": model.licence,
        "size": row.size or None,
        "price": None if row.price is None else {"input": row.price[0], "output": row.price[1]},
        "priced_at": datetime.now(UTC).date().isoformat(),
        "health": reasons.state(row.health),
        "chosen": bool(kept) and named(model, kept),
        "can_be_asked": row.left is None,
        "why": reasons.why(row.left) if row.left else "",
        "cure": reasons.hint(row.left) if row.left else "",
    }


def text(found: Inventory, kept: str, dated: str) -> str:
    """The models as a person reads them; what several of them lack alike is told once, below them."""
    columns, lines = width(), list[str]()
    below = {(left.provider, left.reason): left for left in found.missing}
    alike = Counter((row.left.provider, row.left.reason) for row in found.models if row.left)
    below |= {
        key: row.left for row in found.models if row.left and alike[key := (row.left.provider, row.left.reason)] > 1
    }
    for title, local in (("On this machine", True), ("In the cloud", False)):
        rows = [_row(row, kept, below) for row in found.models if row.model.local == local]
        if rows:
            head, *body = table([HEAD, *rows], columns, "")
            lines += [paint(title, bold=True), paint(head, dim=True), *map(inert, body), ""]
    if below:
        said = [(f"{left.provider}: {reasons.why(left)}", reasons.hint(left)) for left in below.values()]
        lines += [*map(inert, table(said, columns, "", flowing=False)), ""]
    if kept:
        lines.append(
            wrapped(inert(f"* only {kept} is asked in this project; end that: optimize models unlock"), columns)
        )
    return "\n".join([*lines, wrapped(dated, columns, 0)])


def _row(row: Listed, kept: str, below: Collection[tuple[str, Reason]]) -> tuple[str, ...]:
    from optimizer.models.available import named

    model = row.model
    mark = ("*" if kept and named(model, kept) else " ") + ("i" if model.vision else " ")
    where = model.provider if not row.size else f"{model.provider}, {size(row.size)}"
    state = reasons.state(row.health) if row.health else ""
    if row.left:
        hint = "" if isinstance(row.left.reason, Unfit) else reasons.hint(row.left)
        apart = f"{reasons.why(row.left)}; {hint}" if hint else reasons.why(row.left)
        state = "see below" if (row.left.provider, row.left.reason) in below else apart
    state = ", ".join(filter(None, ("loaded" if model.resident else "", state)))
    return f"{mark} {model.id}", model.tier, f"{model.window:>9,}", where, priced(row), state


def priced(row: Listed) -> str:
    """What a million tokens cost, in and out, in dollars."""
    if row.price is None:
        return "unknown"
    return f"{row.price[0]:.2f}/{row.price[1]:.2f}" if any(row.price) else "free"


def _dated() -> str:
    from importlib.metadata import version

    day = datetime.now(UTC).date().isoformat()
    return (
        "i takes images\nWindow in tokens; price in dollars for a million tokens in/out of a short prompt, as listed "
        f"by genai-prices {version('genai-prices')} on {day}."
    )
