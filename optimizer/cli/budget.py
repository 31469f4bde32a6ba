"""`optimize budget`: what today has cost, the caps, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from optimizer.cli import options
from optimizer.cli.terminal import emit, notice
from optimizer.report import spending, wire

CAPS: Mapping[str, str] = {"run": "budget.run", "day": "budget.day", "ask": "budget.ask"}
NO_CAP = -1.0
MOST_DOLLARS = 100_000


@click.group("budget", cls=options.Group, default="show")
def command() -> None:
    """Show what today has cost, the caps, and what is left.

    Once the cap of the day is reached, only local and free models are asked; if none of them succeeds, the exit code is
    10.
    """


@command.command("show")
@options.project
@options.as_json
def show_command(project: Path | None, as_json: bool) -> int:
    """Show what today has cost, the caps, and what is left (the default)."""
    from optimizer.ledger import caps
    from optimizer.ledger.store import open_ledger

    config = options.configuration(project)
    limits = caps.caps_from(config.settings)
    with closing(open_ledger(config.places.state, notice)) as ledger:
        spent = caps.spent_today(ledger, datetime.now(UTC))
    counted = caps.counted(spent, limits)
    if as_json:
        emit(wire.budget(limits, spent, counted))
    else:
        click.echo(spending.budget(limits, spent, counted))
    return 0


@command.command("set")
@click.argument("cap", type=options.Choice(list(CAPS)))
@click.argument("dollars")
@options.project
@options.as_json
@click.pass_context
def set_command(ctx: click.Context, cap: str, dollars: str, project: Path | None, as_json: bool) -> int:
    """Set the cap of a run or a day, or the price that asks first.

    A call that may cost more than `ask` asks first. DOLLARS is an amount, or off.
    """
    from optimizer.config.edit import set_value

    amount = _amount(dollars)
    set_value(options.configuration(project).places.config_file, CAPS[cap], amount)
    return int(ctx.invoke(show_command, project=project, as_json=as_json))


def _amount(text: str) -> float:
    if text.lower() in ("off", "none"):
        return NO_CAP
    try:
        amount = float(text.removeprefix("$"))
    except ValueError:
        amount = NO_CAP
    if not 0 <= amount <= MOST_DOLLARS:
        raise click.BadParameter(f"{text!r} is neither an amount up to {MOST_DOLLARS:,} nor off", param_hint="DOLLARS")
    return amount
