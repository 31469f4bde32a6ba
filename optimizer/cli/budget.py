"""`optimize budget`: what today has cost, the caps, and what is left."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.report.money import dollars

if TYPE_CHECKING:
    from optimizer.config.load import Config
    from optimizer.ledger.caps import Caps, Spent

CAPS = {"run": "budget.run", "day": "budget.day", "ask": "budget.ask"}


@click.group("budget", invoke_without_command=True)
@options.project
@options.as_json
@click.pass_context
def command(ctx: click.Context, project: Path | None, as_json: bool) -> int:
    """Show what today has cost, the caps, and what is left.

    When the cap of the day is spent, local and free models are still asked; when none of them can do it, the run
    ends with exit code 10.
    """
    if ctx.invoked_subcommand is None:
        with options.open_stock(project) as stock:
            click.echo(_shown(stock.config, as_json))
    return 0


@command.command("set")
@click.argument("cap", type=click.Choice(list(CAPS)))
@click.argument("dollars")
@options.project
@options.as_json
def set_command(cap: str, dollars: str, project: Path | None, as_json: bool) -> int:
    """Set the cap of a run or of a day, or what asks first.

    `ask` is the price above which one call asks first. DOLLARS is an amount, or off.
    """
    from optimizer.config.edit import set_value

    amount = _amount(dollars)
    with options.open_stock(project) as stock:
        set_value(stock.config.places.config_file, CAPS[cap], amount)
    with options.open_stock(project) as stock:
        click.echo(_shown(stock.config, as_json))
    return 0


def _amount(text: str) -> float:
    if text.lower() in ("off", "none"):
        return -1.0
    try:
        amount = float(text.removeprefix("$"))
    except ValueError:
        amount = -1.0
    if not 0 <= amount <= 100_000:
        raise click.BadParameter(f"{text!r} is no amount of dollars up to 100,000, nor off", param_hint="DOLLARS")
    return amount


def _shown(config: Config, as_json: bool) -> str:
    from optimizer.ledger import caps
    from optimizer.ledger.store import open_ledger

    limits, ledger = caps.caps_from(config.settings), open_ledger(config.places.state)
    try:
        spent = caps.spent_today(ledger, datetime.now(UTC))
    finally:
        ledger.close()
    if as_json:
        return json.dumps(fields(limits, spent))
    return text(limits, spent)


def fields(limits: Caps, spent: Spent) -> dict[str, object]:
    """The figures as programs read them: micro-dollars, None where there is no cap."""
    from optimizer.ledger.caps import counted

    used = counted(spent, limits)
    return {
        "event": "budget",
        "spent": spent.cost,
        "unknown_calls": spent.unknown,
        "counted": used,
        "caps": {"run": limits.run, "day": limits.day, "ask": limits.ask},
        "left": None if limits.day is None else max(0, limits.day - used),
    }


def text(limits: Caps, spent: Spent) -> str:
    """The figures as a person reads them."""
    from optimizer.ledger.caps import counted

    def cap(amount: int | None) -> str:
        return "no cap" if amount is None else dollars(amount)

    used = counted(spent, limits)
    lines = [f"Spent today:   {dollars(spent.cost)}"]
    if spent.unknown:
        plural = "s" if spent.unknown != 1 else ""
        lines.append(
            f"               and {spent.unknown} call{plural} of unknown price, counted as {dollars(used - spent.cost)}"
        )
    share = f" ({used / limits.day:.0%} used)" if limits.day else ""
    left = "no cap" if limits.day is None else dollars(max(0, limits.day - used))
    lines += [
        f"Cap of a day:  {cap(limits.day)}{share}",
        f"Left today:    {left}",
        f"Cap of a run:  {cap(limits.run)}",
        f"Asks first:    {'never' if limits.ask is None else 'above ' + dollars(limits.ask) + ' a call'}",
    ]
    return "\n".join(lines)
