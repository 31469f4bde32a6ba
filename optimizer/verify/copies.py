"""Throw-away copies of the tree with and without a patch, and commands run in them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Literal, NamedTuple

from optimizer.confine.run import Ended
from optimizer.confine.run import run as confined
from optimizer.confine.view import Place
from optimizer.index.files import listing
from optimizer.index.regular import read_regular
from optimizer.types import FileChange, Patch
from optimizer.verify import earlier, results, set_up
from optimizer.verify.commands import Means, Run, bounds
from optimizer.verify.results import Results
from optimizer.verify.scratch import scratch
from optimizer.verify.trusted import started

Version = Literal["before", "after", "old tests"]
"""The tree without the patch, with it, and with all of it but what it changes of tests and their configuration."""


class Ran(NamedTuple):
    """How a command ended in a copy, where that was, and how each test ended."""

    ended: Ended
    tree: Path
    results: Results


class Copies:
    """The copies of each version, made when first needed and removed on leaving."""

    def __init__(self, patch: Patch, means: Means) -> None:
        self._patch = patch
        self._means = means
        self._open = ExitStack()
        self._made: dict[Version, Place] = {}
        self._named: dict[str, frozenset[str]] = {}

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
        there = self._contents(version, run)
        files = tuple(path for path in run.files if there.get(path, b"") is not None)
        if run.files and not files:
            return Ran(Ended(0, "", 0.0), self._means.cache, Results({}, complete=True))
        argv = run.argv(files)
        if version == "before" and (known := earlier.recall(self._means, argv, there)):
            return Ran(known[0], earlier.TREE, known[1])
        place = self._place(version, there)
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
        reporting = results.reporter(command.argv, command.tool, self._started(run), place.area / "tmp")
        argv = run.argv(files, reporting.words)
        ended = confined(argv, place, self._means.env, limits, reporting.env, sources=True)
        if "is not allowed in NODE_OPTIONS" in ended.output:
            reporting = results.PRINTED
            ended = confined(run.argv(files), place, self._means.env, limits, sources=True)
        found = results.read(reporting, ended.output, place.tree)
        if found.source == "none" and found.complete and not found.tests and ended.code is not None:
            found = found._replace(tests={command.text: "failed" if ended.code else "passed"})
        return Ran(ended._replace(output=reporting.printed(ended.output)), place.tree, found)

    def changes_tests(self, change: FileChange, run: Run) -> bool:
        """Whether a change is one of tests, or of what decides which of them run and how."""
        return set_up.changes_tests(change) or change.path in self._set_up_by(run)

    def changes_more(self, run: Run) -> bool:
        """Whether the patch changes more than tests."""
        return self._contents("old tests", run) != self._contents("before", run)

    def _set_up_by(self, run: Run) -> frozenset[str]:
        """The changed files that the command or the configuration of its runner names, without the patch."""
        if run.command.text not in self._named:
            root = self._means.root
            paths = tuple(change.path for change in self._patch.changes if change.before is not None)
            self._named[run.command.text] = set_up.named(
                paths, self._started(run), listing(root).paths, lambda path: read_regular(root.path, path) or b""
            )
        return self._named[run.command.text]

    def _started(self, run: Run) -> str:
        return "\n".join((run.command.text, *started(run.command, self._means)))

    def _contents(self, version: Version, run: Run | None = None) -> dict[str, bytes | None]:
        set_up_by = self._set_up_by(run) if run and version == "old tests" else frozenset()

        def of(change: FileChange) -> bytes | None:
            if version != "old tests":
                return change.after if version == "after" else change.before
            if within := set_up.old_within(change):
                return within
            return change.before if change.path in set_up_by or set_up.changes_tests(change) else change.after

        return {one.path: of(one) for one in self._patch.changes}

    def _place(self, version: Version, contents: dict[str, bytes | None]) -> Place:
        if version not in self._made:
            making = scratch(self._means.root, self._means.cache, contents)
            self._made[version] = self._open.enter_context(making)
        return self._made[version]

    def words(self, argv: tuple[str, ...], patched: bool, seconds: float) -> tuple[Ended, Path]:
        """Run a program of the system in one of the copies, as `run` does."""
        version: Version = "after" if patched else "before"
        place = self._place(version, self._contents(version))
        return confined(argv, place, self._means.env, bounds(self._means, seconds)), place.tree
