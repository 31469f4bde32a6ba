"""Which tests a change can reach, through imports and by the names of tests; the nearest first."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass

from optimizer.index.reader import Index
from optimizer.languages.files_of_tests import is_test, stem_under_test
from optimizer.languages.naming.table import naming
from optimizer.languages.table import language_of
from optimizer.report.checks import ReachedBy

MAX_STEPS = 6
MAX_VISITED = 1000
MAX_TESTS = 60


@dataclass(frozen=True, slots=True)
class Reached:
    """A test file, what reaches it, and how far it is: 0 changed itself, 1 by its name, more through imports."""

    path: str
    by: ReachedBy
    steps: int


def reached(changed: Iterable[str], index: Index, new: tuple[str, ...] = ()) -> tuple[Reached, ...]:
    """The tests that a change of these files can reach, nearest first; `new` files are not in the index yet."""
    changed = tuple(changed)
    found = {path: Reached(path, ReachedBy("changed"), 0) for path in changed if is_test(path)}
    tests = [path for path in dict.fromkeys((*index.paths(), *new)) if is_test(path)]
    for test in _in_folder_of(changed, tests) + _named_after(changed, tests):
        found.setdefault(test.path, test)
    for test in _through_imports(changed, index):
        found.setdefault(test.path, test)
    return tuple(sorted(found.values(), key=lambda test: (test.steps, test.path)))[:MAX_TESTS]


def _named_after(changed: tuple[str, ...], tests: list[str]) -> list[Reached]:
    stems = {stem_under_test(path): path for path in changed if len(stem_under_test(path)) > 2 and not is_test(path)}
    return [
        Reached(test, ReachedBy("named", (stems[stem_under_test(test)],)), 1)
        for test in tests
        if stem_under_test(test) in stems
    ]


def _in_folder_of(changed: tuple[str, ...], tests: list[str]) -> list[Reached]:
    """The tests below a changed file that sets them up, and those of a changed package."""
    found = []
    for path in changed:
        folder, name = posixpath.split(path)
        language = language_of(path)
        if language is not None and name in language.test_setup:
            front = f"{folder}/" if folder else ""
            found += [Reached(test, ReachedBy("conftest", (path,)), 1) for test in tests if test.startswith(front)]
        elif naming(language).reach == "packages":
            own = [test for test in tests if posixpath.dirname(test) == folder and language_of(test) == language]
            found += [Reached(test, ReachedBy("package", (path,)), 1) for test in own]
    return found


def _through_imports(changed: tuple[str, ...], index: Index) -> list[Reached]:
    found: list[Reached] = []
    seen = dict.fromkeys(changed, "")
    front = list(changed)
    for steps in range(1, MAX_STEPS + 1):
        following: list[str] = []
        for path in front:
            for edge in index.importers_of(path):
                if edge.source in seen or len(seen) > MAX_VISITED:
                    continue
                seen[edge.source] = path
                following.append(edge.source)
                if is_test(edge.source):
                    found.append(Reached(edge.source, ReachedBy("imports", _chain(path, seen)), steps + 1))
        front = following
    return found


def _chain(path: str, came_from: dict[str, str]) -> tuple[str, ...]:
    """The files from one to the change, each of which imports the next."""
    way = [path]
    while came_from[way[-1]]:
        way.append(came_from[way[-1]])
    return tuple(way)
