"""Which commands a project is checked with: configured ones first, found ones by its files, none of its own making."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from optimizer.config.load import load
from optimizer.errors import ConfigError
from optimizer.index.files import Root
from optimizer.settings import Settings
from optimizer.verify.commands import Means, commands
from optimizer.verify.trusted import allowed
from tests.conftest import git

Build = Callable[..., Means]


@pytest.fixture
def means(make_repo: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path) -> Build:
    def build(files: Mapping[str, str | bytes], **settings: str) -> Means:
        programs = tmp_path / "bin"
        programs.mkdir()
        (programs / "pytest").write_text("")
        (programs / "pytest").chmod(0o755)
        root = Root(make_repo(files), True)
        return Means(root, tmp_path / "state", tmp_path / "cache", Settings(**settings), {"PATH": str(programs)})  # type: ignore[arg-type]

    return build


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.py": ""}, []),
        ({"tests/test_a.py": ""}, ["pytest"]),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n[tool.ruff]\n[tool.mypy]\n"}, ["pytest", "ruff check", "mypy"]),
        ({"setup.cfg": "[tool:pytest]\n[flake8]\n[mypy]\n"}, ["pytest", "flake8", "mypy"]),
        ({"Cargo.toml": ""}, ["cargo test"]),
        ({"go.mod": "module a\n"}, ["go test ./..."]),
        ({"package.json": '{"scripts": {"test": "jest"}}', "tsconfig.json": "{}"}, ["npm test", "tsc --noEmit"]),
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, []),
        ({"package.json": "{", "pyproject.toml": "[", "setup.cfg": "[[["}, []),
        ({"eslint.config.js": ""}, ["eslint"]),
    ],
)
def test_commands_are_found_by_the_files(means: Build, files: Mapping[str, str], expected: list[str]) -> None:
    made = means(files)
    found = commands(made)
    assert [command.text for command in found] == expected
    assert all(command.by.code != "configured" and command.source == "found" for command in found)
    assert all(allowed(command, made) is None for command in found)


@pytest.mark.parametrize(
    ("files", "passed"),
    [
        ({"mypy.ini": "[mypy]\nfiles = src\n"}, ()),
        ({"setup.cfg": "[mypy]\nfiles = src\n"}, ()),
        ({"pyproject.toml": "[tool.mypy]\npackages = ['a']\n"}, ()),
        ({"mypy.ini": "[mypy]\nstrict = True\n"}, (".py", ".pyi")),
    ],
)
def test_mypy_is_passed_the_changed_files_where_its_configuration_names_none(
    means: Build, files: Mapping[str, str], passed: tuple[str, ...]
) -> None:
    assert [(command.text, command.files) for command in commands(means(files))] == [("mypy", passed)]


def test_what_the_user_configured_goes_first_and_off_is_none(means: Build) -> None:
    made = means({"tests/test_a.py": "", "ruff.toml": ""}, verify_test="python -m pytest -x", verify_lint="off")
    (only,) = commands(made)
    assert (only.text, only.source, only.tool) == ("python -m pytest -x", "configured", "pytest")
    assert allowed(only, made)


@pytest.mark.parametrize("text", ["pytest 'x", "   "])
def test_a_command_that_cannot_be_read_is_a_config_error(means: Build, text: str) -> None:
    with pytest.raises(ConfigError):
        commands(means({}, verify_test=text))


def test_the_programs_of_the_projects_own_environment_are_used_unless_they_came_with_it(means: Build) -> None:
    made = means({"tests/test_a.py": "", ".gitignore": ".venv\n"})
    program = made.root.path / ".venv/bin/pytest"
    program.parent.mkdir(parents=True)
    program.write_text("")
    program.chmod(0o755)
    assert [command.text for command in commands(made)] == [".venv/bin/pytest"]
    git(made.root.path, "add", "-f", ".venv")
    assert [command.text for command in commands(made)] == ["pytest"]


def test_a_project_file_sets_no_command(make_repo: Callable[..., Path], tmp_path: Path) -> None:
    root = make_repo({".optimizer.toml": '[verify]\ntest = "touch x"\nlint = "touch y"\nseconds = 500\n'})
    config = load(root, {"HOME": str(tmp_path)}, {})
    assert (config.settings.verify_test, config.settings.verify_lint) == ("", "")
    assert config.settings.verify_seconds == 500
    assert len(config.notices) == 3
    assert all(
        key in line
        for key, line in zip(("verify.test", "verify.lint", "verify.seconds=500"), config.notices, strict=True)
    )
