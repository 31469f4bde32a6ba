"""The files of a repository: which there are, as git or a walk that honours .gitignore sees them, and their bytes."""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Container, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from optimizer.git.run import FileNames
from optimizer.git_folders import is_git_folder, named_folders
from optimizer.retrieval import Skipped

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


_LEFT, _LEFT_ENDS = b".optimizer-", (b".tmp", b".old")
_NO_FILE = (0, 0, 0, 0)


class Root(NamedTuple):
    """The top folder of what is indexed, absolute; `git`: whether it holds a `.git`."""

    path: Path
    git: bool


class FileStat(NamedTuple):
    """A regular file: path relative to the root with `/`, size in bytes, times of its last change in nanoseconds."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int


class Look(NamedTuple):
    """All names that may be files, in listed order, with four numbers for each, flat.

    The numbers are 1 for a regular file and else 0, its size in bytes, and the times of its last change in nanoseconds.
    """

    names: list[bytes]
    columns: array[int]


class Listing(NamedTuple):
    """All regular files in order of path, as parallel columns; `skipped` are those with unusable names."""

    paths: list[str]
    stats: list[tuple[int, int, int]]
    skipped: tuple[Skipped, ...]


class Scan(NamedTuple):
    """The files to index in order of path, and those left out with the reason."""

    files: tuple[FileStat, ...]
    skipped: tuple[Skipped, ...]


def find_root(start: Path) -> Root:
    """The nearest folder at or above `start` that holds a `.git` (folder or file); else `start` itself."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if os.path.lexists(folder / ".git"):
            return Root(folder, True)
    return Root(start, False)


def scan(root: Root, max_file_bytes: int) -> Scan:
    """All files to index below `root` with their sizes and times; files that vanish during the scan are left out."""
    return classify(listing(root), max_file_bytes)


def classify(found: Listing, max_file_bytes: int, known: Container[str] = ()) -> Scan:
    """Leave out large and secret files; names in `known` were checked before."""
    from optimizer.privacy.secret_files import is_secret_file

    files: list[FileStat] = []
    skipped = list(found.skipped)
    for path, (size, mtime, ctime) in zip(found.paths, found.stats, strict=True):
        if path not in known and is_secret_file(path):
            skipped.append(Skipped(path, "secret"))
        elif size > max_file_bytes:
            skipped.append(Skipped(path, "large", max_file_bytes))
        else:
            files.append(FileStat(path, size, mtime, ctime))
    return Scan(tuple(files), tuple(skipped))


def list_names(root: Root) -> FileNames:
    """Start listing the files of a root with git, in the background."""
    return FileNames(root.path if root.git else None, SKIPPED_FOLDERS)


def look(root: Root, listing: FileNames | None = None) -> Look:
    """Stat all files below `root`; `listing` may have been started before."""
    with closing(listing or list_names(root)) as names_by_list:
        found = Look([], array("q"))
        folders = _git_folders(root.path)
        for names in names_by_list.names():
            if names is None:
                found = Look([], array("q"))
                _see(root.path, list(_walk(os.fsencode(root.path), b"", [])), folders, found)
                break
            _see(root.path, names, folders, found)
        return found


def _git_folders(root: Path) -> dict[bytes, bool]:
    """What `_real_folder` knows at first: the root, and what its `.git` file names."""
    top = Path(os.path.realpath(root))
    inside = (os.fsencode(one.relative_to(top)) for one in named_folders(root) if one.is_relative_to(top))
    return {b"": not is_git_folder(os.fsencode(root)), **dict.fromkeys(inside, False)}


def _see(root: Path, names: list[bytes], folders: dict[bytes, bool], found: Look) -> None:
    """Add names with their status: zeros for those behind a link, in a directory of git, or gone."""
    top = os.fsencode(root) + b"/"
    lstat, regular, add = os.lstat, stat.S_ISREG, found.columns.extend
    for name in names:
        folder = name.rpartition(b"/")[0]
        numbers = _NO_FILE
        if folders[folder] if folder in folders else _real_folder(top, folder, folders):
            try:
                status = lstat(top + name)
            except (OSError, ValueError):
                pass
            else:
                if regular(status.st_mode):
                    numbers = (1, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        add(numbers)
    found.names.extend(names)


def listing(root: Root) -> Listing:
    """All regular files below `root`; links, pipes, sockets, devices and other repositories are not files."""
    return listed(look(root))


def listed(seen: Look) -> Listing:
    """The regular files that were seen, without git's pointers and what an interrupted write of ours left behind."""
    found: dict[str, tuple[int, int, int]] = {}
    skipped: list[Skipped] = []
    numbers = iter(seen.columns)
    for name, is_file, *stats in zip(seen.names, numbers, numbers, numbers, numbers, strict=True):
        own = name.rpartition(b"/")[2]
        if not is_file or own == b".git" or (own.startswith(_LEFT) and own.endswith(_LEFT_ENDS)):
            continue
        try:
            path = name.decode()
        except UnicodeDecodeError:
            skipped.append(Skipped(name.decode("utf-8", "backslashreplace"), "name"))
            continue
        found[path] = (stats[0], stats[1], stats[2])
    paths = sorted(found)
    return Listing(paths, [found[path] for path in paths], tuple(skipped))


def _real_folder(top: bytes, folder: bytes, known: dict[bytes, bool]) -> bool:
    """Whether no part of `folder` is git's own or a link: a link may have replaced the folder of a tracked file."""
    real = known.get(folder)
    if real is None:
        real = _real_folder(top, folder.rpartition(b"/")[0], known)
        real = real and not (_is_link(top + folder) or is_git_folder(top + folder))
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


def holds_more(root: Root, files: int) -> bool:
    """Whether a walk below `root` finds more than so many files; it ends there."""
    return next(islice(_walk(os.fsencode(root.path), b"", []), files, None), None) is not None


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


def read_regular(root: Path, path: str) -> bytes | None:
    """The bytes of a regular file below `root` with no link on the way to it; None when it cannot be read."""
    try:
        folder = (root / path).parent
        if folder.resolve() != root.resolve() / folder.relative_to(root):
            return None
    except (OSError, RuntimeError):
        return None
    return read_file(str(root / path))


def read_file(full: str) -> bytes | None:
    """The bytes of a regular file that is not a link; None when it cannot be read. Never waits for a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(full, flags)
    except OSError:
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return None
        data = os.read(handle, status.st_size + 1)
        while len(data) != status.st_size and (more := os.read(handle, 1 << 20)):
            data += more
        return data
    except OSError:
        return None
    finally:
        os.close(handle)


SKIPPED_FOLDERS = (
    ".git",
    ".hg",
    ".svn",
    ".jj",
    "node_modules",
    "bower_components",
    "__pycache__",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".eggs",
    ".gradle",
    ".terraform",
    ".idea",
    ".cache",
)

# Data rather than text: such files are listed, and found by their paths alone.
WORDLESS = (".po", ".pot", ".svg", ".csv", ".tsv", ".lock", ".map", ".min.js", ".min.css", ".geojson", ".pem", ".crt")


def has_words(path: str) -> bool:
    """Whether the words of a file are indexed, by its name alone."""
    return not path.endswith(WORDLESS)
