"""`optimize deps`: what a file imports, and what imports it."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli import answers, options


@click.command("deps")
@click.argument("file")
@click.option("--reverse", is_flag=True, help="List what imports FILE instead.")
@options.project
@options.as_json
def command(file: str, reverse: bool, **given: Any) -> int:
    """List what FILE (or a folder) imports, each with the file it leads to.

    With --reverse, FILE may also be a module from outside the repository.
    """
    return answers.ask("importers" if reverse else "imports", file, "", given)
