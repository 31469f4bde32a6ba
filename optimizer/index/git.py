"""Ask git for names and messages only, so that nothing a repository configures can run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from optimizer.index.skip import SKIPPED_FOLDERS

SECONDS = 120.0
SAFE = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=" + os.devnull,
    "-c",
    "core.quotePath=false",
    "-c",
    "log.showSignature=false",
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
)
# Where the user's own list of ignored files is, and what Windows needs to start a process.
_PASSED = ("XDG_CONFIG_HOME", "SYSTEMROOT")
_LIST = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")


def find_git(root: Path) -> str | None:
    """The absolute path of a git that lies outside `root`; None when there is none."""
    inside = os.path.realpath(root)
    for folder in os.get_exec_path():
        if not Path(folder).is_absolute():
            continue
        found = shutil.which("git", path=folder)
        if found and os.path.commonpath((inside, os.path.realpath(found))) != inside:
            return found
    return None


def list_files(git: str, root: Path) -> list[bytes] | None:
    """Tracked and untracked files that are not ignored, relative to `root`; None when git refuses to tell."""
    told = ask(git, root, [*_LIST, *(f"--exclude={name}/" for name in SKIPPED_FOLDERS)])
    return None if told is None else told.split(b"\0")[:-1]


def ask(
    git: str, root: Path, arguments: Sequence[str], seconds: float = SECONDS, also: Mapping[str, str] | None = None
) -> bytes | None:
    """What a git command prints, told of the world what `environment` and `also` say; None when it fails or is late."""
    try:
        done = subprocess.run(
            [git, *SAFE, *arguments],
            cwd=root,
            env={**environment(root), **(also or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def environment(root: Path) -> dict[str, str]:
    """All that git is told of the world: nothing is fetched that a partial clone lacks, nothing is asked of a user."""
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(root.parent),
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_GRAFT_FILE": os.devnull,
    }
    environment |= {name: os.environ[name] for name in _PASSED if name in os.environ}
    try:
        return {**environment, "HOME": str(Path.home())}
    except RuntimeError:
        return environment
