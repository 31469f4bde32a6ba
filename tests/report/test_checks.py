"""What names a command and what reaches a test, in words."""

from __future__ import annotations

import pytest

from optimizer.report.checks import FoundBy, ReachedBy, found_by, reached_by


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (FoundBy("configured"), "your configuration names it"),
        (FoundBy("file", "go.mod"), "there is go.mod"),
        (FoundBy("table", "pyproject.toml", "tool.ruff"), "pyproject.toml has [tool.ruff]"),
        (FoundBy("section", "setup.cfg", "flake8"), "[flake8] in setup.cfg"),
        (FoundBy("script", "package.json", "jest"), "package.json has a test script: jest"),
    ],
)
def test_what_names_a_command(by: FoundBy, words: str) -> None:
    assert found_by(by) == words


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (ReachedBy("changed"), "it is changed itself"),
        (ReachedBy("named", ("a.py",)), "it is named after a.py"),
        (ReachedBy("conftest", ("conftest.py",)), "conftest.py applies to it"),
        (ReachedBy("package", ("a.go",)), "it is in the package of a.go"),
        (ReachedBy("imports", ("b.py", "a.py")), "it imports b.py, which imports a.py"),
        (
            ReachedBy("imports", ("d{}.py", "c.py", "b.py", "a.py")),
            "it imports d{}.py, which imports …, which imports b.py, which imports a.py",
        ),
    ],
)
def test_what_reaches_a_test(by: ReachedBy, words: str) -> None:
    assert reached_by(by) == words
