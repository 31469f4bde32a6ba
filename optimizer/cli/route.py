"""`optimize route`: the models that would be asked for a request, in order, and why; none is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from optimizer.cli import options
from optimizer.cli.terminal import emit, width
from optimizer.events import Routed
from optimizer.report import decision, wire
from optimizer.report.layout import inert, wrapped


@click.command("route")
@click.argument("request", nargs=-1, required=True)
@options.images
@options.model_flags
@click.option("--explain", is_flag=True, help="Also show licences, and why each other model is left out.")
@options.project
@options.as_json
def command(
    request: tuple[str, ...],
    images: tuple[str, ...],
    project: Path | None,
    explain: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """Show which models would be asked for REQUEST, in order, with reasons and prices.

    Nothing is sent to any model.
    """
    from optimizer.engine import run as engine
    from optimizer.engine.options import Options
    from optimizer.retrieval import Query

    query = Query(options.words(request), images=options.attached(images))
    with options.open_services(project, given, query=query) as services:
        events = list(engine.run(query, services, Options(dry_run=True)))
    routed = next((event for event in events if isinstance(event, Routed)), None)
    if as_json:
        emit({"event": "route", **(wire.route(routed) if routed else {"tier": "index"})})
    elif routed is None:
        click.echo("answered from the index: no model is asked, at no cost")
    else:
        click.echo(text(routed, explain))
    return 0


def text(routed: Routed, explain: bool) -> str:
    """The decision as people read it."""
    columns, left = width(), routed.route.left_out
    lines = [wrapped(inert(decision.summary(routed.task, routed.route)), columns)]
    lines.append(wrapped(inert(decision.why(routed.task)), columns))
    lines += ["", *decision.attempts(routed.route, columns, explain)] if routed.route.attempts else []
    if explain and left:
        lines += ["", "left out:", *decision.left_out(left, columns)]
    elif left:
        lines += [] if routed.route.attempts else map(inert, decision.cures(left, columns))
        lines += ["", f"{len(left):,} left out; --explain shows why"]
    return "\n".join(lines)
