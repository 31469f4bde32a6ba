"""Try one command on the changed copy and, only where it fails there, on the unchanged one too."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from optimizer.errors import StorageError
from optimizer.types import Check, Patch
from optimizer.verify import earlier, excerpt
from optimizer.verify.affected import Reached
from optimizer.verify.commands import Command, Means
from optimizer.verify.process import Ended, Place, run
from optimizer.verify.scratch import scratch

CHEAP_SECONDS = 10.0
MOST_RUN_AGAIN = 5
NO_TESTS = 5  # pytest's exit code when it collected none
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "pytest": ("-q", "-rfE", "--tb=short", "--no-header", "--color=no"),
    "ruff": ("--output-format=concise", "--no-cache", "--force-exclude"),
    "mypy": ("--no-error-summary", "--no-color-output"),
    "eslint": ("--no-color",),
    "tsc": ("--pretty", "false"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A command as it will be run for a patch: the files named to it, the tests that the patch reaches.

    `further` are the other tests, run after those when that is cheap; `skip` says why the step is not run.
    """

    command: Command
    files: tuple[str, ...] = ()
    tests: tuple[Reached, ...] = ()
    further: tuple[str, ...] = ()
    skip: str = ""

    def argv(self, files: tuple[str, ...]) -> tuple[str, ...]:
        """The words to run, for these of the files."""
        return (*self.command.argv, *_OPTIONS.get(self.command.tool, ()), *files)


class Copies:
    """The copy with the patch and the one without it, each made when first wanted and removed on leaving."""

    def __init__(self, patch: Patch, means: Means) -> None:
        self._patch = patch
        self._means = means
        self._open = ExitStack()
        self._made: dict[bool, Place] = {}

    def __enter__(self) -> Copies:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def run(self, step: Step, *, patched: bool) -> tuple[Ended, Path]:
        """Run a step in one of the copies; also where that copy is. Raises StorageError when none can be made."""
        there = {change.path: change.after if patched else change.before for change in self._patch.changes}
        files = tuple(path for path in step.files if there.get(path, b"") is not None)
        if step.files and not files:
            return Ended(0, "", 0.0), self._means.cache
        argv = step.argv(files)
        if not patched and (known := earlier.recall(self._means, argv, there)):
            return known, earlier.TREE
        if patched not in self._made:
            making = scratch(self._means.root, self._means.cache, there)
            self._made[patched] = self._open.enter_context(making)
        place = self._made[patched]
        seconds, sources = self._means.settings.verify_seconds, step.command.kind == "tests"
        ended = run(argv, place, self._means.env, seconds, sources=sources)
        if not patched:
            earlier.remember(self._means, argv, there, replace(ended, output=_moved(ended.output, place.tree)))
        return ended, place.tree


def _moved(output: str, tree: Path) -> str:
    return output.replace(str(tree), str(earlier.TREE))


def attempt(step: Step, copies: Copies) -> Check:
    """The check that a step comes to; None where it could not run, or fails without the patch as well."""
    kind = step.command.kind
    if step.skip:
        return Check(kind, None, f"not run: {step.skip}")
    try:
        ended, tree = copies.run(step, patched=True)
        if ended.missing:
            return Check(kind, None, f"not run: {ended.missing}")
        if ended.code == 0 and _is_cheap(step, ended):
            whole = attempt(replace(step, files=step.files + step.further, further=()), copies)
            return Check(kind, True, _passed(step, ended)) if whole.passed is None else whole
        if ended.code == 0:
            return Check(kind, True, _passed(step, ended))
        judge = _judge_tests if kind == "tests" else _judge_findings
        return judge(step, ended, tree, copies)
    except StorageError as error:
        return Check(kind, None, f"not run: {error.message}")


def _is_cheap(step: Step, ended: Ended) -> bool:
    """Whether all tests will take no more than CHEAP_SECONDS, at the pace of those that ran."""
    return bool(step.further) and ended.seconds * (1 + len(step.further) / len(step.files)) <= CHEAP_SECONDS


def _passed(step: Step, ended: Ended) -> str:
    files = f" on {len(step.files)} file{'s' if len(step.files) != 1 else ''}" if step.files else ""
    return f"{step.command.text}{files}, {ended.seconds:.1f} s; {ended.confinement}"


def _judge_tests(step: Step, ended: Ended, tree: Path, copies: Copies) -> Check:
    is_pytest = step.command.tool == "pytest"
    named = excerpt.failed_tests if is_pytest else excerpt.failed_elsewhere
    failed = named(ended.output)
    if is_pytest and ended.code == NO_TESTS:
        return Check("tests", None, "not run: pytest collected no test")
    if is_pytest and ended.code == 1 and not failed and " passed" in ended.output:
        return Check("tests", True, f"{_passed(step, ended)}; it also wants coverage, which a part of the tests lacks")
    before, _ = copies.run(step, patched=False)
    new = failed - named(before.output)
    if not new and (failed or before.code != 0 or before.missing):
        what = f"{len(failed)} tests fail" if failed else f"{step.command.text} fails"
        return Check("tests", None, f"not counted: {what} without the change too")
    if ended.timed_out:
        return Check("tests", False, _timeout(step, ended), excerpt.of_any(ended.output, tree) or _timeout(step, ended))
    if is_pytest and new and _pass_again(step, new, copies):
        return Check("tests", None, f"not counted: {min(new)} failed once and passed when run again")
    if new:
        shown = excerpt.of_pytest(ended.output, new, tree) if is_pytest else excerpt.of_any(ended.output, tree)
        first = min(new) + (f" and {len(new) - 1} more" if len(new) > 1 else "")
        return Check("tests", False, f"{first} failed; {ended.confinement}", shown)
    return Check("tests", False, f"{step.command.text} failed; {ended.confinement}", excerpt.of_any(ended.output, tree))


def _pass_again(step: Step, failed: frozenset[str], copies: Copies) -> bool:
    """Whether the tests that failed pass alone, on the same copy: then they depend on chance or on others."""
    if any("::" not in name for name in failed) or len(failed) > MOST_RUN_AGAIN:
        return False
    again, _ = copies.run(replace(step, files=tuple(sorted(failed))), patched=True)
    return again.code == 0


def _judge_findings(step: Step, ended: Ended, tree: Path, copies: Copies) -> Check:
    kind = step.command.kind
    if ended.timed_out:
        return Check(kind, None, f"not run: {_timeout(step, ended)}")
    before, earlier_tree = copies.run(step, patched=False)
    if before.missing or before.timed_out:
        return Check(kind, None, f"not counted: {step.command.text} could not run without the change")
    new = excerpt.new_findings(ended.output, before.output, tree, earlier_tree)
    if not new:
        return Check(kind, True, f"{step.command.text} finds nothing new; {ended.confinement}")
    first = excerpt.tidy(new[:1], tree)
    more = f" and {len(new) - 1} more" if len(new) > 1 else ""
    return Check(kind, False, f"{first}{more}", excerpt.tidy(new, tree))


def _timeout(step: Step, ended: Ended) -> str:
    return f"{step.command.text} was stopped after {ended.seconds:.0f} s; verify.seconds is the limit"
