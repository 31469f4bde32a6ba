"""The uncommitted changes of the working tree as a patch, read from git's objects and the files."""

from __future__ import annotations

import os

from optimizer.errors import InputError
from optimizer.git.run import object_name, read_head, required_git
from optimizer.index.files import Root, hidden, listing
from optimizer.index.regular import read_regular
from optimizer.privacy.secret_files import is_secret_file
from optimizer.types import FileChange, Patch

MAX_FILE_BYTES = 20_000_000
_POINTER = b"version https://git-lfs.github.com/spec/"


def uncommitted(root: Root) -> Patch:
    """All changed, new and removed files against HEAD, staged or not; without what is ignored or secret.

    Contents are compared as they are, so that no filter that the repository configures runs; a file that differs only
    in its line endings is not a change. Raises InputError where there is no HEAD, or no git to read it.
    """
    head = read_head(root.path) if root.git else None
    if head is None:
        if root.git:
            required_git(root.path)
        raise InputError(f"{root.path} has no commit to compare with", "work in a git repository with a commit")
    committed = head.blobs
    there = {path: size for path, (size, _, _) in zip(*_columns(root), strict=True)}
    changes: list[FileChange] = []
    for path in sorted((committed.keys() - hidden(root, committed)) | there.keys()):
        if is_secret_file(path) or there.get(path, 0) > MAX_FILE_BYTES:
            continue
        after = read_regular(root.path, path) if path in there else None
        blob = committed.get(path, "")
        if (after is None and (not blob or os.path.lexists(root.path / path))) or (
            blob and after is not None and blob == object_name(after, len(blob))
        ):
            continue
        before = head.read(path) if blob else None
        if (blob and before is None) or _alike(before, after):
            continue
        changes.append(FileChange(path, before, after))
    return Patch(tuple(changes))


def _columns(root: Root) -> tuple[list[str], list[tuple[int, int, int]]]:
    found = listing(root)
    return found.paths, found.stats


def _alike(before: bytes | None, after: bytes | None) -> bool:
    """Whether two contents differ in line endings only, or the first points to content stored elsewhere (Git LFS)."""
    if before is None or after is None:
        return False
    return before.startswith(_POINTER) or before.replace(b"\r\n", b"\n") == after.replace(b"\r\n", b"\n")
