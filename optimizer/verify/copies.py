"""Throw-away copies of the tree with and without a patch, and commands run in them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Literal, NamedTuple

from optimizer.confine.run import Ended
from optimizer.confine.run import run as confined
from optimizer.confine.view import Place
from optimizer.languages.files_of_tests import is_test
from optimizer.types import FileChange, Patch
from optimizer.verify import earlier, results
from optimizer.verify.commands import Means, Run, bounds
from optimizer.verify.manifests import is_same_for_tests
from optimizer.verify.results import Results
from optimizer.verify.scratch import scratch

Version = Literal["before", "after", "old tests"]
"""The tree without the patch, with it, and with all of it but what it changes of tests and their configuration."""
_SETS_UP_TESTS = frozenset(
    {
        "conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg",
        "pyproject.toml", "package.json", "noxfile.py", "entry_points.txt", "sitecustomize.py", "usercustomize.py",
    }
)  # fmt: skip
_SETS_UP_RUNNERS = (
    "jest.config.",
    "jest.setup.",
    "vitest.config.",
    "vitest.setup.",
    "vite.config.",
    ".mocharc",
    "karma.conf.",
    "ava.config.",
)


class Ran(NamedTuple):
    """How a command ended in a copy, where that was, and how each test ended."""

    ended: Ended
    tree: Path
    results: Results


def is_of_tests(path: str) -> bool:
    """Whether a file holds tests, or decides which of them run."""
    name = path.rpartition("/")[2]
    return is_test(path) or name in _SETS_UP_TESTS or name.startswith(_SETS_UP_RUNNERS)


def changes_tests(change: FileChange) -> bool:
    """Whether a change is one of tests, or of what decides which of them run and how."""
    return is_of_tests(change.path) and not is_same_for_tests(change)


class Copies:
    """The copies of each version, made when first needed and removed on leaving."""

    def __init__(self, patch: Patch, means: Means) -> None:
        self._patch = patch
        self._means = means
        self._open = ExitStack()
        self._made: dict[Version, Place] = {}

    def __enter__(self) -> Copies:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def patch(self) -> Patch:
        """What is tried."""
        return self._patch

    def run(self, run: Run, version: Version) -> Ran:
        """Run a command in one of the copies. Raises StorageError when none can be made."""
        there = self._contents(version)
        files = tuple(path for path in run.files if there.get(path, b"") is not None)
        if run.files and not files:
            return Ran(Ended(0, "", 0.0), self._means.cache, Results({}, complete=True))
        argv = run.argv(files)
        if version == "before" and (known := earlier.recall(self._means, argv, there)):
            return Ran(known[0], earlier.TREE, known[1])
        place = self._place(version)
        ran = self._reported(run, files, place) if run.command.kind == "tests" else self._plain(argv, place)
        if version == "before":
            moved = ran.ended._replace(output=ran.ended.output.replace(str(place.tree), str(earlier.TREE)))
            earlier.remember(self._means, argv, there, moved, ran.results)
        return ran

    def _plain(self, argv: tuple[str, ...], place: Place) -> Ran:
        limits = bounds(self._means, self._means.settings.verify_seconds)
        return Ran(confined(argv, place, self._means.env, limits), place.tree, Results())

    def _reported(self, run: Run, files: tuple[str, ...], place: Place) -> Ran:
        """Run tests, and have their runner report how each ended."""
        limits = bounds(self._means, self._means.settings.verify_seconds)
        command = run.command
        reporting = results.reporter(command.argv, command.tool, command.script, place.area / "tmp")
        argv = run.argv(files, reporting.words)
        ended = confined(argv, place, self._means.env, limits, reporting.env, sources=True)
        if "is not allowed in NODE_OPTIONS" in ended.output:
            reporting = results.PRINTED
            ended = confined(run.argv(files), place, self._means.env, limits, sources=True)
        found = results.read(reporting, ended.output, place.tree)
        return Ran(ended._replace(output=reporting.printed(ended.output)), place.tree, found)

    def _contents(self, version: Version) -> dict[str, bytes | None]:
        def is_new(change: FileChange) -> bool:
            return version == "after" or (version == "old tests" and not changes_tests(change))

        return {one.path: one.after if is_new(one) else one.before for one in self._patch.changes}

    def _place(self, version: Version) -> Place:
        if version not in self._made:
            making = scratch(self._means.root, self._means.cache, self._contents(version))
            self._made[version] = self._open.enter_context(making)
        return self._made[version]

    def words(self, argv: tuple[str, ...], patched: bool, seconds: float) -> tuple[Ended, Path]:
        """Run a program of the system in one of the copies, as `run` does."""
        place = self._place("after" if patched else "before")
        return confined(argv, place, self._means.env, bounds(self._means, seconds)), place.tree
