"""What the working tree holds beside HEAD, as a patch; read from git's objects and the files, nothing is touched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from optimizer.errors import InputError
from optimizer.index.git import ask, find_git
from optimizer.index.regular import read_regular
from optimizer.index.walk import Root, listing
from optimizer.privacy.secret_files import is_secret_file
from optimizer.types import FileChange, Patch

MAX_FILE_BYTES = 20_000_000
_POINTER = b"version https://git-lfs.github.com/spec/"
_MODES = (b"100644", b"100755", b"100664")


def uncommitted(root: Root) -> Patch:
    """All changed, new and removed files against HEAD, staged or not; ignored and secret files are left out.

    Contents are compared as they are, so that no filter which the repository configures is run; a file that differs
    in its line endings alone is no change. Raises InputError where there is no HEAD.
    """
    git = find_git(root.path) if root.git else None
    listed = ask(git, root.path, ["ls-tree", "-r", "-z", "--full-tree", "HEAD"]) if git else None
    if git is None or listed is None:
        raise InputError(f"{root.path} has no commit to compare with", "work in a git repository with a commit")
    committed = dict(_blobs(listed))
    there = {path: size for path, (size, _, _) in zip(*_columns(root), strict=True)}
    changes: list[FileChange] = []
    for path in sorted(committed.keys() | there.keys()):
        if is_secret_file(path) or there.get(path, 0) > MAX_FILE_BYTES:
            continue
        after = read_regular(root.path, path) if path in there else None
        blob = committed.get(path, "")
        if (after is None and (not blob or os.path.lexists(root.path / path))) or blob == _name(after, len(blob)):
            continue
        before = ask(git, root.path, ["cat-file", "blob", blob]) if blob else None
        if (blob and before is None) or _alike(before, after):
            continue
        changes.append(FileChange(path, before, after))
    return Patch(tuple(changes))


def _columns(root: Root) -> tuple[list[str], list[tuple[int, int, int]]]:
    found = listing(root)
    return found.paths, found.stats


def _blobs(listed: bytes) -> Iterator[tuple[str, str]]:
    """Path and object name of every regular file in what `git ls-tree -z` told."""
    for entry in listed.split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, kind, name = about.split()
        if kind == b"blob" and mode in _MODES:
            yield os.fsdecode(path), name.decode()


def _name(data: bytes | None, length: int) -> str:
    """The object name that git would give to a file, in the repository's form of names."""
    if data is None or not length:
        return "?"
    digest = hashlib.sha256() if length == 64 else hashlib.sha1(usedforsecurity=False)
    digest.update(b"blob %d\0" % len(data) + data)
    return digest.hexdigest()


def _alike(before: bytes | None, after: bytes | None) -> bool:
    """Whether two contents are the same to a reader: but for line endings, or a pointer to what is kept elsewhere."""
    if before is None or after is None:
        return False
    return before.startswith(_POINTER) or before.replace(b"\r\n", b"\n") == after.replace(b"\r\n", b"\n")
