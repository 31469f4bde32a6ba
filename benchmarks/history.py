"""Commits of a repository as patches, from before to after, read from git's objects alone."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

from optimizer.types import FileChange, Patch

NEWEST = 1500
MOST_BYTES = 1_000_000


def commits(
    source: Path, each: int, most_files: int, wanted: Callable[[str], bool], message: str = "", newest: int = NEWEST
) -> list[tuple[str, str]]:
    """(parent, commit) spread over the newest commits that change a few files, one of them `wanted`, oldest first.

    `message`: only commits in whose message this extended regular expression occurs.
    """
    said = ["-i", "-E", f"--grep={message}"] if message else []
    words = ("rev-list", "--no-merges", "--parents", *said, f"--max-count={newest}", "HEAD")
    listed = git(source, *words).decode().split("\n")
    pairs = [(line.split()[1], line.split()[0]) for line in listed if len(line.split()) == 2]
    order = {commit: number for number, (_, commit) in enumerate(pairs)}
    random.Random(1).shuffle(pairs)
    found: list[tuple[str, str]] = []
    for parent, commit in pairs:
        if len(found) >= each:
            break
        rows = _rows(source, parent, commit)
        if 1 <= len(rows) <= most_files and any(wanted(path) for _, _, path in rows):
            found.append((parent, commit))
    return sorted(found, key=lambda pair: -order[pair[1]])


def patch_of(source: Path, parent: str, commit: str) -> Patch:
    """The commit as a patch of its parent; links, submodules and very large files are left out.

    It is empty where the repository, as it was fetched, lacks a file.
    """
    changes = []
    for old, new, path in _rows(source, parent, commit):
        try:
            before, after = (
                None if set(name) == {"0"} else git(source, "cat-file", "blob", name) for name in (old, new)
            )
        except subprocess.CalledProcessError:
            return Patch(())
        if max(len(before or b""), len(after or b"")) <= MOST_BYTES and before != after:
            changes.append(FileChange(path, before, after))
    return Patch(tuple(changes))


def _rows(source: Path, parent: str, commit: str) -> list[tuple[str, str, str]]:
    printed = git(source, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", parent, commit)
    fields = printed.decode("utf-8", "surrogateescape").split("\0")[:-1]
    rows = []
    for about, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, old, new, _ = about.removeprefix(":").split()
        if {old_mode, new_mode} <= {"100644", "100755", "000000"}:
            rows.append((old, new, path))
    return rows


def git_folder(repository: Path) -> Path:
    """The git directory of a repository, bare or not."""
    return repository / ".git" if (repository / ".git").exists() else repository


def git(source: Path, *arguments: str) -> bytes:
    """The output of git for the repository with the git directory `source`."""
    command = ["git", "-c", "safe.directory=*", "--git-dir", str(source), *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout
