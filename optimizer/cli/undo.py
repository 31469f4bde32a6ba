"""`optimize undo`: take back what was written."""

from __future__ import annotations

import json
from pathlib import Path

import click

from optimizer.cli import options
from optimizer.cli.terminal import inert


@click.command("undo")
@click.argument("count", default=1, type=click.IntRange(1))
@options.project
@options.as_json
def command(count: int, project: Path | None, as_json: bool) -> int:
    """Take back the last COUNT changes, byte for byte.

    Only files that still are what was written are touched; where one has changed since, nothing is.
    """
    from optimizer.edits import write

    with options.open_parts(project, {}) as parts:
        restored = write.undo(parts.root, parts.journal, count)
    if not restored and not as_json:
        click.echo("there is nothing to undo in this repository", err=True)
    for item in restored:
        if as_json:
            click.echo(json.dumps({"event": "undone", "entry": item.entry, "path": item.path, "what": item.what}))
        else:
            click.echo(f"{item.what} {inert(item.path)}")
    return 0
