"""Which files hold tests, and what they test, by their names."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable
from functools import cache

from optimizer.languages.table import Language, language_of

Match = Callable[[str], "re.Match[str] | None"]
# Folders whose files serve tests, whatever they are called: tests themselves, their data, benchmarks.
FOLDERS = frozenset(
    {"test", "tests", "testing", "spec", "specs", "__tests__", "testdata", "test-data", "test_data", "fixture"}
    | {"fixtures", "mock", "mocks", "e2e", "benchmark", "benchmarks", "bench", "benches"}
)
_SERVES_TESTS = re.compile(
    r"^(?:tests?|specs?|conftest)\.\w+$|^test[_-]|[._-](?:tests?|bench|cy)\.\w+$|[._-]specs?\.(?!pyi?$)\w+$"
    r"|[a-z](?:Test|Tests|TestCase|Spec)\.\w+$"
)
_NEVER = r"(?!)"
_MARKS = re.compile(r"^(?:test|spec)s?[-_]|[-_](?:test|spec)s?$|(?:Tests?|TestCase|Spec|Suite)$|^Test(?=[A-Z])")
_MARK_IN_ENDING = re.compile(r"\.(?:test|spec)s?\.")


def is_test(path: str) -> bool:
    """Whether the usual runner of the language runs this file as tests."""
    language = language_of(path)
    return language is not None and _is_run(language, path)


def serves_tests(name: str) -> bool:
    """Whether a file is there for tests by its own name: run as tests, set up for them, or measuring."""
    return _SERVES_TESTS.search(name) is not None


def named_after(path: str) -> str:
    """The stem that a file of tests is named after, by the marks of its own name; '' where it has none."""
    name = posixpath.basename(path)
    stem = name.partition(".")[0]
    plain = _MARKS.sub("", stem)
    return plain if plain != stem or _MARK_IN_ENDING.search(name) else ""


def stem_under_test(path: str) -> str:
    """What a file of tests is named after; of any other file its name up to the first dot."""
    return (named_after(path) if is_test(path) else "") or posixpath.basename(path).partition(".")[0]


def _is_run(language: Language, path: str) -> bool:
    in_name, in_path = _patterns(language.tests)
    return in_name(posixpath.basename(path)) is not None or in_path(path) is not None


@cache
def _patterns(tests: tuple[str, ...]) -> tuple[Match, Match]:
    """One expression for names and one for paths."""
    by_name = [fnmatch.translate(pattern) for pattern in tests if "/" not in pattern]
    by_path = [fnmatch.translate(pattern) for pattern in tests if "/" in pattern]
    return re.compile("|".join(by_name) or _NEVER).match, re.compile("|".join(by_path) or _NEVER).match
