"""Merge three texts into one with git, which sees only these texts and touches no repository."""

from __future__ import annotations

import tempfile
from pathlib import Path

from optimizer.edits.write import Merge
from optimizer.errors import Conflict
from optimizer.git.run import find_git, run


def three_way(root: Path, state: Path) -> Merge:
    """A merge for `undo` and `redo`; the texts pass through a private directory below `state`.

    Where git is missing it raises Conflict when it is first needed.
    """

    def merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
        git = find_git(root)
        if git is None:
            raise Conflict(
                "git was not found, and merging needs it: nothing was changed",
                "install git, or restore by hand what optimize show prints",
            )
        with tempfile.TemporaryDirectory(prefix="merge-", dir=state) as folder:
            sides = {"ours": ours, "base": base, "theirs": theirs}
            for name, data in sides.items():
                (Path(folder) / name).write_bytes(data)
            return run(git, Path(folder), ["merge-file", "-p", "-q", *sides])

    return merge
