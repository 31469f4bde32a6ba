"""The signals of a ranking as a person reads them: each file with its score, its strongest signals first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli.terminal import paint, width
from optimizer.report.layout import cells, inert

if TYPE_CHECKING:
    from optimizer.context.rank import ExplainedFile

WIDE = 100  # columns where the table is no terminal's
BETWEEN = "   "


def print_signals(files: Sequence[ExplainedFile], as_json: bool) -> None:
    """Print the ranked files, best first, with all signals that say something of them."""
    from optimizer.context.weights import FILE_WEIGHTS

    if not files and not as_json:
        click.echo("Nothing in this repository resembles the request.")
    for place, file in enumerate(files, 1):
        if as_json:
            click.echo(json.dumps(signals_object(file), ensure_ascii=False))
            continue
        click.echo(f"{place:>3}. {paint(inert(file.path), fg='cyan')}  {file.score:.4f}")
        of_file = {name: value for name, value in file.columns.items() if name not in FILE_WEIGHTS}
        weighed = sorted(
            (name for name in FILE_WEIGHTS if file.columns.get(name)),
            key=lambda name: -FILE_WEIGHTS[name] * file.columns[name],
        )
        _print_cells([(name, file.columns[name]) for name in weighed])
        _print_cells([(name, value) for name, value in of_file.items() if value], dim=True)


def signals_object(file: ExplainedFile) -> dict[str, Any]:
    """A ranked file and its signals in the form that other programs rely on."""
    signals: Mapping[str, float] = {name: round(value, 4) for name, value in file.columns.items()}
    return {"path": file.path, "score": file.score, "signals": signals}


def _print_cells(values: Sequence[tuple[str, float]], dim: bool = False) -> None:
    """Names and values in as many columns as fit, row by row."""
    named = [f"{name:<12} {value:>5.2f}" for name, value in values]
    each = max(map(cells, named), default=0) + len(BETWEEN)
    columns = max(1, ((width() or WIDE) - 5 + len(BETWEEN)) // each) if each else 1
    for row in _rows(named, columns):
        line = BETWEEN.join(f"{cell:<{each - len(BETWEEN)}}" for cell in row).rstrip()
        click.echo(f"     {paint(line, dim=True) if dim else line}")


def _rows(named: Sequence[str], columns: int) -> Iterable[Sequence[str]]:
    return (named[at : at + columns] for at in range(0, len(named), columns))
