"""Prove a patch: the free checks first, then the project's own linter, type checker and tests in a scratch copy."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from optimizer.debug import debug
from optimizer.events import Event, Notice
from optimizer.index.reader import Index
from optimizer.report import checks as report
from optimizer.types import Check, Patch, Verdict
from optimizer.verify.checks import WEIGHTS, at_once
from optimizer.verify.commands import Means
from optimizer.verify.execute import Copies, execute
from optimizer.verify.plan import Run, plan
from optimizer.verify.verdict import verdict_of


def judge(
    patch: Patch, index: Index, means: Means, runs: tuple[Run, ...] | None = None
) -> Generator[Event, None, Verdict]:
    """The verdict on a patch; with a notice before commands that may take a while.

    `runs` is the plan, if known already. The first check that fails ends it. A confidence below the threshold
    refuses the patch once tests have run; where none could, it is only reported. Raises ConfigError.
    """
    fast = at_once(patch, index)
    debug("verify", "%d files: %s", len(patch.changes), _results(fast.checks))
    if not fast.ok:
        return fast
    if runs is None:
        runs = plan(patch, index, means)
    if commands := [run.command.text for run in runs if not run.skip]:
        yield Notice(report.running(commands))
    checks = list(fast.checks)
    with Copies(patch, means) as copies:
        for run in runs:
            checks.append(execute(run, copies))
            debug("verify", "%s: %s", run.command.text, _results(checks[-1:]))
            if checks[-1].passed is False:
                break
    if not any(run.command.kind == "tests" for run in runs):
        checks.append(Check("tests", None, report.not_run("no command for tests was found or configured")))
    return _with_threshold(verdict_of(tuple(checks), WEIGHTS), means.settings.confidence_threshold)


def _results(checks: Sequence[Check]) -> str:
    words = {True: "passed", False: "failed", None: "not run"}
    return ", ".join(f"{check.name} {words[check.passed]}" for check in checks)


def _with_threshold(verdict: Verdict, threshold: float) -> Verdict:
    if not verdict.ok or verdict.confidence >= threshold:
        return verdict
    tested = any(check.name == "tests" and check.passed for check in verdict.checks)
    detail = report.below_threshold(verdict.confidence, threshold, tested=tested)
    check = Check("confidence", False if tested else None, detail)
    return replace(verdict, ok=not tested, checks=(*verdict.checks, check))
