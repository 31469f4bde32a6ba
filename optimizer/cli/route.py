"""`optimize route`: who would be asked for a request, in what order and why; nobody is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from optimizer.cli import options, show
from optimizer.cli.terminal import width
from optimizer.events import Routed
from optimizer.report.layout import inert, wrapped


@click.command("route")
@click.argument("request", nargs=-1, required=True)
@options.images
@options.model_flags
@click.option("--explain", is_flag=True, help="Also say why each other model is left out.")
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
    """Show which models would be asked for REQUEST, in what order and why, and what it may cost.

    Nothing is sent to any model.
    """
    from optimizer.engine import run as engine
    from optimizer.retrieval import Query

    query = Query(" ".join(request), images=options.attached(images))
    with options.open_services(project, given, query=query) as services:
        events = list(engine.run(query, services, engine.Options(dry_run=True)))
    routed = next((event for event in events if isinstance(event, Routed)), None)
    if as_json:
        click.echo(json.dumps({"event": "route", **(show.route_object(routed) if routed else {"tier": "index"})}))
    elif routed is None:
        click.echo("the index answers this: no model is asked, and it costs nothing")
    else:
        click.echo(text(routed, explain))
    return 0


def text(routed: Routed, explain: bool) -> str:
    """The decision as a person reads it."""
    from optimizer.report import decision

    columns, left = width(), routed.route.left_out
    lines = [wrapped(inert(decision.summary(routed.task, routed.route)), columns)]
    lines.append(wrapped(inert(decision.why(routed.task)), columns))
    lines += ["", *decision.attempts(routed.route, columns)] if routed.route.attempts else []
    if explain and left:
        lines += ["", "left out:", *decision.left_out(left, columns)]
    elif left:
        lines += ["", f"{len(left):,} left out; --explain says why"]
    return "\n".join(lines)
