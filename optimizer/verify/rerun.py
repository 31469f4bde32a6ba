"""Run tests of the project on a patch in progress, for the model that works on it."""

from __future__ import annotations

from optimizer.errors import InputError, SafetyRefused
from optimizer.index.reader import Index
from optimizer.languages.tests import is_test
from optimizer.types import Patch
from optimizer.verify import excerpt
from optimizer.verify.affected import reached
from optimizer.verify.commands import Command, Means, allowed, commands
from optimizer.verify.execute import Copies
from optimizer.verify.plan import Run

_UNAPPROVED = "the tests of this project are not approved"


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
    if ended.missing:
        raise InputError(f"the tests cannot be run: {ended.missing}")
    if ended.timed_out:
        return f"stopped after {ended.seconds:.0f} s\n{excerpt.of_any(ended.output, tree)}"
    if ended.code == 0:
        return f"passed: {' '.join(files) or command.text}"
    failed = excerpt.failed_tests(ended.output)
    shown = excerpt.of_pytest(ended.output, failed, tree) if failed else excerpt.of_any(ended.output, tree)
    return f"failed: {len(failed) or 'some'}\n{shown}"


def _command(means: Means) -> Command | None:
    found = next((one for one in commands(means) if one.kind == "tests"), None)
    return found if found is not None and allowed(found, means) else None
