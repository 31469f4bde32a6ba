"""`optimize verify`: prove the changes that are not committed yet."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import notices, options, show
from optimizer.cli.terminal import inert, width, wrapped
from optimizer.errors import ChecksFailed

if TYPE_CHECKING:
    from optimizer.types import Patch, Verdict
    from optimizer.verify.trial import Step


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
    from optimizer.verify import prove, uncommitted

    with options.open_services(project, {}) as services:
        refreshed = prepare.refresh(services)
        if refreshed.notice:
            notices.notice(refreshed.notice)
        means = services.workspace.means()
        patch = uncommitted.uncommitted(means.root)
        if not patch.changes:
            click.echo(json.dumps({"event": "verdict", "ok": True, "checks": []}) if as_json else "nothing has changed")
            return 0
        steps = prove.plan(patch, services.workspace.index, means)
        _explain(patch, steps, as_json, explain)
        if explain:
            return 0
        verdict = prove.prove(prove.at_once(patch, services.workspace.index), steps, patch, means)
    _tell(verdict, as_json)
    return 0 if verdict.ok else ChecksFailed.exit_code


def _explain(patch: Patch, steps: tuple[Step, ...], as_json: bool, explain: bool) -> None:
    if as_json:
        files = [change.path for change in patch.changes]
        click.echo(json.dumps({"event": "plan", "files": files, "steps": [_object(s) for s in steps]}))
        return
    changed = f"{len(patch.changes)} changed file{'s' if len(patch.changes) != 1 else ''}"
    if not explain:
        running = ", ".join(inert(step.command.text) for step in steps if not step.skip)
        notices.notice(f"{changed}; running {running}" if running else changed)
        return
    click.echo(f"{changed}: {inert(', '.join(change.path for change in patch.changes))}")
    for step in steps:
        state = f"not run: {step.skip}" if step.skip else "would be run"
        click.echo(f"{step.command.kind}: {inert(step.command.text)} ({inert(step.command.why)}) · {inert(state)}")
        for test in step.tests:
            click.echo(f"  {inert(test.path)}  {inert(test.why)}")
        if step.further:
            count = len(step.further)
            click.echo(f"  {count} other test file{'s' if count != 1 else ''}, after those and only when that is cheap")
    if not steps:
        click.echo("no command for tests, linter or types was found or configured")


def _object(step: Step) -> dict[str, Any]:
    found = step.command
    fields = {"kind": found.kind, "command": found.text, "source": found.source, "why": found.why, "skip": step.skip}
    return fields | {"files": list(step.files), "tests": [{"path": t.path, "why": t.why} for t in step.tests]}


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
