"""Files that want more than a plain yes, and things a person should know before or after one is written."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path

from optimizer.types import Patch

# Patterns of paths in lower case (`*` also matches `/`), and what takes up such a file by itself.
_TAKEN_UP = (
    (".github/workflows/*", "CI"),
    (".github/actions/*", "CI"),
    (".gitlab-ci.yml", "CI"),
    (".gitlab/ci/*", "CI"),
    (".circleci/*", "CI"),
    (".travis.yml", "CI"),
    ("azure-pipelines.yml", "CI"),
    ("bitbucket-pipelines.yml", "CI"),
    ("jenkinsfile", "CI"),
    (".drone.yml", "CI"),
    (".husky/*", "git's hooks"),
    (".githooks/*", "git's hooks"),
    (".pre-commit-config.yaml", "git's hooks"),
    ("lefthook.yml", "git's hooks"),
    (".gitmodules", "git"),
    (".vscode/*", "the editor"),
    (".idea/*", "the editor"),
    (".zed/*", "the editor"),
    (".devcontainer/*", "the editor"),
    ("*.code-workspace", "the editor"),
    (".optimizer.toml", "optimizer"),
)


def taken_up_by(path: str) -> str:
    """What acts on a file as soon as it is there (CI, git's hooks, the editor, optimizer), '' for most files.

    Directories above the file may stand before such a path too, as in a repository of several projects.
    """
    folded = path.casefold()
    for pattern, who in _TAKEN_UP:
        if fnmatch.fnmatchcase(folded, pattern) or fnmatch.fnmatchcase(folded, f"*/{pattern}"):
            return who
    return ""


def open_in_editors(root: Path, patch: Patch) -> Iterator[str]:
    """A line for each file of the patch that an editor seems to have open, told by the file it keeps beside it."""
    for change in patch.changes:
        folder, name = (root / change.path).parent, Path(change.path).name
        beside = {
            f".{name}.swp": "Vim",
            f".{name}.swo": "Vim",
            f".#{name}": "Emacs",
            f".~lock.{name}#": "LibreOffice",
            f".{name}.kate-swp": "Kate",
        }
        found = next((who for mark, who in beside.items() if os.path.lexists(folder / mark)), "")
        if found:
            yield f"{change.path} seems to be open in {found}: load it there again once it is written"


def scripts_to_allow(patch: Patch) -> Iterator[str]:
    """A line for each new script: no file is made executable unasked."""
    for change in patch.changes:
        if change.before is None and (change.after or b"").startswith(b"#!"):
            yield f"{change.path} is a new script and not executable: chmod +x {change.path}"
