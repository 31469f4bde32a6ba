"""`optimize metrics`: requests, success and cost of a day, or of several."""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import click

from optimizer.cli import options
from optimizer.cli.terminal import emit, notice
from optimizer.report import spending, wire

DAYS = 7


@click.command("metrics")
@click.option("--daily", is_flag=True, help=f"Show a row for each of the {DAYS} days up to that day too.")
@click.option(
    "--date", "day", metavar="YYYY-MM-DD", type=click.DateTime(["%Y-%m-%d"]), help="Day to show; default: today."
)
@options.project
@options.as_json
def command(daily: bool, day: datetime | None, project: Path | None, as_json: bool) -> int:
    """Show requests, success rate, cost by model and latency of a day, from the ledger."""
    from optimizer.ledger.store import day_bounds, open_ledger
    from optimizer.ledger.summary import daily as summarise

    last = day.date() if day else date.today()
    days = [last - timedelta(days=back) for back in range(DAYS if daily else 1)]
    with closing(open_ledger(options.configuration(project).places.state, notice)) as ledger:
        summaries = [summarise(ledger.records(*day_bounds(one)), one) for one in days]
    if as_json:
        for summary in summaries:
            emit(wire.plain(summary))
        return 0
    if daily:
        click.echo(spending.days(summaries[::-1]) + "\n")
    click.echo(spending.day(summaries[0]))
    return 0
