"""`optimize metrics`: requests, success and cost of a day."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options, show
from optimizer.report.money import dollars

if TYPE_CHECKING:
    from optimizer.ledger.summary import DailySummary


@click.command("metrics")
@click.option("--daily", is_flag=True, expose_value=False, help="The figures of one day (the default).")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Which day; default: today.")
@options.project
@options.as_json
def command(day: datetime | None, project: Path | None, as_json: bool) -> int:
    """Show requests, success rate, cost by model and latency of a day, from the ledger."""
    from optimizer.ledger.summary import daily as summarise
    from optimizer.ledger.summary import day_bounds

    chosen = day.date() if day else date.today()
    with options.open_services(project, {}) as services:
        start, end = day_bounds(chosen)
        summary = summarise(services.calls.ledger().records(start, end), chosen)
    click.echo(json.dumps(show.plain(summary)) if as_json else text(summary))
    return 0


def text(summary: DailySummary) -> str:
    """The day as a person reads it."""
    lines = [f"Daily Metrics ({summary.date}):", f"  Total Requests: {summary.requests}"]
    if not summary.requests:
        return "\n".join(lines)
    lines += [f"  Success Rate: {summary.success_rate or 0:.1%}", "  Costs:"]
    width = max(len(label.label) for label in summary.labels) + 1
    for part in summary.labels:
        count = f"{part.requests} request{'s' if part.requests != 1 else ''}"
        unknown = f", {part.unknown} of unknown price" if part.unknown else ""
        lines.append(f"    {part.label + ':':<{width}} {dollars(part.cost)} ({count}, {part.share:.0%}{unknown})")
    lines.append(f"    {'Total:':<{width}} {dollars(summary.total)}")
    if summary.latency:
        p50, p95, p99 = (
            f"{seconds:.2f} s" for seconds in (summary.latency.p50, summary.latency.p95, summary.latency.p99)
        )
        lines.append(f"  Performance: P50 {p50} / P95 {p95} / P99 {p99} latency")
    return "\n".join(lines)
