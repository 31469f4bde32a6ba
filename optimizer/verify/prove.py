"""Prove a patch: the free checks first, then the project's own linter, type checker and tests in a scratch copy."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from optimizer.confine.run import Ended
from optimizer.confine.run import run as confined
from optimizer.confine.view import Place
from optimizer.debug import debug
from optimizer.errors import InputError, SafetyRefused, StorageError
from optimizer.events import Event, Notice
from optimizer.index.reader import Index
from optimizer.languages.files_of_tests import is_test
from optimizer.report import checks as report
from optimizer.types import Check, Patch, Verdict
from optimizer.verify import earlier, excerpt, system
from optimizer.verify.affected import reached
from optimizer.verify.checks import WEIGHTS, at_once, verdict_of
from optimizer.verify.commands import Command, Means, Run, allowed, bounds, commands, plan
from optimizer.verify.patched import Patched
from optimizer.verify.scratch import scratch

CHEAP_SECONDS = 10.0
MOST_RUN_AGAIN = 5
NO_TESTS = 5  # pytest's exit code when it collected none
_UNAPPROVED = "the tests of this project are not approved"


class Copies:
    """The copy with the patch and the one without it, each made when first needed and removed on leaving."""

    def __init__(self, patch: Patch, means: Means) -> None:
        self._patch = patch
        self._means = means
        self._open = ExitStack()
        self._made: dict[bool, Place] = {}

    def __enter__(self) -> Copies:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def run(self, run: Run, *, patched: bool) -> tuple[Ended, Path]:
        """Run a command in one of the copies; also where that copy is. Raises StorageError when none can be made."""
        there = self._contents(patched)
        files = tuple(path for path in run.files if there.get(path, b"") is not None)
        if run.files and not files:
            return Ended(0, "", 0.0), self._means.cache
        argv = run.argv(files)
        if not patched and (known := earlier.recall(self._means, argv, there)):
            return known, earlier.TREE
        place = self._place(patched)
        limits = bounds(self._means, self._means.settings.verify_seconds)
        ended = confined(argv, place, self._means.env, limits, sources=run.command.kind == "tests")
        if not patched:
            earlier.remember(self._means, argv, there, ended._replace(output=_moved(ended.output, place.tree)))
        return ended, place.tree

    def _contents(self, patched: bool) -> dict[str, bytes | None]:
        return {change.path: change.after if patched else change.before for change in self._patch.changes}

    def _place(self, patched: bool) -> Place:
        if patched not in self._made:
            making = scratch(self._means.root, self._means.cache, self._contents(patched))
            self._made[patched] = self._open.enter_context(making)
        return self._made[patched]

    def words(self, argv: tuple[str, ...], patched: bool, seconds: float) -> tuple[Ended, Path]:
        """Run a program of the system in one of the copies, as `run` does."""
        place = self._place(patched)
        return confined(argv, place, self._means.env, bounds(self._means, seconds)), place.tree


def _moved(output: str, tree: Path) -> str:
    return output.replace(str(tree), str(earlier.TREE))


def execute(run: Run, copies: Copies) -> Check:
    """Run a command as a check; it neither passes nor fails where it cannot run or fails without the patch too."""
    kind = run.command.kind
    if run.skip:
        return Check(kind, None, report.not_run(report.skipped(run.skip, run.command.text, kind)))
    try:
        ended, tree = copies.run(run, patched=True)
        if why := _why_not_run(run, ended):
            return Check(kind, None, report.not_run(why))
        if ended.code == 0 and _is_cheap(run, ended):
            whole = execute(replace(run, files=run.files + run.further, further=()), copies)
            return Check(kind, True, _passed(run, ended)) if whole.passed is None else whole
        if ended.code == 0:
            return Check(kind, True, _passed(run, ended))
        judge = _judge_tests if kind == "tests" else _judge_findings
        check = judge(run, ended, tree, copies)
        return check._replace(evidence=report.unconfined(run.command.text)) if ended.layer == "none" else check
    except StorageError as error:
        return Check(kind, None, report.not_run(error.message))


def _why_not_run(run: Run, ended: Ended) -> str:
    """Why a command did not run; '' where it did."""
    return report.skipped("unconfined", run.command.text, run.command.kind) if ended.unconfined else ended.missing


def _why_ended(run: Run, ended: Ended) -> str:
    """Why a command was stopped; '' where it ended by itself."""
    if ended.exceeded:
        return report.exceeded(run.command.text, ended.exceeded)
    return report.timed_out(run.command.text, ended.seconds) if ended.timed_out else ""


def _is_cheap(run: Run, ended: Ended) -> bool:
    """Whether all tests will take no more than CHEAP_SECONDS, at the pace of those that ran."""
    return bool(run.further) and ended.seconds * (1 + len(run.further) / len(run.files)) <= CHEAP_SECONDS


def _passed(run: Run, ended: Ended) -> str:
    return report.passed(run.command.text, len(run.files), ended.seconds, report.confined(ended.layer))


def _judge_tests(run: Run, ended: Ended, tree: Path, copies: Copies) -> Check:
    is_pytest = run.command.tool == "pytest"
    failed_tests = excerpt.failed_tests if is_pytest else excerpt.failed_elsewhere
    failed = failed_tests(ended.output)
    if is_pytest and ended.code == NO_TESTS:
        return Check("tests", None, report.not_run("pytest collected no test"))
    if is_pytest and ended.code == 1 and not failed and " passed" in ended.output:
        return Check("tests", True, f"{_passed(run, ended)}; it also wants coverage, which a part of the tests lacks")
    before, _ = copies.run(run, patched=False)
    new = failed - failed_tests(before.output)
    if not new and (failed or before.code != 0 or before.missing):
        return Check("tests", None, report.fails_without(run.command.text, len(failed)))
    if stopped := _why_ended(run, ended):
        return Check("tests", False, stopped, excerpt.of_any(ended.output, tree) or stopped)
    if is_pytest and new and _pass_again(run, new, copies):
        return Check("tests", None, report.not_counted(f"{min(new)} failed once and passed when run again"))
    shown = excerpt.of_pytest(ended.output, new, tree) if is_pytest and new else excerpt.of_any(ended.output, tree)
    what = report.first_of(sorted(new)) if new else run.command.text
    return Check("tests", False, f"{what} failed; {report.confined(ended.layer)}", shown)


def _pass_again(run: Run, failed: frozenset[str], copies: Copies) -> bool:
    """Whether the failed tests pass alone on the same copy: then they depend on chance or on other tests."""
    if any("::" not in name for name in failed) or len(failed) > MOST_RUN_AGAIN:
        return False
    again, _ = copies.run(replace(run, files=tuple(sorted(failed))), patched=True)
    return again.code == 0


def _judge_findings(run: Run, ended: Ended, tree: Path, copies: Copies) -> Check:
    kind, command = run.command.kind, run.command.text
    if stopped := _why_ended(run, ended):
        return Check(kind, None, report.not_run(stopped))
    before, earlier_tree = copies.run(run, patched=False)
    if before.code is None:
        return Check(kind, None, report.not_counted(f"{command} could not run without the change"))
    new = excerpt.new_findings(ended.output, before.output, tree, earlier_tree)
    if not new:
        return Check(kind, True, f"{command} finds nothing new; {report.confined(ended.layer)}")
    first = report.first_of([excerpt.tidy(new[:1], tree), *new[1:]])
    return Check(kind, False, first, excerpt.tidy(new, tree))


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
    with Copies(patch, means) as copies:
        checks += _of_system(patch, index, means, copies)
        for run in runs if all(check.passed is not False for check in checks) else ():
            check = execute(run, copies)
            checks.append(check)
            debug("verify", "%s: %s", run.command.text, _results([check]))
            if check.passed is False:
                break
    if not any(run.command.kind == "tests" for run in runs):
        checks.append(Check("tests", None, report.not_run("no command for tests was found or configured")))
    return _with_threshold(verdict_of(tuple(checks), WEIGHTS), means.settings.confidence_threshold)


def _of_system(patch: Patch, index: Index, means: Means, copies: Copies) -> list[Check]:
    try:
        seconds = means.settings.verify_compiler
        return list(system.check(Patched(patch, index), means.root.path, copies.words, seconds))
    except StorageError as error:
        return [Check(system.NAME, None, report.not_run(error.message))]


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
        raise SafetyRefused(_UNAPPROVED)
    files = paths or tuple(test.path for test in reached([change.path for change in patch.changes], index))
    known = {*index.paths(), *(change.path for change in patch.changes)}
    if odd := [path for path in files if path not in known or not is_test(path)]:
        raise InputError(f"{odd[0]} is not a test file")
    if command.tool == "pytest" and not files:
        raise InputError("no test reaches the edits so far: name test files")
    run = Run(command, tuple(p for p in files if p.endswith(".py")) if command.tool == "pytest" else ())
    with Copies(patch, means) as copies:
        ended, tree = copies.run(run, patched=True)
    if ended.layer == "none" or ended.unconfined:
        raise SafetyRefused("tests that nothing confines are not run for a model")
    if ended.missing:
        raise InputError(f"the tests cannot be run: {ended.missing}")
    if stopped := _why_ended(run, ended):
        return f"{stopped}\n{excerpt.of_any(ended.output, tree)}"
    if ended.code == 0:
        return f"passed: {' '.join(files) or command.text}"
    failed = excerpt.failed_tests(ended.output)
    shown = excerpt.of_pytest(ended.output, failed, tree) if failed else excerpt.of_any(ended.output, tree)
    return f"failed: {len(failed) or 'some'}\n{shown}"


def _command(means: Means) -> Command | None:
    found = next((one for one in commands(means) if one.kind == "tests"), None)
    return found if found is not None and allowed(found, means) else None
