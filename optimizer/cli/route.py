"""`optimize route`: who would be asked for a request, in what order and why; nobody is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from optimizer.cli import options, show
from optimizer.cli.terminal import inert
from optimizer.events import Routed
from optimizer.types import Attempt, LeftOut


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
    with options.open_parts(project, given) as parts:
        events = list(engine.run(query, parts, dry_run=True))
    routed = next((event for event in events if isinstance(event, Routed)), None)
    if as_json:
        click.echo(json.dumps({"event": "route", **(show.plain(routed) if routed else {"tier": "index"})}))
    elif routed is None:
        click.echo("the index answers this: no model is asked, and it costs nothing")
    else:
        click.echo(inert(text(routed, explain)))
    return 0


def text(routed: Routed, explain: bool) -> str:
    """The decision as a person reads it."""
    lines = [routed.route.reason, f"  because {'; '.join(routed.task.reasons)}"]
    lines += _numbered(routed.route.attempts)
    if explain:
        lines += _left(routed.route.left_out)
    elif routed.route.left_out:
        count = len(routed.route.left_out)
        lines.append(f"{count} left out; --explain says why")
    return "\n".join(lines)


def _numbered(attempts: tuple[Attempt, ...]) -> list[str]:
    from optimizer.engine.climb import where

    lines, number = list[str](), 0
    place = max((len(where(one.model)) for one in attempts), default=0)
    width = max((len(one.model.id) for one in attempts), default=0)
    for one in attempts:
        number += not one.standby
        mark = "   " if one.standby else f"{number:>2}."
        lines.append(f"{mark} {one.model.id:<{width}}  {one.model.tier:<7}  {where(one.model):<{place}}  {one.reason}")
    return lines


def _left(left_out: tuple[LeftOut, ...]) -> list[str]:
    lines = ["left out:"] if left_out else []
    for left in left_out:
        cure = f" (try: {left.cure})" if left.cure else ""
        lines.append(f"    {left.model or left.provider}, {left.tier}: {left.why}{cure}")
    return lines
