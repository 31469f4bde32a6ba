"""A context as a table: each file with its score and why, its bodies with their lines, its signatures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import click

from optimizer.cli.terminal import USUAL, paint, width
from optimizer.report.evidence import phrase
from optimizer.report.figures import count
from optimizer.report.layout import cells, cut, cut_start, inert, pad
from optimizer.retrieval import Context, ContextItem, RankedFile

LEAST_NAME = 16
LEAST_WHY = 24  # columns below which a reason is not begun


def print_context(context: Context) -> None:
    """Each file with its score and why; below it the bodies, and its signatures in one line."""
    if not context.items:
        return
    columns = _columns()
    scores = {file.path: (file.score, file.why) for file in context.files}
    groups = {path: tuple(items) for path, items in groupby(context.items, key=lambda item: item.path)}
    widest = max((cells(item.symbol) for item in context.items if item.kind != "signature"), default=0)
    names = max(LEAST_NAME, min(widest, columns * 2 // 5))
    for path, items in groups.items():
        score, why = scores.get(path, (items[0].score, items[0].why))
        _print_file(
            inert(path),
            f"{score:.2f}  {sum(item.tokens for item in items):,} tokens",
            inert(phrase(why, context.query)),
            columns,
        )
        for body in _bodies(items):
            _print_body(body, phrase(body[0].why, context.query), names, columns)
        if outline := [item for item in items if item.kind == "signature"]:
            signatures = f"{len(outline)} signature{'s' if len(outline) > 1 else ''}"
            click.echo(f"{'outline':>12}  {signatures}, {sum(item.tokens for item in outline):,} tokens")
    _print_unsent([file for file in context.files if file.path not in groups], context.query, columns)


def print_files(context: Context, most: int | None = None) -> None:
    """Each file with its tokens and why it would be sent; of more than `most`, how many more there are."""
    columns = _columns()
    whys = {file.path: phrase(file.why, context.query) for file in context.files}
    groups = [(path, sum(one.tokens for one in some)) for path, some in groupby(context.items, lambda one: one.path)]
    for path, tokens in groups[:most]:
        _print_file(inert(path), f"{tokens:,} tokens", inert(whys.get(path, "")), columns)
    if most is not None and len(groups) > most:
        click.echo(f"and {count(len(groups) - most, 'more file')}")


def _columns() -> int:
    """The columns that the table takes: those of the terminal, or of a usual one where it goes elsewhere."""
    return width() or USUAL[0]


def _bodies(items: Sequence[ContextItem]) -> Iterable[list[ContextItem]]:
    """The items of one file that hold code, those of one definition together."""
    bodies: dict[str, list[ContextItem]] = {}
    for item in items:
        if item.kind != "signature":
            bodies.setdefault(item.symbol, []).append(item)
    return bodies.values()


def _print_body(pieces: list[ContextItem], why: str, names: int, columns: int) -> None:
    first = pieces[0]
    name = inert(first.symbol) or ("whole file" if first.kind == "file" else "rest of the file")
    lines = f"{first.start}-{first.end}" + (f" +{len(pieces) - 1}" if len(pieces) > 1 else "")
    tokens = sum(item.tokens for item in pieces)
    line = f"{lines:>12}  {pad(cut_start(name, names), names)}  {tokens:>6,}"
    space = columns - cells(line) - 2
    why = "" if space < LEAST_WHY else cut(inert(why), space)
    click.echo(f"{line}  {paint(why, dim=True)}" if why else line)


def _print_file(path: str, figures: str, why: str, columns: int) -> None:
    line = f"{paint(path, fg='cyan')}  {figures}"
    if not why:
        click.echo(line)
        return
    space = columns - cells(f"{path}  {figures}") - 2
    if space >= min(cells(why), LEAST_WHY):
        click.echo(f"{line}  {paint(cut(why, space), dim=True)}")
    else:
        click.echo(line)
        click.echo(f"  {paint(cut(why, columns - 2), dim=True)}")


def _print_unsent(files: Sequence[RankedFile], query: str, columns: int) -> None:
    if files:
        click.echo("\nranked below, nothing of them would be sent:")
    for file in files:
        line = f"  {inert(file.path)}  {file.score:.2f}  "
        space = columns - cells(line)
        click.echo(line.rstrip() if space < LEAST_WHY else line + cut(inert(phrase(file.why, query)), space))
