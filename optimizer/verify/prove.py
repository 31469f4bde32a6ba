"""Prove a patch: what costs nothing first, then the project's own linter, type checker and tests in a scratch copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from optimizer.debug import debug
from optimizer.index.store import Index
from optimizer.types import Check, Patch, Verdict
from optimizer.verify.affected import is_test, reached
from optimizer.verify.checks import check_patch, verdict_of
from optimizer.verify.commands import Command, Means, allowed, commands, named
from optimizer.verify.names import check_names
from optimizer.verify.trial import Copies, Step, attempt

_SPEAKS = {
    "pytest": (".py", ".pyi", ".toml", ".cfg", ".ini", ".json", ".yaml", ".yml", ".txt"),
    "mypy": (".py", ".pyi"),
    "tsc": (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".json"),
}
"""The endings of files that a tool without a list of files has anything to say about; not listed: any."""


def at_once(patch: Patch, index: Index) -> Verdict:
    """The checks that run nothing: whether every file still parses, and whether names still resolve."""
    verdict = check_patch(patch, index)
    if verdict.ok:
        verdict = verdict_of((*verdict.checks, *check_names(patch, index)))
    debug("verify", "%d files: %s", len(patch.changes), _results(verdict.checks))
    return verdict


def plan(patch: Patch, index: Index, means: Means) -> tuple[Step, ...]:
    """What would be run for a patch, linter before types before tests, and why; nothing is run."""
    steps = [_step(command, patch, index, means) for command in commands(means)]
    return tuple(sorted(steps, key=lambda step: ("lint", "types", "tests").index(step.command.kind)))


def prove(fast: Verdict, steps: tuple[Step, ...], patch: Patch, means: Means) -> Verdict:
    """The verdict of the checks that ran at once with those of the steps; the first that fails ends it.

    A confidence below the threshold refuses the patch once tests have run; where none could, it is only told.
    """
    if not fast.ok:
        return fast
    checks = list(fast.checks)
    with Copies(patch, means) as copies:
        for step in steps:
            checks.append(attempt(step, copies))
            debug("verify", "%s: %s", step.command.text, _results(checks[-1:]))
            if checks[-1].passed is False:
                break
    if not any(step.command.kind == "tests" for step in steps):
        checks.append(Check("tests", None, "not run: no command for tests was found or configured"))
    return _weigh(verdict_of(tuple(checks)), means.settings.confidence_threshold)


def _results(checks: Sequence[Check]) -> str:
    words = {True: "passed", False: "failed", None: "not run"}
    return ", ".join(f"{check.name} {words[check.passed]}" for check in checks)


def _weigh(verdict: Verdict, threshold: float) -> Verdict:
    if not verdict.ok or verdict.confidence >= threshold:
        return verdict
    tested = any(check.name == "tests" and check.passed for check in verdict.checks)
    detail = f"{verdict.confidence:.2f} is below confidence_threshold {threshold:g}"
    if not tested:
        detail = f"not counted: no test ran; with tests it would have to reach {threshold:g} (confidence_threshold)"
    check = Check("confidence", False if tested else None, detail)
    return replace(verdict, ok=not tested, checks=(*verdict.checks, check))


def _step(command: Command, patch: Patch, index: Index, means: Means) -> Step:
    changed = tuple(change.path for change in patch.changes)
    tests = reached(changed, index, new=_new(patch)) if command.kind == "tests" else ()
    files = named(command, changed)
    if command.tool == "pytest":
        gone = {change.path for change in patch.changes if change.after is None}
        files = tuple(test.path for test in tests if test.path.endswith(".py") and test.path not in gone)
    step = Step(command, files, tests, _further(files, index) if command.tool == "pytest" else ())
    speaks = _SPEAKS.get(command.tool, command.files)
    if speaks and not any(path.endswith(speaks) for path in changed):
        return replace(step, skip="no file that it looks at is changed")
    if command.tool == "pytest" and not files:
        return replace(step, skip="no test reaches the change")
    said = allowed(command, means)
    if said is None:
        return replace(step, skip=f"{command.text} is not approved (optimize trust grant {command.kind})")
    return step if said else replace(step, skip=f"you said no to {command.text} (optimize trust grant {command.kind})")


def _further(files: tuple[str, ...], index: Index) -> tuple[str, ...]:
    return tuple(path for path in index.paths() if path.endswith(".py") and is_test(path) and path not in files)


def _new(patch: Patch) -> tuple[str, ...]:
    return tuple(change.path for change in patch.changes if change.before is None and change.after is not None)
