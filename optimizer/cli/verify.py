"""`optimize verify`: prove the changes that are not committed yet."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import options, show, terminal
from optimizer.cli.terminal import width
from optimizer.errors import ChecksFailed
from optimizer.events import Event, Notice
from optimizer.report import checks as reasons
from optimizer.report.layout import inert, wrapped

if TYPE_CHECKING:
    from optimizer.types import Patch, Verdict
    from optimizer.verify.plan import Run


@click.command("verify")
@click.option("--explain", is_flag=True, help="Say what would be run and why, test by test; run nothing.")
@options.project
@options.as_json
def command(explain: bool, project: Path | None, as_json: bool) -> int:
    """Prove the changes that are not committed yet, as a model's answer is proved.

    The changes against HEAD are tried in a scratch copy: your files, git's index and stash stay as they are. Linter,
    type checker and tests run only once you allowed them: optimize trust.
    """
    from optimizer.engine import prepare
    from optimizer.verify import plan, prove, uncommitted

    with options.open_services(project, {}) as services:
        refreshed = prepare.refresh(services.workspace)
        if refreshed.notice:
            terminal.notice(refreshed.notice)
        means = services.workspace.means()
        patch = uncommitted.uncommitted(means.root)
        if not patch.changes:
            click.echo(json.dumps({"event": "verdict", "ok": True, "checks": []}) if as_json else "nothing has changed")
            return 0
        runs = plan.plan(patch, services.workspace.index, means)
        _explain(patch, runs, as_json, explain)
        if explain:
            return 0
        verdict = _judged(prove.judge(patch, services.workspace.index, means, runs), as_json)
    _tell(verdict, as_json)
    return 0 if verdict.ok else ChecksFailed.exit_code


def _judged(judging: Generator[Event, None, Verdict], as_json: bool) -> Verdict:
    while True:
        try:
            event = next(judging)
        except StopIteration as done:
            verdict: Verdict = done.value
            return verdict
        if isinstance(event, Notice) and not as_json:
            terminal.notice(event.text)


def _explain(patch: Patch, runs: tuple[Run, ...], as_json: bool, explain: bool) -> None:
    if as_json:
        files = [change.path for change in patch.changes]
        click.echo(json.dumps({"event": "plan", "files": files, "steps": [_object(run) for run in runs]}))
        return
    changed = f"{len(patch.changes)} changed file{'s' if len(patch.changes) != 1 else ''}"
    if not explain:
        terminal.notice(changed)
        return
    click.echo(f"{changed}: {inert(', '.join(change.path for change in patch.changes))}")
    for run in runs:
        state = reasons.not_run(_skipped(run)) if run.skip else "would be run"
        click.echo(f"{run.command.kind}: {inert(run.command.text)} ({inert(run.command.why)}) · {inert(state)}")
        for test in run.tests:
            click.echo(f"  {inert(test.path)}  {inert(test.why)}")
        if run.further:
            count = len(run.further)
            click.echo(f"  {count} other test file{'s' if count != 1 else ''}, after those and only when that is cheap")
    if not runs:
        click.echo("no command for tests, linter or types was found or configured")


def _skipped(run: Run) -> str:
    return reasons.skipped(run.skip, run.command.text, run.command.kind) if run.skip else ""


def _object(run: Run) -> dict[str, Any]:
    found = run.command
    fields = {
        "kind": found.kind,
        "command": found.text,
        "source": found.source,
        "why": found.why,
        "skip": _skipped(run),
    }
    return fields | {"files": list(run.files), "tests": [{"path": t.path, "why": t.why} for t in run.tests]}


def _tell(verdict: Verdict, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"event": "verdict", **show.plain(verdict)}, ensure_ascii=False))
        return
    click.echo(wrapped(inert(show.verdict_text(verdict)), width()))
    for check in verdict.checks:
        if check.passed is False and check.evidence:
            click.echo(f"\n{check.name}:")
            for line in check.evidence.split("\n"):
                click.echo(wrapped(f"  {inert(line)}", width()))
    sys.stdout.flush()
