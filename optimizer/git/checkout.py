"""Working trees of earlier commits, in a throw-away repository that borrows the objects of the user's."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from optimizer.errors import InputError
from optimizer.git.log import list_commits, read_commits
from optimizer.git.run import required_git, run

SECONDS = 120.0
MOST_LOOKED_AT = 20_000
MOST_CHANGED = 10
LEAST_WORDS = 3
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? ", re.M)


@dataclass(frozen=True, slots=True)
class PastChange:
    """A commit as a question: its message, and those files of its parent that it changed."""

    id: str
    parent: str
    message: str
    files: tuple[str, ...]


def recent(root: Path, count: int, wanted: Callable[[str], bool]) -> tuple[PastChange, ...]:
    """The newest commits that change one to ten `wanted` files; no merges, no messages of a word or two.

    Raises InputError where git can read no history.
    """
    git = required_git(root)
    listed = list_commits(git, root, "", MOST_LOOKED_AT, SECONDS)
    if listed is None:
        raise InputError(f"{root} has no history that git can read", "work in a git repository with commits")
    found: list[PastChange] = []
    with closing(read_commits(git, root, listed.new, SECONDS)) as commits:
        for commit in commits:
            files = tuple(path for path in commit.edited if wanted(path))
            if commit.parent and 1 <= len(files) <= MOST_CHANGED and len(commit.message.split()) >= LEAST_WORDS:
                found.append(PastChange(commit.id, commit.parent, commit.message, files))
            if len(found) >= count:
                break
    return tuple(found)


class Checkout:
    """A working tree of any commit of a repository, in a folder of its own; nothing is written into the repository.

    `git worktree add`, `checkout` and `stash` all write into the user's `.git`, a clone copies its references, and an
    export of each tree would have to be indexed as a whole. Here a new, empty repository names the user's objects as
    its alternates, which git only reads, knows none of the user's configuration, and moves its own HEAD from commit
    to commit: git writes the files that differ, and the index reads those alone.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        """Create `folder`, and a home for git next to it. Raises InputError when git cannot read the repository."""
        self.root = folder
        self._command = required_git(source)
        self._home = folder.with_name(folder.name + ".home")
        self._home.mkdir()
        shown = [run(self._command, source, ["rev-parse", "--git-path", name]) for name in ("objects", "shallow")]
        form = run(self._command, source, ["rev-parse", "--show-object-format"])
        if shown[0] is None or shown[1] is None or form is None:
            raise InputError(f"{source} is not a repository that git can read", "work in a git repository with commits")
        objects, shallow = (source / os.fsdecode(path.removesuffix(b"\n")) for path in (shown[0], shown[1]))
        if "\n" in str(objects):
            raise InputError(f"git cannot borrow from a folder with such a name: {str(objects)!r}", "rename the folder")
        folder.mkdir()
        self._run(["init", "-q", "--template=", f"--object-format={form.decode().strip()}", "."])
        (folder / ".git" / "objects" / "info").mkdir(exist_ok=True)
        (folder / ".git" / "objects" / "info" / "alternates").write_bytes(os.fsencode(objects) + b"\n")
        if shallow.is_file():
            shutil.copyfile(shallow, folder / ".git" / "shallow")

    def move(self, commit: str) -> bool:
        """Check out a commit and make it HEAD; False when parts of it are missing from the repository."""
        return self._run(["checkout", "-q", "-f", "--detach", commit, "--"]) is not None

    def changed_lines(self, change: PastChange, path: str) -> Sequence[tuple[int, int]]:
        """The line ranges that a commit replaced in a file of its parent; (n + 1, n) where it added lines after n."""
        diff = self._run(
            [
                *("diff-tree", "-p", "-U0", "--no-renames", "--no-textconv", "--no-ext-diff", "--no-color"),
                *(change.parent, change.id, "--", path),
            ]
        )
        ranges = []
        for match in _HUNK.finditer(diff or b""):
            start, length = int(match[1]), int(match[2] or 1)
            ranges.append((start, start + length - 1) if length else (start + 1, start))
        return ranges

    def _run(self, arguments: Sequence[str]) -> bytes | None:
        """Run git with the empty configuration of the new repository only; None when it fails."""
        own = {
            "HOME": str(self._home),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_LITERAL_PATHSPECS": "1",
        }
        return run(self._command, self.root, arguments, SECONDS, own)
