"""`optimize models`: which models there are, what they can do and cost, and which one is asked here."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import model_care, model_facts, model_fit, options
from optimizer.cli.notices import notice
from optimizer.cli.terminal import inert, paint

if TYPE_CHECKING:
    from optimizer.models.inventory import Inventory, Listed
    from optimizer.wiring.models import Stock


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
    """List the models on this machine and in the cloud: tier, window, price, health, and what is missing.

    Works without a network and without keys.
    """
    with options.open_stock(project) as stock:
        found, kept = taken(stock), stock.models.kept()
        dated = _dated()
        if as_json:
            for row in found.models:
                click.echo(json.dumps(fields(row, kept), ensure_ascii=False))
            for left in found.missing:
                what = {"event": "missing", "provider": left.provider, "tier": left.tier}
                click.echo(json.dumps({**what, "why": left.why, "cure": left.cure}, ensure_ascii=False))
        else:
            click.echo(text(found, kept, dated))
    return 0


@command.command("use")
@click.argument("name")
@options.project
@options.as_json
def use_command(name: str, project: Path | None, as_json: bool) -> int:
    """Ask only the model NAME in this project, until `optimize models unlock`.

    Kept in your own state directory, not in the repository. --model and OPTIMIZER_MODEL are nearer.
    """
    from optimizer.config.suggest import did_you_mean
    from optimizer.errors import InputError
    from optimizer.models import kept
    from optimizer.models.available import named

    with options.open_stock(project) as stock:
        rows = taken(stock).models
        row = next((one for one in rows if named(one.model, name)), None)
        unfit = stock.models.catalogue().unfit(name, row.model.provider if row else "ollama")
        if unfit:
            raise InputError(f"{name} cannot be used: {unfit}", "choose another: optimize models list")
        if row is None and not any(stock.models.catalogue().homes(name)):
            near = did_you_mean(name, [one.model.id for one in rows])
            raise InputError(f"no model is named {name!r} here", near or f"optimize models pull {name}")
        kept.use(stock.config.places.state, str(stock.root), row.model.id if row else name)
        if as_json:
            click.echo(json.dumps({"event": "use", "model": name, "project": str(stock.root)}))
        else:
            click.echo(inert(f"only {name} is asked in {stock.root}; take it back with: optimize models unlock"))
        if row and row.why:
            notice(f"as things are it cannot be asked: {row.why} (try: {row.cure})")
    return 0


@command.command("unlock")
@options.project
@options.as_json
def unlock_command(project: Path | None, as_json: bool) -> int:
    """Let the router choose the models of this project again."""
    from optimizer.models import kept

    with options.open_stock(project) as stock:
        had = kept.unlock(stock.config.places.state, str(stock.root))
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
        return {name: standing.health for name, standing in models.register().read(limits, str(stock.root)).items()}

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
        "licence": model.licence,
        "size": row.size or None,
        "price": None if row.price is None else {"input": row.price[0], "output": row.price[1]},
        "priced_at": datetime.now(UTC).date().isoformat(),
        "health": row.health,
        "chosen": bool(kept) and named(model, kept),
        "can_be_asked": not row.why,
        "why": row.why,
        "cure": row.cure,
    }


def text(found: Inventory, kept: str, dated: str) -> str:
    """The models as a person reads them."""
    lines: list[str] = []
    for title, local in (("On this machine", True), ("In the cloud", False)):
        rows = [row for row in found.models if row.model.local == local]
        if rows:
            table = _table(rows, kept, {left.provider for left in found.missing})
            lines += [paint(title, bold=True), *map(inert, table), ""]
    for left in found.missing:
        lines.append(inert(left.why + (f"  (try: {left.cure})" if left.cure else "")))
    if kept:
        lines.append(inert(f"only {kept} is asked in this project (optimize models unlock)"))
    return "\n".join([*lines, dated])


def _table(rows: list[Listed], kept: str, told: Collection[str]) -> list[str]:
    """A line a model; the cure is left out for providers that are told of below."""
    from optimizer.models.available import named

    wide = max(len(row.model.id) for row in rows)
    places = [row.model.provider + (f", {row.size / 1e9:.1f} GB" if row.size else "") for row in rows]
    room = max(16, *map(len, places))
    lines = []
    for row, where in zip(rows, places, strict=True):
        model = row.model
        mark = "*" if kept and named(model, kept) else " "
        cure = f" (try: {row.cure})" if row.why and model.provider not in told else ""
        state = row.why + cure if row.why else row.health
        loaded = "loaded, " if model.resident else ""
        lines.append(
            f"{mark} {model.id:<{wide}}  {model.tier:<7}  {model.window:>9,}  {where:<{room}}  {priced(row):<24}  "
            f"{loaded}{state}"
        )
    return lines


def priced(row: Listed) -> str:
    """What a million tokens cost."""
    if row.price is None:
        return "price unknown"
    return f"${row.price[0]:.2f} in, ${row.price[1]:.2f} out" if any(row.price) else "free"


def _dated() -> str:
    from importlib.metadata import version

    day = datetime.now(UTC).date().isoformat()
    return (
        f"Prices: list prices of {day} for a million tokens of a short prompt (genai-prices {version('genai-prices')})."
    )
