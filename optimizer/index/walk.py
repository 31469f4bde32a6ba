"""Which files a repository holds: git's view of them, or a walk that honours .gitignore where there is no git."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.index.git import find_git, list_files
from optimizer.index.skip import SKIPPED_FOLDERS
from optimizer.privacy.secret_files import is_secret_file
from optimizer.retrieval import Skipped

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

NOT_UTF8 = "name is not UTF-8"
SECRET = "secret file"
_LEFT, _LEFT_ENDS = b".optimizer-", (b".tmp", b".old")


@dataclass(frozen=True, slots=True)
class Root:
    """The top folder of what is indexed, absolute; `git` tells whether a `.git` stands in it."""

    path: Path
    git: bool


@dataclass(frozen=True, slots=True)
class FileStat:
    """A regular file: path relative to the root with `/`, size in bytes, times of its last change in nanoseconds."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class Listing:
    """All regular files in order of path, as parallel columns; `skipped` are those with unusable names."""

    paths: list[str]
    stats: list[tuple[int, int, int]]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """The files to index in order of path, and those left out with the reason."""

    files: tuple[FileStat, ...]
    skipped: tuple[Skipped, ...]


def find_root(start: Path) -> Root:
    """The nearest folder upwards that holds a `.git` (folder or file); else `start` itself."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if os.path.lexists(folder / ".git"):
            return Root(folder, True)
    return Root(start, False)


def scan(root: Root, max_file_bytes: int) -> Scan:
    """All files to index below `root` with their sizes and times; files that vanish meanwhile are left out."""
    return classify(listing(root), max_file_bytes)


def classify(found: Listing, max_file_bytes: int, known: Container[str] = ()) -> Scan:
    """Leave out large and secret files; names in `known` were judged before and are not looked at again."""
    files: list[FileStat] = []
    skipped = list(found.skipped)
    for path, (size, mtime, ctime) in zip(found.paths, found.stats, strict=True):
        if path not in known and is_secret_file(path):
            skipped.append(Skipped(path, SECRET))
        elif size > max_file_bytes:
            skipped.append(Skipped(path, f"larger than {max_file_bytes} bytes"))
        else:
            files.append(FileStat(path, size, mtime, ctime))
    return Scan(tuple(files), tuple(skipped))


def listing(root: Root) -> Listing:
    """All regular files below `root`; links, pipes, sockets, devices and other repositories are not files."""
    names: Iterable[bytes] | None = None
    if root.git and (git := find_git(root.path)):
        names = list_files(git, root.path)
    if names is None:
        names = _walk(os.fsencode(root.path), b"", [])
    return _look(root.path, names)


def _look(root: Path, names: Iterable[bytes]) -> Listing:
    """The regular files among `names`; what an interrupted write of this program left beside a file is none."""
    top = os.fsencode(root) + b"/"
    found: dict[str, tuple[int, int, int]] = {}
    skipped: list[Skipped] = []
    folders: dict[bytes, bool] = {b"": True}
    lstat, regular = os.lstat, stat.S_ISREG
    for name in names:
        folder, _, own = name.rpartition(b"/")
        if not _real_folder(top, folder, folders) or (own.startswith(_LEFT) and own.endswith(_LEFT_ENDS)):
            continue
        try:
            status = lstat(top + name)
        except (OSError, ValueError):
            continue
        if not regular(status.st_mode):
            continue
        try:
            path = name.decode()
        except UnicodeDecodeError:
            skipped.append(Skipped(name.decode("utf-8", "backslashreplace"), NOT_UTF8))
            continue
        found[path] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    paths = sorted(found)
    return Listing(paths, [found[path] for path in paths], tuple(skipped))


def _real_folder(top: bytes, folder: bytes, known: dict[bytes, bool]) -> bool:
    """Whether no part of `folder` is a link: a tracked file may lie behind one that replaced its folder."""
    real = known.get(folder)
    if real is None:
        real = _real_folder(top, folder.rpartition(b"/")[0], known) and not _is_link(top + folder)
        known[folder] = real
    return real


def _is_link(path: bytes) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except OSError:
        return False


def _walk(top: bytes, folder: bytes, rules: list[tuple[bytes, GitIgnoreSpec]]) -> Iterator[bytes]:
    pending = [(folder, rules)]
    skipped = {os.fsencode(name) for name in SKIPPED_FOLDERS}
    while pending:
        folder, rules = pending.pop()
        try:
            entries = sorted(os.scandir(top + b"/" + folder), key=lambda entry: entry.name)
        except OSError:
            continue
        if any(entry.name == b".gitignore" for entry in entries):
            rules = [*rules, *_rules(top, folder)]
        for entry in entries:
            path = folder + b"/" + entry.name if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if (is_folder and entry.name in skipped) or _ignored(path, is_folder, rules):
                continue
            if is_folder:
                pending.append((path, rules))
            else:
                yield path


def _rules(top: bytes, folder: bytes) -> list[tuple[bytes, GitIgnoreSpec]]:
    from pathspec import GitIgnoreSpec

    path = top + b"/" + folder + b"/.gitignore"
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return []
        with open(path, "rb") as file:  # noqa: PTH123 - a path of bytes
            lines = os.fsdecode(file.read(1_000_000)).splitlines()
        return [(folder + b"/" if folder else b"", GitIgnoreSpec.from_lines(lines))]
    except (OSError, ValueError):
        return []


def _ignored(path: bytes, is_folder: bool, rules: list[tuple[bytes, GitIgnoreSpec]]) -> bool:
    for prefix, spec in reversed(rules):
        inner = os.fsdecode(path[len(prefix) :]) + ("/" if is_folder else "")
        verdict = spec.check_file(inner).include
        if verdict is not None:
            return bool(verdict)
    return False
