"""`optimize verify`: check uncommitted changes."""

from __future__ import annotations

import sys
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.cli.live import Live
from optimizer.cli.terminal import emit, notice, width
from optimizer.errors import ChecksFailed
from optimizer.events import Event, Notice
from optimizer.report import checks as reasons
from optimizer.report import status, wire
from optimizer.report.figures import count
from optimizer.report.layout import inert, wrapped
from optimizer.report.outcome import verdict_text

if TYPE_CHECKING:
    from optimizer.types import Patch, Verdict
    from optimizer.verify.commands import Run


@click.command("verify")
@click.option("--explain", is_flag=True, help="Show what would run and why, test by test; run nothing.")
@options.project
@options.as_json
def command(explain: bool, project: Path | None, as_json: bool) -> int:
    """Check uncommitted changes the way a model's answer is checked.

    The changes against HEAD are checked in a scratch copy: your files, git's index and stash are not touched. The
    linter, type checker and tests run only if you allowed them: optimize trust.
    """
    from optimizer.verify import commands, prove, uncommitted

    with options.open_refreshed(project) as services:
        means = services.workspace.means()
        patch = uncommitted.uncommitted(means.root)
        if not patch.changes:
            if as_json:
                emit(wire.verdict(None))
            else:
                click.echo("no changes")
            return 0
        runs = commands.plan(patch, services.workspace.index, means)
        _explain(patch, runs, as_json, explain)
        if explain:
            return 0
        with Live() as live:
            verdict = _judged(prove.judge(patch, services.workspace.index, means, runs), live)
    _tell(verdict, as_json)
    return 0 if verdict.ok else ChecksFailed.exit_code


def _judged(judging: Generator[Event, None, Verdict], live: Live) -> Verdict:
    while True:
        try:
            event = next(judging)
        except StopIteration as done:
            verdict: Verdict = done.value
            return verdict
        if not isinstance(event, Notice):
            continue
        if live.mode == "plain":
            notice(event.text)
        live.show(partial(status.doing, event.text))


def _explain(patch: Patch, runs: tuple[Run, ...], as_json: bool, explain: bool) -> None:
    if as_json:
        emit(wire.plan([change.path for change in patch.changes], [(run, _skipped(run)) for run in runs]))
        return
    changed = count(len(patch.changes), "changed file")
    if not explain:
        notice(changed)
        return
    click.echo(f"{changed}: {inert(', '.join(change.path for change in patch.changes))}")
    for run in runs:
        state = reasons.not_run(_skipped(run)) if run.skip else "would be run"
        found = f"{inert(run.command.text)} ({inert(reasons.found_by(run.command.by))})"
        click.echo(f"{run.command.kind}: {found} · {inert(state)}")
        for test in run.tests:
            click.echo(f"  {inert(test.path)}  {inert(reasons.reached_by(test.by))}")
        if run.further:
            others = count(len(run.further), "other test file")
            click.echo(f"  {others}, after those and only if they are quick")
    if not runs:
        click.echo(reasons.NO_COMMAND)


def _skipped(run: Run) -> str:
    return reasons.skipped(run.skip, run.command.text, run.command.kind) if run.skip else ""


def _tell(verdict: Verdict, as_json: bool) -> None:
    if as_json:
        emit(wire.verdict(verdict))
        return
    click.echo(wrapped(inert(verdict_text(verdict)), width()))
    for check in verdict.checks:
        if check.passed is False and check.evidence not in ("", check.detail):
            click.echo(f"\n{check.name}:")
            for line in check.evidence.split("\n"):
                click.echo(wrapped(f"  {inert(line)}", width()))
    sys.stdout.flush()
