"""Plan the commands for a patch, without running them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from optimizer.index.reader import Index
from optimizer.languages.tests import is_test
from optimizer.report.checks import Skip
from optimizer.types import Patch
from optimizer.verify.affected import Reached, reached
from optimizer.verify.commands import Command, Means, allowed, commands, named

_CONCERNS = {
    "pytest": (".py", ".pyi", ".toml", ".cfg", ".ini", ".json", ".yaml", ".yml", ".txt"),
    "mypy": (".py", ".pyi"),
    "tsc": (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".json"),
}
"""The extensions of files that a tool without a list of files checks; not listed: any."""
_OPTIONS = {
    "pytest": ("-q", "-rfE", "--tb=short", "--no-header", "--color=no"),
    "ruff": ("--output-format=concise", "--no-cache", "--force-exclude"),
    "mypy": ("--no-error-summary", "--no-color-output"),
    "eslint": ("--no-color",),
    "tsc": ("--pretty", "false"),
}
_ORDER = ("lint", "types", "tests")


@dataclass(frozen=True, slots=True)
class Run:
    """A command to run for a patch: the files passed to it, the tests that the patch reaches.

    `further` are the other tests, run after those when that is cheap; `skip` is why it is not run.
    """

    command: Command
    files: tuple[str, ...] = ()
    tests: tuple[Reached, ...] = ()
    further: tuple[str, ...] = ()
    skip: Skip | None = None

    def argv(self, files: tuple[str, ...]) -> tuple[str, ...]:
        """The words to run, for these of the files."""
        return (*self.command.argv, *_OPTIONS.get(self.command.tool, ()), *files)


def plan(patch: Patch, index: Index, means: Means) -> tuple[Run, ...]:
    """The runs for a patch: linter before type checker before tests. Raises ConfigError."""
    runs = [_run(command, patch, index, means) for command in commands(means)]
    return tuple(sorted(runs, key=lambda run: _ORDER.index(run.command.kind)))


def _run(command: Command, patch: Patch, index: Index, means: Means) -> Run:
    changed = tuple(change.path for change in patch.changes)
    tests = reached(changed, index, new=_new(patch)) if command.kind == "tests" else ()
    files = named(command, changed)
    further: tuple[str, ...] = ()
    if command.tool == "pytest":
        gone = {change.path for change in patch.changes if change.after is None}
        files = tuple(test.path for test in tests if test.path.endswith(".py") and test.path not in gone)
        further = tuple(path for path in index.paths() if path.endswith(".py") and is_test(path) and path not in files)
    run = Run(command, files, tests, further)
    return replace(run, skip=_skip(run, changed, means))


def _skip(run: Run, changed: tuple[str, ...], means: Means) -> Skip | None:
    command = run.command
    concerns = _CONCERNS.get(command.tool, command.files)
    if concerns and not any(path.endswith(concerns) for path in changed):
        return "unconcerned"
    if command.tool == "pytest" and not run.files:
        return "untested"
    answer = allowed(command, means)
    if answer is None:
        return "unapproved"
    return None if answer else "refused"


def _new(patch: Patch) -> tuple[str, ...]:
    return tuple(change.path for change in patch.changes if change.before is None and change.after is not None)
