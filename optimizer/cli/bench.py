"""`optimize bench`: measure the choice of context on the repository's own commits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options, show

if TYPE_CHECKING:
    from optimizer.engine.bench import Retrieval


@click.group("bench")
def command() -> None:
    """Measure the tool on this repository, without any model."""


@command.command("retrieval")
@click.option("--commits", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many commits.")
@options.project
@options.as_json
def retrieval_command(commits: int, project: Path | None, as_json: bool) -> int:
    """Measure whether the right code is chosen for past commits.

    By its message alone, what a commit changed is to be found. Each of the last commits that change one to ten source
    files is asked for at its parent, laid out in a temporary folder; nothing is written into the repository and nothing
    is sent.
    """
    from optimizer.engine import bench

    with options.open_services(project, {}) as services:
        measured = bench.retrieval(services.workspace, commits)
    click.echo(json.dumps(show.plain(measured), ensure_ascii=False) if as_json else text(measured))
    return 0


def text(measured: Retrieval) -> str:
    """The figures as a person reads them."""
    left_out = f" ({measured.left_out} left out: their files are not all here)" if measured.left_out else ""
    commits = "commit" if measured.commits == 1 else "commits"
    bodies = "no function changed"
    if measured.bodies is not None:
        bodies = f"{measured.bodies:.1%} of {measured.functions} changed functions"
    lines = [
        f"{measured.commits} {commits}, each asked for at its parent by its message{left_out}",
        *(f"  {f'recall@{rank}':<16}{share:>6.1%}" for rank, share in measured.recall.items()),
        f"  {'whole bodies':<16}{bodies}",
        f"  {'context':<16}{measured.tokens:,} tokens on average",
        f"  {'time to choose':<16}{measured.milliseconds_median:.0f} ms median, {measured.milliseconds_p95:.0f} ms p95",
    ]
    return "\n".join(lines)
