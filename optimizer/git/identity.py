"""The identity of a repository: the commits that its history begins with, kept until HEAD moves."""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any

from optimizer.git.run import find_git, run
from optimizer.git_folders import git_folder, head_mark, stat_text
from optimizer.privacy import private_file
from optimizer.privacy.identity import Identity

FILE = "repositories.json"
SECONDS = 30.0
MOST_ROOTS = 50
MOST_KEPT = 1_000
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ROOTS = ("rev-list", "--max-parents=0")


def identify(root: Path, state: Path) -> Identity:
    """The identity of the repository at `root`; git is asked only when HEAD has moved since it was asked last."""
    mark, head = _mark(root), head_mark(root)
    known = _known(state).get(str(root), {})
    if head and known.get("head") == head and known.get("mark") == mark:
        return Identity(tuple(known["roots"]), mark)
    roots = _roots(root, known if known.get("mark") == mark else {}) if head else ()
    if roots:
        _keep(state, str(root), {"head": head, "mark": mark, "roots": list(roots)})
    return Identity(roots, mark)


def _mark(root: Path) -> str:
    """A text that another repository, or folder, in the same place does not have."""
    folder = git_folder(root)
    if folder is None:
        return f"folder {_inode(root)}"
    return f"git {stat_text(folder / 'description') or _inode(folder)}"


def _inode(folder: Path) -> str:
    try:
        return str(folder.stat().st_ino)
    except OSError:
        return ""


def _roots(root: Path, known: dict[str, Any]) -> tuple[str, ...]:
    """All first commits; those known are kept where what was committed since begins nowhere else."""
    git = find_git(root)
    if git is None:
        return ()
    before = _COMMIT.findall(str(known.get("head", "")))
    if before and known["roots"]:
        new = run(git, root, [*_ROOTS, "HEAD", f"^{before[-1]}"], SECONDS)
        if new is not None and not new.strip():
            return tuple(known["roots"])
    listed = run(git, root, [*_ROOTS, "--all"], SECONDS)
    return tuple(_COMMIT.findall((listed or b"").decode("ascii", "replace"))[:MOST_ROOTS])


def _known(state: Path) -> dict[str, dict[str, Any]]:
    try:
        rows = json.loads((state / FILE).read_bytes())
        usable = {path: row for path, row in rows.items() if {"head", "mark", "roots"} <= row.keys()}
        return {path: row for path, row in usable.items() if all(map(_COMMIT.fullmatch, row["roots"]))}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return {}


def _keep(state: Path, path: str, row: dict[str, Any]) -> None:
    """Record what git said; where that fails it is asked again the next time."""
    file = state / FILE
    with contextlib.suppress(OSError), private_file.alone(file):
        rows = {name: known for name, known in _known(state).items() if name != path}
        kept = dict(list(rows.items())[-MOST_KEPT:])
        private_file.replace(file, json.dumps({**kept, path: row}) + os.linesep)
