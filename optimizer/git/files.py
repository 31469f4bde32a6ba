"""What git lists of a working tree, and the contents it holds at HEAD."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from optimizer.git.run import Running, find_git, run

_MODES = (b"100644", b"100755", b"100664")
_TRACKED = ("ls-files", "-z", "--cached")
_OTHERS = ("ls-files", "-z", "--others", "--exclude-standard")


class FileNames:
    """The names of all files of a root, listed by git in the background: the tracked ones, then the others."""

    def __init__(self, root: Path | None, skipped_folders: Sequence[str]) -> None:
        """Start listing (nothing without a root); untracked files in a folder of `skipped_folders` are left out."""
        git = find_git(root) if root else None
        others = (*_OTHERS, *(f"--exclude={name}/" for name in skipped_folders))
        self._lists = [Running(git, root, arguments) for arguments in (_TRACKED, others)] if root and git else []

    def names(self) -> Iterator[list[bytes] | None]:
        """Names relative to the root, list by list; None where there is no git or it fails."""
        if not self._lists:
            yield None
        for listing in self._lists:
            output = listing.output()
            yield None if output is None else output.split(b"\0")[:-1]

    def close(self) -> None:
        """End git, whether or not it is done."""
        for listing in self._lists:
            listing.close()


class Head:
    """The regular files of the commit HEAD: the object name of each path, and their contents."""

    def __init__(self, git: str, root: Path, blobs: dict[str, str]) -> None:
        self._git, self._root, self.blobs = git, root, blobs

    def read(self, path: str) -> bytes | None:
        """The content of a path at HEAD; None when git cannot read it."""
        return run(self._git, self._root, ["cat-file", "blob", self.blobs[path]])


def read_head(root: Path) -> Head | None:
    """What HEAD holds; None where there is no git, no repository or no commit."""
    git = find_git(root)
    listed = run(git, root, ["ls-tree", "-r", "-z", "--full-tree", "HEAD"]) if git else None
    return None if git is None or listed is None else Head(git, root, dict(_blobs(listed)))


def _blobs(listed: bytes) -> Iterator[tuple[str, str]]:
    for entry in listed.split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, kind, name = about.split()
        if kind == b"blob" and mode in _MODES:
            yield os.fsdecode(path), name.decode()


def object_name(data: bytes, length: int) -> str:
    """The object name that git gives to a file, in a repository whose names have `length` digits."""
    import hashlib

    digest = hashlib.sha256() if length == 64 else hashlib.sha1(usedforsecurity=False)
    digest.update(b"blob %d\0" % len(data) + data)
    return digest.hexdigest()


def is_ignored(root: Path, path: str) -> bool:
    """Whether git ignores an untracked path; False where there is no git."""
    git = find_git(root)
    return git is not None and run(git, root, ["check-ignore", "-q", "--", path]) is not None
