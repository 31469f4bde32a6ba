"""Programs that are started: which they are, and what is in their environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from optimizer import programs

KEY = "k-0123456789"
SECRET = {
    "ANTHROPIC_API_KEY": KEY,
    "ANTHROPIC_AUTH_TOKEN": "x",
    "ANTHROPIC_CUSTOM_HEADERS": "x: y",
    "OPENAI_ORG_ID": "x",
    "OPTIMIZER_PASSPHRASE": "x",
    "OPTIMIZER_HOME": "/x",
    "MY_SERVER_API_KEY": "x",
    "my_apikey": "x",
    "GITHUB_TOKEN": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "DB_PASSWORD": "x",
    "PGPASSWORD_FILE_PASS": "x",
    "KEYS": "x",
    "COPIED": f"Bearer {KEY}",
}
KEPT = {
    "PATH": "/bin",
    "HOME": "/h",
    "SSH_AUTH_SOCK": "/s",
    "SSH_ASKPASS": "/a",
    "GNUPGHOME": "/g",
    "DISPLAY": ":0",
    "KEYBOARD": "de",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "user.name",
    "GIT_CONFIG_VALUE_0": "a",
    "XAUTHORITY": "/x",
    "AUTHOR": "a",
    "MONKEYS": "2",
}


def test_no_secret_is_in_the_environment_of_a_program() -> None:
    assert programs.environment(SECRET | KEPT) == KEPT


def test_an_empty_key_hides_nothing() -> None:
    assert programs.environment({"GROQ_API_KEY": "", "A": "b"}) == {"A": "b"}


@pytest.mark.skipif(os.name == "nt", reason="made of shell scripts and links")
def test_a_program_of_the_repository_is_not_found(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "repo", tmp_path / "bin"
    for folder in (root / "tools", elsewhere):
        folder.mkdir(parents=True)
    inside, outside = root / "tools/xclip", elsewhere / "xclip"
    inside.write_text("#!/bin/sh\n")
    inside.chmod(0o755)

    def found(*folders: Path | str) -> str | None:
        return programs.find("xclip", root, {"PATH": os.pathsep.join(map(str, folders))})

    assert found(".", "", "tools", root / "tools") is None
    (tmp_path / "link").symlink_to(root / "tools")
    assert found(tmp_path / "link") is None, "nor through a folder that is a link"
    outside.symlink_to(inside)
    assert found(elsewhere) is None, "nor through a link to the program"
    outside.unlink()
    outside.write_text("#!/bin/sh\n")
    outside.chmod(0o755)
    assert found(root / "tools", elsewhere) == str(outside)
