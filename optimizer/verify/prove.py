"""Prove a patch: the free checks first, then the project's own linter, type checker and tests in a scratch copy."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from optimizer.debug import debug
from optimizer.errors import InputError, SafetyRefused, StorageError
from optimizer.events import Event, Notice
from optimizer.index.reader import Index
from optimizer.languages.files_of_tests import is_test
from optimizer.report import checks as report
from optimizer.types import Check, Patch, Verdict
from optimizer.verify import excerpt, system, tested
from optimizer.verify.affected import reached
from optimizer.verify.checks import WEIGHTS, at_once, not_counted, not_run, verdict_of
from optimizer.verify.commands import Command, Means, Run, commands, plan
from optimizer.verify.copies import Copies
from optimizer.verify.patched import Patched
from optimizer.verify.tested import Tested
from optimizer.verify.trusted import allowed


def execute(run: Run, copies: Copies) -> Tested:
    """Run a command as a check; it neither passes nor fails where it cannot run or fails without the patch too."""
    kind = run.command.kind
    if run.skip:
        return Tested(not_run(kind, report.skipped(run.skip, run.command.text, kind)))
    try:
        return tested.judge(run, copies) if kind == "tests" else Tested(_judge_findings(run, copies))
    except StorageError as error:
        return Tested(not_run(kind, error.message))


def _judge_findings(run: Run, copies: Copies) -> Check:
    kind, command = run.command.kind, run.command.text
    after = copies.run(run, "after")
    if why := tested.why_not_run(run, after.ended) or tested.why_stopped(run, after.ended):
        return not_run(kind, why)
    limits = report.confined(after.ended.layer)
    if after.ended.code == 0:
        return Check(kind, True, report.passed(command, len(run.files), after.ended.seconds, limits))
    before = copies.run(run, "before")
    if before.ended.code is None:
        return not_counted(kind, report.runs_only_with(command))
    new = excerpt.new_findings(after.ended.output, before.ended.output, after.tree, before.tree)
    if not new:
        return Check(kind, True, f"{command} finds nothing new; {limits}")
    first = report.first_of([excerpt.tidy(new[:1], after.tree), *new[1:]])
    return tested.private(Check(kind, False, f"{first}; {limits}", excerpt.tidy(new, after.tree)), after.ended, run)


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
        yield Notice(report.running(commands), "running")
    checks = list(fast.checks)
    weakened: tuple[str, ...] = ()
    judging: tuple[str, ...] = ()
    with Copies(patch, means) as copies:
        checks += _of_system(patch, index, means, copies)
        for run in runs if all(check.passed is not False for check in checks) else ():
            found = execute(run, copies)
            checks.append(found.check)
            weakened += found.weakened
            judging += found.judging
            debug("verify", "%s: %s", run.command.text, _results([found.check]))
            if found.check.passed is False:
                break
    if not any(run.command.kind == "tests" for run in runs):
        checks.append(not_run("tests", report.NO_TEST_COMMAND))
    verdict = verdict_of(tuple(checks), WEIGHTS)._replace(weakened=weakened, judging=judging)
    return _with_threshold(verdict, means.settings.confidence_threshold)


def _of_system(patch: Patch, index: Index, means: Means, copies: Copies) -> list[Check]:
    try:
        seconds = means.settings.verify_compiler
        return list(system.check(Patched(patch, index), means.root.path, copies.words, seconds))
    except StorageError as error:
        return [not_run(system.NAME, error.message)]


def _results(checks: Sequence[Check]) -> str:
    words = {True: "passed", False: "failed", None: "not run"}
    return ", ".join(f"{check.name} {words[check.passed]}" for check in checks)


def _with_threshold(verdict: Verdict, threshold: float) -> Verdict:
    if not verdict.ok or verdict.confidence >= threshold:
        return verdict
    tested = any(check.name == "tests" and check.passed for check in verdict.checks)
    detail = report.below_threshold(verdict.confidence, threshold, tested=tested)
    check = Check("confidence", False if tested else None, detail)
    return verdict._replace(ok=not tested, checks=(*verdict.checks, check))


def tests_allowed(means: Means) -> bool:
    """Whether there is a command for tests and the user lets it run; raises ConfigError."""
    return _command(means) is not None


def run_tests(patch: Patch, paths: tuple[str, ...], index: Index, means: Means) -> str:
    """The result of the tests in `paths` (none: those that the patch reaches) in a confined copy with the patch.

    Raises SafetyRefused without the user's approval, InputError when there is nothing to run, StorageError.
    """
    command = _command(means)
    if command is None:
        raise SafetyRefused(report.UNAPPROVED)
    files = paths or tuple(test.path for test in reached([change.path for change in patch.changes], index))
    known = {*index.paths(), *(change.path for change in patch.changes)}
    if odd := [path for path in files if path not in known or not is_test(path)]:
        raise InputError(f"{odd[0]} is not a test file")
    if command.tool == "pytest" and not files:
        raise InputError("no test reaches the edits so far: name test files")
    run = Run(command, tuple(p for p in files if p.endswith(".py")) if command.tool == "pytest" else ())
    with Copies(patch, means) as copies:
        ended, tree, _ = copies.run(run, "after")
    if ended.layer == "none" or ended.unconfined:
        raise SafetyRefused("tests that nothing confines are not run for a model")
    if ended.missing:
        raise InputError(f"the tests cannot be run: {ended.missing}")
    if stopped := tested.why_stopped(run, ended):
        return f"{stopped}\n{excerpt.of_any(ended.output, tree)}"
    if ended.code == 0:
        return f"passed: {' '.join(files) or command.text}"
    failed = excerpt.failed_tests(ended.output)
    shown = excerpt.of_pytest(ended.output, failed, tree) if failed else excerpt.of_any(ended.output, tree)
    return f"failed: {len(failed) or 'some'}\n{shown}"


def _command(means: Means) -> Command | None:
    found = next((one for one in commands(means) if one.kind == "tests"), None)
    return found if found is not None and allowed(found, means) else None
