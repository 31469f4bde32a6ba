"""What `find`, `refs` and `deps` share: ask the index one thing, and print the rows of its answer."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import options, terminal
from optimizer.cli.terminal import paint, width
from optimizer.errors import InputError, NotFound
from optimizer.lookup.questions import Lookup, LookupKind, Row
from optimizer.report.layout import cells, cut, inert

if TYPE_CHECKING:
    from optimizer.engine.services import Services

LEAST_ROOM = 40  # columns beside a place; where there are fewer, a line below is better


def ask(kind: LookupKind, subject: str, within: str, given: dict[str, Any]) -> int:
    """Answer a lookup on stdout; where nothing is found, say so with the nearest names on stderr, exit code 3."""
    from optimizer.engine import prepare
    from optimizer.lookup.answer import answer

    if not bare(subject):
        raise InputError("the name is empty", "name a symbol, a file or a folder")
    with options.open_services(given["project"], {}, looks=True) as services:
        refreshed = prepare.refresh(services.workspace)
        if refreshed.notice:
            terminal.notice(refreshed.notice)
        lookup = Lookup(kind, path_from_here(services, bare(subject)), within=path_from_here(services, bare(within)))
        answered = answer(lookup, services.workspace.index)
    if not answered.found:
        _missing(answered.rows, f'as a request: optimize "find {subject}"' if kind == "where" else "", given["as_json"])
        return NotFound.exit_code
    if given["as_json"]:
        _print_json(answered.rows)
    else:
        print_rows(answered.rows)
    return 0


def bare(word: str) -> str:
    """A name or path as typed, without the marks of a call or of this folder around it."""
    return word.strip().removesuffix("()").removeprefix("./")


def path_from_here(services: Services, named: str) -> str:
    """A file or folder named from where the user stands, as the index names it; anything else as it was."""
    here = Path.cwd()
    if not named or here == services.workspace.root or not ("/" in named or "." in named):
        return named
    full = Path(os.path.normpath(here / named))
    return (
        full.relative_to(services.workspace.root).as_posix()
        if full.is_relative_to(services.workspace.root) and full.exists()
        else named
    )


def print_rows(rows: Sequence[Row], err: bool = False) -> None:
    """Print rows as lines; remarks go to stderr, and what is too long for the terminal is cut."""
    from optimizer.lookup.lines import cited

    for place, said in cited(rows):
        if not place:
            terminal.notice(said)
        elif err:
            click.echo(f"{inert(place)}  {inert(said)}", err=True)
        else:
            _print_cited(inert(place), inert(said), width())


def _print_cited(place: str, said: str, columns: int | None) -> None:
    room = columns and columns - cells(place) - 2
    if room is None or room >= min(cells(said), LEAST_ROOM):
        click.echo(f"{paint(place, fg='cyan')}  {cut(said, room)}")
    else:
        click.echo(paint(place, fg="cyan"))
        click.echo(f"    {cut(said, columns and columns - 4)}")


def row_object(row: Row) -> dict[str, Any]:
    """A row in the form that other programs rely on; `target` is null for what lies outside the repository."""
    fields = {"path": row.path, "line": row.line, "kind": row.kind, "symbol": row.symbol, "text": row.text}
    return fields | {"target": row.target or None} if row.kind in ("imports", "imported") else fields


def _print_json(rows: Sequence[Row]) -> None:
    for row in rows:
        if row.path:
            click.echo(json.dumps(row_object(row), ensure_ascii=False))
        elif row.text:
            terminal.notice(row.text)


def _missing(rows: Sequence[Row], hint: str, as_json: bool) -> None:
    if as_json:
        near = [row_object(row) for row in rows if row.path]
        result = {"event": "result", "exit_code": NotFound.exit_code, "error": rows[0].text, "hint": hint}
        click.echo(json.dumps(result | {"near": near}, ensure_ascii=False))
    click.echo(paint("error: ", err=True, fg="red", bold=True) + inert(rows[0].text), err=True)
    print_rows(rows[1:], err=True)
    if hint:
        click.echo(paint("try:   ", err=True, fg="cyan") + inert(hint), err=True)
