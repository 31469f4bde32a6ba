"""Files that a model names and that are not edited: ignored ones, optimizer's own, secrets (their templates are)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Optimize
from tests.loopback.replies import Call, Reply
from tests.loopback.server import Loopback

pytestmark = pytest.mark.slow


def asked_to_write(user: Optimize, loopback: Loopback, path: str, content: str) -> tuple[int, str]:
    """Ask for a change that the model answers by a new text for `path`, or for its first line where it exists."""
    if (user.cwd / path).exists():
        call = Call("edit_file", {"path": path, "start": 1, "end": 1, "content": content})
    else:
        call = Call("create_file", {"path": path, "content": content})
    loopback.queue("ollama", Reply(calls=(call,), stop="tool"))
    ran = user(f"change total to add less, in {path}", "--yes", "--tier", "local")
    return ran.code, ran.err


def test_an_ignored_file_is_not_edited_and_a_new_one_may_be_made(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    (calc / ".gitignore").write_text("*.local\n")
    (calc / "notes.local").write_text("mine\n")
    code, err = asked_to_write(user, loopback, "notes.local", "theirs\n")
    assert code == 4, err
    assert "notes.local" in err
    assert (calc / "notes.local").read_text() == "mine\n"
    code, err = asked_to_write(user, loopback, "new.local", "theirs\n")
    assert code == 0, err
    assert (calc / "new.local").read_text() == "theirs\n"


def test_secrets_are_refused_by_name_and_their_templates_written(
    user: Optimize, loopback: Loopback, calc: Path
) -> None:
    code, err = asked_to_write(user, loopback, ".env", "TOKEN=1\n")
    assert code == 4, err
    assert not (calc / ".env").exists()
    code, err = asked_to_write(user, loopback, ".env.example", "TOKEN=\n")
    assert code == 0, err
    assert (calc / ".env.example").read_text() == "TOKEN=\n"


def test_a_state_within_the_repository_is_neither_used_nor_made(user: Optimize, loopback: Loopback, calc: Path) -> None:
    home = calc / "home"
    (user.home / ".config/optimizer").rename(user.home / "config")
    (home / "config").mkdir(parents=True)
    (home / "config/config.toml").write_text((user.home / "config/config.toml").read_text())
    user.env["OPTIMIZER_HOME"] = str(home)
    code, err = asked_to_write(user, loopback, "home/state/consent.json", "{}\n")
    assert code == 6, err
    assert "OPTIMIZER_HOME" in err.splitlines()[0]
    assert not (home / "state").exists()


def test_a_new_script_is_told_to_be_not_executable(user: Optimize, loopback: Loopback, calc: Path) -> None:
    code, err = asked_to_write(user, loopback, "run.sh", "#!/bin/sh\necho\n")
    assert code == 0, err
    assert "chmod +x run.sh" in err
    assert (calc / "run.sh").stat().st_mode & 0o111 == 0
