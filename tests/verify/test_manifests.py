"""A manifest may change its version, prose and other tools without a change of how tests run."""

from __future__ import annotations

import pytest

from optimizer.types import FileChange
from optimizer.verify.manifests import is_same_for_tests

PYPROJECT = (
    '[project]\nname = "a"\nversion = "1"\n[tool.ruff]\nline-length = 80\n[tool.pytest.ini_options]\naddopts = "-x"\n'
)
PACKAGE = '{"version": "1", "scripts": {"test": "mocha"}}'
SETUP = "[metadata]\nversion = 1\n[tool:pytest]\naddopts = -x\n[mypy-a]\nstrict = 1\n"


@pytest.mark.parametrize(
    ("path", "text", "old", "new", "same"),
    [
        ("pyproject.toml", PYPROJECT, '"1"', '"2"', True),
        ("pyproject.toml", PYPROJECT, "80", "90", True),
        ("lib/pyproject.toml", PYPROJECT, '"1"', '"2"', True),
        ("pyproject.toml", PYPROJECT, "-x", "-k none", False),
        ("pyproject.toml", PYPROJECT, "[tool.ruff]", '[project.entry-points.pytest11]\nx = "x"\n[tool.ruff]', False),
        ("pyproject.toml", PYPROJECT, "[tool.ruff]", "[tool.ruff", False),
        ("package.json", PACKAGE, '"1"', '"2"', True),
        ("package.json", PACKAGE, "mocha", "true", False),
        ("package.json", PACKAGE, PACKAGE, "[]", False),
        ("setup.cfg", SETUP, "version = 1", "version = 2", True),
        ("setup.cfg", SETUP, "strict = 1", "strict = 0", True),
        ("setup.cfg", SETUP, "-x", "-k none", False),
        ("conftest.py", "version = 1\n", "1", "2", False),
    ],
)
def test_only_what_tests_do_not_see_may_change(path: str, text: str, old: str, new: str, same: bool) -> None:
    assert old in text
    assert is_same_for_tests(FileChange(path, text.encode(), text.replace(old, new, 1).encode())) is same


def test_a_manifest_that_comes_or_goes_may_change_how_tests_run() -> None:
    assert not is_same_for_tests(FileChange("setup.cfg", None, SETUP.encode()))
    assert not is_same_for_tests(FileChange("setup.cfg", SETUP.encode(), None))
