"""Which changes are of tests: of the tests themselves, of their data, or of what decides which of them run and how."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable

from optimizer.languages.files_of_tests import is_test
from optimizer.languages.table import language_of
from optimizer.types import FileChange
from optimizer.verify.manifests import is_same_for_tests

_NAMES = frozenset(
    {
        "conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "tox.toml", "setup.cfg",
        "pyproject.toml", "package.json", "noxfile.py", "entry_points.txt", "sitecustomize.py", "usercustomize.py",
        "makefile", "gnumakefile", "justfile", ".justfile", "taskfile.yml", "taskfile.yaml", "rakefile", "jasmine.json",
        "cargo.toml", "go.work",
    }
)  # fmt: skip
_BEGINNINGS = (
    "jest.config.", "jest.setup.", "jest.preset.", "vitest.config.", "vitest.setup.", "vitest.workspace.",
    "vite.config.", ".mocharc", "karma.conf.", "ava.config.", ".taprc", ".babelrc", "babel.config.", ".swcrc",
)  # fmt: skip
_RUNNERS_ONLY = ("jest.config.", "vitest.config.", ".mocharc", "karma.conf.", "ava.config.", "jasmine.json")
_FOLDERS = frozenset({"test", "tests", "__tests__"})
_DATA_FOLDERS = _FOLDERS | {"testdata", "test-data", "test_data", "fixtures", "__snapshots__", "snapshots", "golden"}
_DATA = frozenset({"", "json", "yaml", "toml", "markdown", "html", "css"})
_RUST = re.compile(rb"^#\[cfg\(test\)\]\s+(?:#\[[^\n]*\]\s+)*(?:pub )?mod \w+ \{\n.*?^\}", re.M | re.S)


def is_of_tests(path: str) -> bool:
    """Whether a file holds tests or helps them, or decides which of them run."""
    name = posixpath.basename(path)
    return is_test(path) or _sets_up(path) or (path.partition("/")[0] in _FOLDERS and _is_code(name))


def is_new_test(change: FileChange) -> bool:
    """Whether a change makes a file of tests or of their data, and sets up none of the others."""
    return change.before is None and not _sets_up(change.path)


def changes_tests(change: FileChange) -> bool:
    """Whether a change is one of tests, of their data, or of what decides which of them run and how."""
    path = change.path
    return (is_of_tests(path) and not is_same_for_tests(change)) or _is_data(path) or old_within(change) is not None


def old_within(change: FileChange) -> bytes | None:
    """The new text of a program with the old tests that stand within it; None where those are the same or elsewhere."""
    if not (change.path.endswith(".rs") and change.before and change.after) or is_test(change.path):
        return None
    old, new = _RUST.findall(change.before), _RUST.findall(change.after)
    if not old or old == new or len(old) != len(new):
        return None
    blocks = iter(old)
    return _RUST.sub(lambda _: next(blocks), change.after)


def named(paths: Iterable[str], started: str, tracked: Iterable[str], read: Callable[[str], bytes]) -> frozenset[str]:
    """The paths that what a command has `started`, or the files that set up its runner, name as they are.

    Of other files that set up tests, only scripts of a shell: they name much else.
    """
    texts = [started] + [_text(read(path)) for path in tracked if _is_named(path, _RUNNERS_ONLY)]
    of_shell = [_text(read(path)) for path in tracked if _sets_up(path) and not _is_named(path, _RUNNERS_ONLY)]
    of_jest = [found for path in tracked if path == "package.json" for found in _RUNNER_KEYS.findall(_text(read(path)))]
    return frozenset(
        path
        for path in paths
        if _names(path, texts + of_jest) or (path.endswith((".sh", ".bash", ".mk")) and _names(path, of_shell))
    )


_RUNNER_KEYS = re.compile(r'"(?:jest|mocha|ava|vitest|tap)"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})')


def _names(path: str, texts: Iterable[str]) -> bool:
    whole, stem = re.escape(path), re.escape(posixpath.splitext(path)[0])
    looked_for = re.compile(rf"(?:^|[\s\"'=/(>]){whole}(?![\w.-])|(?:\./|>/){stem}(?![\w./-])", re.M)
    return any(looked_for.search(text) for text in texts)


def _sets_up(path: str) -> bool:
    return (
        posixpath.basename(path).lower() in _NAMES
        or _is_named(path, _BEGINNINGS)
        or path.endswith((".mk", ".cargo/config.toml", ".cargo/config"))
    )


def _is_named(path: str, beginnings: tuple[str, ...]) -> bool:
    return posixpath.basename(path).startswith(beginnings)


def _is_code(name: str) -> bool:
    language = language_of(name)
    return language is not None and language.name not in _DATA


def _is_data(path: str) -> bool:
    *folders, name = path.split("/")
    return not _is_code(name) and (not _DATA_FOLDERS.isdisjoint(folders) or name.endswith((".snap", ".ambr")))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
