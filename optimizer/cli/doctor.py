"""`optimize doctor`: what is protected on this machine, by which layer, and what is not."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.cli.terminal import emit, paint, width
from optimizer.report import diagnosis, wire
from optimizer.report.figures import count
from optimizer.report.layout import inert, table

if TYPE_CHECKING:
    from optimizer.report.diagnosis import Finding


@click.command("doctor")
@options.project
@options.as_json
def command(project: Path | None, as_json: bool) -> int:
    """Show what is protected here, by what, and what is not.

    Runs `true` in each layer that could confine commands, and asks the network nothing. A line that begins with ! is a
    warning, with its cure below it.
    """
    from optimizer.wiring.diagnose import findings

    with options.open_stock(project) as stock:
        found = tuple(findings(stock, options.start(project)))
    warnings = sum(bool(diagnosis.cure(one)) for one in found)
    if as_json:
        for one in found:
            emit(wire.finding(one))
        emit({"event": "doctor", "warnings": warnings})
        return 0
    for line in _lines(found):
        click.echo(line)
    click.echo()
    click.echo(count(warnings, "warning") if warnings else "no warnings")
    return 0


def _lines(found: tuple[Finding, ...]) -> list[str]:
    """A line for each finding, the name of its area on the first of each, and the cure below a warning."""
    rows: list[tuple[str, str, str]] = []
    for area, group in groupby(found, key=diagnosis.area):
        for number, one in enumerate(group):
            mark = "!" if diagnosis.cure(one) else "-" if area == diagnosis.OPEN else " "
            rows.append((mark, "" if number else area, diagnosis.text(one)))
            if cure := diagnosis.cure(one):
                rows.append(("", "", f"try: {cure}"))
    lines = [inert(line) for line in table(rows, width(), "")]
    return [paint(line, fg="yellow") if line.startswith("!") else line for line in lines]
