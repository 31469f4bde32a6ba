"""`optimize find`, `refs`, `deps` and `map`: answers from the index alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.cli.terminal import emit, failure, notice, paint, width
from optimizer.errors import InputError, NotFound
from optimizer.lookup.questions import Citation, Lookup, LookupKind
from optimizer.report import wire
from optimizer.report.figures import count
from optimizer.report.layout import cells, cut, inert

if TYPE_CHECKING:
    from optimizer.context.outline import Outline
    from optimizer.engine.services import Workspace

LEAST_SPACE = 40  # columns right of a place; where there are fewer, the text goes below
within_flag = click.option("--in", "within", default="", metavar="PATH", help="Search this file or folder only.")


@click.command("find")
@click.argument("symbol_or_file")
@within_flag
@options.project
@options.as_json
def find(symbol_or_file: str, within: str, project: Path | None, as_json: bool) -> int:
    """Find SYMBOL_OR_FILE: path:line, kind and signature of each definition.

    A symbol is a name (parse), optionally with its class or module (Parser.parse, parser::parse). If nothing is found,
    the nearest names are listed and the exit code is 3. Several words are a request: optimize find bugs in the parser.
    """
    return _ask("where", symbol_or_file, within, project, as_json)


@click.command("refs")
@click.argument("symbol")
@within_flag
@options.project
@options.as_json
def refs(symbol: str, within: str, project: Path | None, as_json: bool) -> int:
    """List the uses of SYMBOL: calls, imports and other mentions in code, matched by name.

    Strings and comments are not searched. If the name is neither defined nor used, the exit code is 3.
    """
    return _ask("callers", symbol, within, project, as_json)


@click.command("deps")
@click.argument("file")
@click.option("--reverse", is_flag=True, help="List what imports FILE instead.")
@options.project
@options.as_json
def deps(file: str, reverse: bool, project: Path | None, as_json: bool) -> int:
    """List what FILE (or a folder) imports, with the file each import resolves to.

    With --reverse, FILE may also be a module from outside the repository.
    """
    return _ask("importers" if reverse else "imports", file, "", project, as_json)


@click.command("map")
@click.argument("path", required=False)
@click.option(
    "--tokens", metavar="N", default=2000, show_default=True, type=click.IntRange(50), help="Size of the outline."
)
@options.project
@options.as_json
def map_(path: str | None, tokens: int, project: Path | None, as_json: bool) -> int:
    """Outline the repository, or PATH within it: the most important files with their most used definitions.

    A file is important when many others import it and use its names. Source comes first, then tests and documentation,
    then vendored and generated files.
    """
    from optimizer.context.outline import outline

    with options.open_refreshed(project) as services:
        workspace = services.workspace
        made = outline(workspace.index, tokens, _files_within(workspace, path) if path else None)
    if as_json:
        for file in made.files:
            for record in wire.outlined(file):
                emit(record)
    else:
        _print_outline(made)
    return 0


# ── questions ────────────────────────────────────────────────────────────────────────────────────


def _ask(kind: LookupKind, subject: str, within: str, project: Path | None, as_json: bool) -> int:
    """Answer a lookup on stdout; if nothing is found, report the nearest names on stderr with exit code 3."""
    from optimizer.lookup.answer import answer

    if not _bare(subject):
        raise InputError("the name is empty", "name a symbol, a file or a folder")
    with options.open_refreshed(project) as services:
        if within:
            _files_within(services.workspace, within)
        named = (_as_indexed(services.workspace, _bare(word)) for word in (subject, within))
        answered = answer(Lookup(kind, next(named), within=next(named)), services.workspace.index)
    if not answered.found:
        hint = f'as a request: optimize "find {subject}"' if kind == "where" else ""
        _print_missing(answered.citations, hint, as_json)
        return NotFound.exit_code
    if as_json:
        _emit_rows(answered.citations)
    else:
        _print_rows(answered.citations)
    return 0


def _files_within(workspace: Workspace, path: str) -> frozenset[str]:
    from optimizer.lookup.names import files, nearest
    from optimizer.lookup.unseen import not_here

    named = _as_indexed(workspace, _bare(path))
    found = files(workspace.index, named)
    if not found:
        near = nearest(named, workspace.index.paths())
        hint = f"did you mean {' or '.join(near[:3])}?" if near else "name a file or folder of this repository"
        if (away := not_here(workspace.index, "")).files or named in away.submodules:
            hint = "submodules and files outside a sparse checkout are not indexed: check them out, or index them there"
        raise NotFound(f"no file or folder {path!r} in this repository", hint)
    return frozenset(found)


def _bare(word: str) -> str:
    """A name or path as typed, without call parentheses or a leading `./`."""
    return word.strip().removesuffix("()").removeprefix("./")


def _as_indexed(workspace: Workspace, named: str) -> str:
    """A path relative to the current directory as the index names it; anything else unchanged."""
    here, root = Path.cwd(), workspace.root
    if not named or here == root or not ("/" in named or "." in named):
        return named
    full = Path(os.path.normpath(here / named))
    return full.relative_to(root).as_posix() if full.is_relative_to(root) and full.exists() else named


# ── answers ──────────────────────────────────────────────────────────────────────────────────────


def _print_rows(rows: Sequence[Citation], err: bool = False) -> None:
    """Print rows as lines; remarks go to stderr, and what is too long for the terminal is cut."""
    from optimizer.lookup.questions import cited

    for place, text in cited(rows):
        if not place:
            notice(text)
        elif err:
            click.echo(f"{inert(place)}  {inert(text)}", err=True)
        else:
            _print_cited(inert(place), inert(text), width())


def _print_cited(place: str, text: str, columns: int | None) -> None:
    space = columns and columns - cells(place) - 2
    if space is None or space >= min(cells(text), LEAST_SPACE):
        click.echo(f"{paint(place, fg='cyan')}  {cut(text, space)}")
    else:
        click.echo(paint(place, fg="cyan"))
        click.echo(f"    {cut(text, columns and columns - 4)}")


def _emit_rows(rows: Sequence[Citation]) -> None:
    for row in rows:
        if row.path:
            emit(wire.row(row))
        elif row.text:
            notice(row.text)


def _print_missing(rows: Sequence[Citation], hint: str, as_json: bool) -> None:
    if as_json:
        emit(wire.not_found(NotFound.exit_code, rows[0].text, hint, rows))
    failure(rows[0].text)
    _print_rows(rows[1:], err=True)
    failure("", hint)


def _print_outline(made: Outline) -> None:
    from optimizer.context.outline import as_text

    columns = width()
    for file in made.files:
        path, *lines = as_text(file)
        click.echo(paint(inert(path), fg="cyan"))
        for line in lines:
            click.echo(cut(inert(line), columns))
    shown = f"{count(made.tokens, 'token')}, {len(made.files):,} of {count(made.total, 'file')}"
    notice(shown if made.files else "no files to outline")
