"""`optimize redo`: write again what was taken back."""

from __future__ import annotations

from pathlib import Path

import click

from optimizer.cli import options
from optimizer.cli.undo import book, merge_flag, report, told


@click.command("redo")
@click.argument("count", default=1, type=click.IntRange(1))
@merge_flag
@options.project
@options.as_json
def command(count: int, merge: bool, project: Path | None, as_json: bool) -> int:
    """Write the last COUNT changes that were taken back once more, the last one first.

    Only files that still are what the undo left are touched; where one has changed since, nothing is, unless --merge
    can keep both. A new change ends what could be redone before it.
    """
    from optimizer.edits.write import redo
    from optimizer.git.merge import three_way

    stands = options.stand(project)
    root, state = stands.root.path, stands.config.places.state
    restored = redo(root, stands.journal, count, three_way(root, state) if merge else None)
    report("redone", restored, as_json)
    told(restored, count, "nothing is there to redo", "written again", as_json)
    book(restored, "accepted", state)
    return 0
