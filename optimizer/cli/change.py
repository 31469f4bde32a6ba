"""`optimize show`: one change as it was written, as a diff."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options, show
from optimizer.cli.log import WORDS, when
from optimizer.cli.terminal import paint
from optimizer.errors import NotFound
from optimizer.report.layout import inert

if TYPE_CHECKING:
    from optimizer.edits.journal import Entry


@click.command("show")
@click.argument("id", required=False, type=click.IntRange(1))
@click.option("--as-written", is_flag=True, help="Of a change that was merged later: what was written first.")
@options.project
@options.as_json
def command(id: int | None, as_written: bool, project: Path | None, as_json: bool) -> int:
    """Show the change ID as a diff; without ID the newest one. `optimize log` lists them."""
    from optimizer.edits.journal import entries, load, place_of
    from optimizer.report.diff import unified
    from optimizer.types import FileChange, Patch

    stands = options.stand(project)
    entry = _chosen(entries(stands.journal, stands.root.path), id)
    place = place_of(stands.journal, os.path.realpath(stands.root.path))
    record = load(place, entry.id, "first" if as_written and entry.merged else entry.state)
    patch = Patch(tuple(FileChange(kept.path, kept.before, kept.after) for kept in record.files))
    if as_json:
        fields = {"event": "change", "id": entry.id, "at": entry.at, "state": WORDS[entry.state], "label": entry.label}
        files = {"files": list(entry.paths), "merged": record.merged, "diff": unified(patch)}
        click.echo(json.dumps(fields | files, ensure_ascii=False))
        return 0
    merged = f", merged with later work {when(record.merged)}" if record.merged else ""
    head = f"change {entry.id.lstrip('0')}, {when(entry.at)}, {WORDS[entry.state]}{merged}"
    click.echo(paint(head, err=True, bold=True), err=True)
    if entry.label:
        click.echo(inert(entry.label), err=True)
    click.echo(show.diff_text(patch))
    return 0


def _chosen(found: tuple[Entry, ...], number: int | None) -> Entry:
    if not found:
        raise NotFound("no change was written here yet", 'optimize "REQUEST" writes one')
    for entry in found:
        if number is None or int(entry.id) == number:
            return entry
    raise NotFound(f"the journal has no change {number}", "optimize log lists those it has")
