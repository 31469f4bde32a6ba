"""`optimize map`: a ranked outline of the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import answers, options, terminal
from optimizer.cli.terminal import paint, width
from optimizer.errors import NotFound
from optimizer.lookup.questions import Row
from optimizer.report.layout import cut, inert

if TYPE_CHECKING:
    from optimizer.context.outline import Outline
    from optimizer.engine.services import Services


@click.command("map")
@click.argument("path", required=False)
@click.option("--tokens", default=2000, show_default=True, type=click.IntRange(50), help="How large it may be.")
@options.project
@options.as_json
def command(path: str | None, tokens: int, project: Path | None, as_json: bool) -> int:
    """Outline the repository, or PATH within it: the files that matter most, with their most used definitions.

    A file matters when many others import it and use its names. Tests and documentation come after all source,
    vendored and generated files last.
    """
    from optimizer.context.outline import outline
    from optimizer.engine import prepare

    with options.open_services(project, {}, looks=True) as services:
        refreshed = prepare.refresh(services.workspace)
        if refreshed.notice:
            terminal.notice(refreshed.notice)
        made = outline(services.workspace.index, tokens, _within(services, path) if path else None)
    if as_json:
        _print_json(made)
    else:
        _print_text(made)
    return 0


def _within(services: Services, path: str) -> frozenset[str]:
    from optimizer.lookup.names import files, nearest

    named = answers.path_from_here(services, answers.bare(path))
    found = files(services.workspace.index, named)
    if not found:
        near = nearest(named, services.workspace.index.paths())
        hint = f"did you mean {' or '.join(near[:3])}?" if near else "name a file or folder of this repository"
        raise NotFound(f"there is no file or folder {path} in this repository", hint)
    return frozenset(found)


def _print_text(made: Outline) -> None:
    from optimizer.context.outline import as_text

    columns = width()
    for file in made.files:
        path, *lines = as_text(file)
        click.echo(paint(inert(path), fg="cyan"))
        for line in lines:
            click.echo(cut(inert(line), columns))
    shown = len(made.files)
    terminal.notice(
        f"{made.tokens:,} tokens, {shown:,} of {made.total:,} files" if shown else "there is no file to outline here"
    )


def _print_json(made: Outline) -> None:
    for file in made.files:
        click.echo(json.dumps({"path": file.path, "kind": "file", "score": file.score}, ensure_ascii=False))
        for symbol in file.symbols:
            row = Row(symbol.signature, symbol.path, symbol.line, symbol.kind, symbol.qualified)
            click.echo(json.dumps(answers.row_object(row), ensure_ascii=False))
