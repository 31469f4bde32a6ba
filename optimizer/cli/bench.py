"""`optimize bench`: measure the choice of context on the repository's own commits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.cli.terminal import emit
from optimizer.report import wire
from optimizer.report.figures import count

if TYPE_CHECKING:
    from optimizer.engine.bench import Retrieval


@click.group("bench", cls=options.Group)
def command() -> None:
    """Run benchmarks on this repository, without any model."""


@command.command("retrieval")
@click.option(
    "--commits", metavar="N", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Number of commits."
)
@options.project
@options.as_json
def retrieval_command(commits: int, project: Path | None, as_json: bool) -> int:
    """Measure how well code is found from commit messages.

    Each of the last commits that change one to ten source files is looked up at its parent, in a temporary folder;
    nothing is written into the repository and nothing is sent.
    """
    from optimizer.engine import bench

    with options.open_services(project, {}) as services:
        measured = bench.retrieval(services.workspace, commits)
    if as_json:
        emit(wire.plain(measured))
    else:
        click.echo(text(measured))
    return 0


def text(measured: Retrieval) -> str:
    """The figures as people read them."""
    left_out = f" ({measured.left_out} left out: some of their files are missing)" if measured.left_out else ""
    bodies = "no function changed"
    if measured.bodies is not None:
        bodies = f"{measured.bodies:.1%} of {measured.functions} changed functions"
    lines = [
        f"{count(measured.commits, 'commit')}, each looked up at its parent by its message{left_out}",
        *(f"  {f'recall@{rank}':<16}{share:>6.1%}" for rank, share in measured.recall.items()),
        f"  {'whole bodies':<16}{bodies}",
        f"  {'context':<16}{measured.tokens:,} tokens on average",
        f"  {'time to choose':<16}{measured.milliseconds_median:.0f} ms median, {measured.milliseconds_p95:.0f} ms p95",
    ]
    return "\n".join(lines)
