"""`optimize helper`: start, stop and look at the process that does tasks in the background."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.cli.terminal import emit, notice
from optimizer.errors import NotFound
from optimizer.report import helper as report

if TYPE_CHECKING:
    from optimizer.queue.task import Task

SHOWN = 10


@click.group("helper", cls=options.Group, default="status")
def command() -> None:
    """Start, stop and look at the helper: a process that does tasks in the background and ends when there are none.

    No other command waits for it. It asks no model.
    """


@command.command("start")
@options.project
@options.as_json
@click.pass_context
def start(ctx: click.Context, project: Path | None, as_json: bool) -> int:
    """Start the helper, and let it bring the index of this repository up to date."""
    from optimizer.wiring.background import begin

    config = options.configuration(project)
    begin(config.places.state, options.root(project), config.settings.helper_idle)
    return int(ctx.invoke(status, project=project, as_json=as_json))


@command.command("status")
@options.project
@options.as_json
def status(project: Path | None, as_json: bool) -> int:
    """Show what the helper does, what waits, and what failed and why (the default)."""
    now = _status(options.configuration(project).places.state)
    if as_json:
        emit(report.wire(now))
    else:
        click.echo(report.status(now))
    return 0


@command.command("stop")
@options.project
def stop(project: Path | None) -> int:
    """End the helper; what it was doing waits for the next one."""
    from optimizer.tasks.contact import holder, stop

    state = options.configuration(project).places.state
    click.echo("stopped" if holder(state) and stop(state) else "the helper does not run")
    return 0


@command.command("logs")
@click.option("--lines", type=click.IntRange(1), default=50, show_default=True, help="Most lines.")
@options.project
def logs(lines: int, project: Path | None) -> int:
    """Show the last lines of the helper's log."""
    from optimizer.tasks.contact import LOG

    for line in _last(options.configuration(project).places.state / LOG, lines):
        click.echo(line)
    return 0


@command.command("cancel")
@click.argument("task", type=int)
@options.project
def cancel(task: int, project: Path | None) -> int:
    """Cancel a task by its number; one that runs is broken off."""
    from optimizer.queue.store import Queue

    with closing(Queue(options.configuration(project).places.state, tell=notice)) as queue:
        state = queue.cancel(task)
    if state is None:
        raise NotFound(f"no task {task}", "optimize helper status")
    click.echo("it is broken off" if state == "running" else state)
    return 0


def _last(path: Path, most: int) -> Iterator[str]:
    if path.exists():
        yield from path.read_text(encoding="utf-8", errors="replace").splitlines()[-most:]


def _status(state: Path) -> report.Status:
    from optimizer.queue.store import Queue
    from optimizer.tasks.contact import ask, holder

    held, now = holder(state), time.time()
    with closing(Queue(state, tell=notice)) as queue:
        return report.Status(
            pid=held.pid if held else 0,
            seconds=now - held.since if held else 0.0,
            answers=bool(held and ask(held, "status")),
            running=[_line(one, now - one.begun) for one in queue.listed("running", SHOWN)],
            waiting=[_line(one, now - one.made) for one in queue.listed("waiting", SHOWN)],
            failed=[_line(one, now - one.made) for one in queue.listed("failed", SHOWN)],
            counts={str(name): number for name, number in queue.counts().items()},
        )


def _line(one: Task, since: float) -> report.Line:
    return report.Line(one.id, one.kind, one.repository, since, one.note, one.why, one.detail, one.attempts)
