"""`optimize bench`: measure the choice of context on the repository's own commits."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options, terminal
from optimizer.cli.terminal import emit
from optimizer.errors import BudgetReached
from optimizer.events import Notice, T
from optimizer.report import wire
from optimizer.report.figures import count, money

if TYPE_CHECKING:
    from optimizer.engine.bench import Retrieval
    from optimizer.engine.bench_reader import Compared
    from optimizer.events import Event


@click.group("bench", cls=options.Group)
def command() -> None:
    """Run benchmarks on this repository."""


@command.command("retrieval")
@click.option(
    "--commits", metavar="N", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Number of commits."
)
@click.option("--reader", metavar="MODEL", help="Compare with this model naming the files to read; it is called.")
@click.option("--yes", "-y", is_flag=True, help="With --reader: make expensive calls without asking.")
@options.project
@options.as_json
def retrieval_command(commits: int, reader: str | None, yes: bool, project: Path | None, as_json: bool) -> int:
    """Measure how well code is found from commit messages.

    Each of the last commits that change one to ten source files is looked up at its parent, in a temporary folder;
    nothing is written into the repository and nothing is sent. With --reader, a model is sent each message with the
    paths and signatures of the files found: the number of calls and their price are shown first, and caps hold.
    """
    if yes and not reader:
        raise click.UsageError("--yes goes with --reader")
    if reader:
        compared = _compared(reader, commits, yes, project)
        if as_json:
            emit(wire.plain(compared))
        else:
            click.echo(comparison(compared))
        return BudgetReached.exit_code if compared.unasked else 0
    from optimizer.engine import bench

    with options.open_services(project, {}) as services:
        measured = bench.retrieval(services.workspace, commits)
    if as_json:
        emit(wire.plain(measured))
    else:
        click.echo(text(measured))
    return 0


def _compared(model: str, commits: int, yes: bool, project: Path | None) -> Compared:
    """What a reader gives, with the plan shown before the first call."""
    from optimizer.cli.answers import Answers
    from optimizer.cli.live import Live
    from optimizer.engine import bench_reader
    from optimizer.engine.run import answered
    from optimizer.report import progress

    with Live() as live, options.open_services(project, {"model": model}, live=live) as services:
        answers = Answers(yes, terminal.interactive(), lambda _: live.paused())
        made = _noticed(answered(bench_reader.plan(services, commits), answers))
        terminal.notice(progress.will_read(len(made.changes), made.model.id, made.tokens, made.cost))
        return _noticed(answered(bench_reader.compare(made, services), answers))


def _noticed(events: Generator[Event, None, T]) -> T:
    """The result of a flow; what a person should know of its calls is shown."""
    try:
        while True:
            event = next(events)
            if isinstance(event, Notice) and event.kind not in ("starting", "read"):
                terminal.notice(event.text)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        events.close()


def text(measured: Retrieval) -> str:
    """The figures as people read them."""
    bodies = "no function changed"
    if measured.bodies is not None:
        bodies = f"{measured.bodies:.1%} of {measured.functions} changed functions"
    lines = [
        _looked_up(measured.commits, measured.left_out),
        *(f"  {f'recall@{rank}':<16}{share:>6.1%}" for rank, share in measured.recall.items()),
        f"  {'whole bodies':<16}{bodies}",
        f"  {'context':<16}{measured.tokens:,} tokens on average",
        f"  {'time to choose':<16}{measured.milliseconds_median:.0f} ms median, {measured.milliseconds_p95:.0f} ms p95",
    ]
    return "\n".join(lines)


def comparison(compared: Compared) -> str:
    """The figures without and with a reader, side by side, and what it cost."""
    before, after = compared.without, compared.with_reader
    rows = [(f"Acc@{rank}", share, after.accuracy[rank]) for rank, share in before.accuracy.items()]
    if before.bodies is not None and after.bodies is not None:
        rows.append(("whole bodies", before.bodies, after.bodies))
    lines = [
        _looked_up(compared.commits, compared.left_out),
        f"  {'':<16}{'without':>9}{'with':>9}",
        *(f"  {name:<16}{without:>9.1%}{with_reader:>9.1%}" for name, without, with_reader in rows),
        f"  {'changed':<16}{count(compared.functions, 'function')}",
        f"  {'reader':<16}{compared.model} named files for {compared.named} of {count(compared.commits, 'commit')}",
        f"  {'cost':<16}{count(compared.calls, 'call')}, {compared.input_tokens:,} tokens in, "
        f"{compared.output_tokens:,} out, {money(compared.cost)}",
    ]
    if compared.unasked:
        lines.append(f"  {'stopped':<16}{count(compared.unasked, 'commit')} not asked: a cap would break")
    return "\n".join(lines)


def _looked_up(commits: int, left_out: int) -> str:
    missing = f" ({left_out} left out: some of their files are missing)" if left_out else ""
    return f"{count(commits, 'commit')}, each looked up at its parent by its message{missing}"
