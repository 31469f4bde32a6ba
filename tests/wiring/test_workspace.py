"""Which project files configure a run: never those of another user, and the user gets a word."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer.index.files import find_root
from optimizer.wiring.workspace import Start, settings_at

ANOTHER = 12_345
as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")


def configured(place: Path, home: Path) -> tuple[int, str]:
    """The files that a context may hold here, and what the user gets to read."""
    told: list[str] = []
    config = settings_at(find_root(place), Start(place, {"HOME": str(home)}, {}), told.append)
    return config.settings.max_files, " ".join(told)


@pytest.fixture
def project(make_repo: Callable[..., Path]) -> Path:
    return make_repo({".optimizer.toml": "[context]\nmax_files = 3\n", "sub/a.py": "x"})


def test_ones_own_project_is_obeyed(project: Path, tmp_path: Path) -> None:
    files, told = configured(project, tmp_path)
    assert files == 3
    assert "another user" not in told


@as_root
@pytest.mark.parametrize("given_away", ["", ".git", ".optimizer.toml"])
def test_a_project_of_another_user_is_not_obeyed(project: Path, tmp_path: Path, given_away: str) -> None:
    os.chown(project / given_away, ANOTHER, ANOTHER)
    files, told = configured(project, tmp_path)
    assert files != 3
    assert "belongs to another user" in told
    assert ("safe.directory" in told) is (given_away != ".optimizer.toml")


@as_root
def test_a_repository_above_of_another_user_is_not_obeyed_and_ones_own_folder_in_it_is(
    project: Path, tmp_path: Path
) -> None:
    os.chown(project / ".git", ANOTHER, ANOTHER)
    files, told = configured(project / "sub", tmp_path)
    assert files != 3
    assert "does not count" in told
    (project / "sub/.optimizer.toml").write_text("[context]\nmax_files = 4\n")
    assert configured(project / "sub", tmp_path)[0] == 4


@as_root
def test_a_plain_folder_of_another_user_is_worth_a_word_where_it_would_say_something(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    os.chown(plain, ANOTHER, ANOTHER)
    assert "another user" not in configured(plain, tmp_path)[1]
    (plain / "AGENTS.md").write_text("do it\n")
    assert "belongs to another user" in configured(plain, tmp_path)[1]
