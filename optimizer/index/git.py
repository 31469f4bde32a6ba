"""Ask git for names only, so that nothing a repository configures can run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from optimizer.index.skip import SKIPPED_FOLDERS

SECONDS = 120.0
_SAFE = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=" + os.devnull,
    "-c",
    "core.quotePath=false",
    "--no-pager",
    "--no-optional-locks",
)
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
    command = [git, *_SAFE, *_LIST, *(f"--exclude={name}/" for name in SKIPPED_FOLDERS)]
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env=_environment(root),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.split(b"\0")[:-1] if done.returncode == 0 else None


def _environment(root: Path) -> dict[str, str]:
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(root.parent),
    }
    try:
        return {**environment, "HOME": str(Path.home())}
    except RuntimeError:
        return environment
