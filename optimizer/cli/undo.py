"""`optimize undo`: take back what was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.report.layout import inert

if TYPE_CHECKING:
    from optimizer.edits.write import Restored

merge_flag = click.option(
    "--merge", is_flag=True, help="Keep what was done to the files since, where both fit together (needs git)."
)


@click.command("undo")
@click.argument("count", default=1, type=click.IntRange(1))
@merge_flag
@options.project
@options.as_json
def command(count: int, merge: bool, project: Path | None, as_json: bool) -> int:
    """Take back the last COUNT changes, byte for byte.

    Only files that still are what was written are touched; where one has changed since, nothing is, unless --merge can
    keep both. `optimize redo` reverses it.
    """
    from optimizer.edits.write import undo
    from optimizer.git.merge import three_way

    stands = options.stand(project)
    root, state = stands.root.path, stands.config.places.state
    restored = undo(root, stands.journal, count, three_way(root, state) if merge else None)
    report("undone", restored, as_json)
    told(restored, count, "nothing is left to undo here", "taken back", as_json)
    book(restored, "declined", state)
    return 0


def report(event: str, restored: tuple[Restored, ...], as_json: bool) -> None:
    """Print what became of each file."""
    for item in restored:
        if as_json:
            fields = {"entry": item.entry, "path": item.path, "what": item.what}
            click.echo(json.dumps({"event": event, **fields}, ensure_ascii=False))
        else:
            click.echo(f"{item.what:<10} {inert(item.path)}")


def book(restored: tuple[Restored, ...], outcome: str, state: Path) -> None:
    """Let the ledger know what became of the changes after all. Raises StorageError."""
    from optimizer.ledger.store import open_ledger

    ledger = open_ledger(state)
    try:
        for request in dict.fromkeys(item.request for item in restored if item.request):
            ledger.reconsider(request, outcome)
    finally:
        ledger.close()


def told(restored: tuple[Restored, ...], count: int, nothing: str, done: str, as_json: bool) -> None:
    """Say which changes it was, and when there were fewer than asked for."""
    changes = list(dict.fromkeys(item.entry for item in restored))
    if as_json:
        return
    if not changes:
        click.echo(f"{nothing}; optimize log lists what was written", err=True)
        return
    short = ", ".join(change.lstrip("0") for change in changes)
    fewer = "; there were no more" if len(changes) < count else ""
    click.echo(f"{done}: change{'s' if len(changes) > 1 else ''} {short}{fewer}", err=True)
