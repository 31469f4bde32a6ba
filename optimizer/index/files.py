"""The one view of what may be read of a repository: the files that git lists, or a walk by the rules that git has.

Files that the ignore files of assistants name are not in it, nor are those that hold secrets by their name.
"""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Container, Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from optimizer.git.owner import is_ours, owner
from optimizer.git.run import FileNames, Refusal
from optimizer.git_folders import is_git_folder, named_folders
from optimizer.index.assistants import KINDS, around, hiding, rule_files
from optimizer.retrieval import Skipped

if TYPE_CHECKING:
    from optimizer.index.walk import Ground

_LEFT, _LEFT_ENDS = b".optimizer-", (b".tmp", b".old")
_NO_FILE = (0, 0, 0, 0)


class Root(NamedTuple):
    """The top folder of what is indexed, absolute; `git`: whether it holds a `.git`.

    `outer` is a folder above whose `.git` does not count, because others own it: what it ignores stays ignored.
    """

    path: Path
    git: bool
    outer: Path | None = None


class FileStat(NamedTuple):
    """A regular file: path relative to the root with `/`, size in bytes, times of its last change in nanoseconds."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int


class Look(NamedTuple):
    """All names that may be files, in listed order, with four numbers for each, flat.

    The numbers are 1 for a regular file and else 0, its size in bytes, and the times of its last change in nanoseconds.
    `refusal` is why git, which should know, was not the one to list them.
    """

    names: list[bytes]
    columns: array[int]
    refusal: Refusal = ""


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
    """The nearest folder at or above `start` that holds a `.git` (folder or file); else `start` itself.

    A folder above does not count if git would refuse it as another's, unless that is who also owns `start`.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if os.path.lexists(folder / ".git"):
            if folder == start or is_ours(folder) or owner(folder / ".git") == owner(start):
                return Root(folder, True)
            return Root(start, False, folder)
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
    return FileNames(root.path if root.git else None, SKIPPED_FOLDERS, KINDS)


def look(root: Root, listing: FileNames | None = None) -> Look:
    """Stat all files below `root`; `listing` may have been started before."""
    with closing(listing or list_names(root)) as names_by_list:
        found, folders, rules = Look([], array("q")), _git_folders(root.path), set[bytes]()
        for output in names_by_list.outputs():
            if output is None:
                found, rules = Look([], array("q"), names_by_list.refusal()), set()
                output = _walked(root)
                _see(root.path, output, folders, found)
                rules.update(rule_files(output))
                break
            _see(root.path, output, folders, found)
            rules.update(rule_files(output))
        return _unhidden(root, found, rules)


def _walked(root: Root) -> bytes:
    from optimizer.index.walk import walk

    return b"".join(name + b"\0" for name in walk(_ground(root)))


def sees(root: Root, path: str) -> bool:
    """Whether the view holds one file or link; what is not there yet is in it."""
    name = os.fsencode(path)
    if not os.path.lexists(root.path / path):
        return True
    if hiding(os.fsencode(root.path), around(name)).hides(name):
        return False
    with closing(FileNames(root.path if root.git else None, SKIPPED_FOLDERS, only=path)) as listing:
        outputs = list(listing.outputs())
    if None in outputs:
        from optimizer.index.walk import walks_to

        return walks_to(_ground(root), name)
    return any(outputs)


def hidden(root: Root, paths: Iterable[str]) -> frozenset[str]:
    """Those of some files, which need not be there, that an ignore file of an assistant names."""
    rules = hiding(os.fsencode(root.path), {place for path in paths for place in around(os.fsencode(path))})
    return frozenset(path for path in paths if rules.hides(os.fsencode(path))) if rules.chains else frozenset()


def _ground(root: Root) -> Ground:
    from optimizer.index.walk import Ground

    base = root.outer or root.path
    start = "" if root.path == base else root.path.relative_to(base).as_posix()
    skipped, wanted = (frozenset(map(os.fsencode, names)) for names in (SKIPPED_FOLDERS, KINDS))
    return Ground(os.fsencode(base), os.fsencode(start), root.git, skipped, wanted)


def _unhidden(root: Root, found: Look, rules: Iterable[bytes]) -> Look:
    """Without the files that an ignore file of an assistant hides, and without these ignore files."""
    rules = set(rules)
    hides = hiding(os.fsencode(root.path), rules)
    if not hides.chains and not rules:
        return found
    kept = Look([], array("q"), found.refusal)
    for number, name in enumerate(found.names):
        if name not in rules and not hides.hides(name):
            kept.names.append(name)
            kept.columns.extend(found.columns[4 * number : 4 * number + 4])
    return kept


def _git_folders(root: Path) -> dict[bytes, bool]:
    """What `_real_folder` knows at first: the root, and what its `.git` file names."""
    top = Path(os.path.realpath(root))
    inside = (os.fsencode(one.relative_to(top)) for one in named_folders(root) if one.is_relative_to(top))
    return {b"": not is_git_folder(os.fsencode(root)), **dict.fromkeys(inside, False)}


def _see(root: Path, listed: bytes, folders: dict[bytes, bool], found: Look) -> None:
    """Add names, a zero byte after each, with their status: zeros behind a link, in a directory of git, or if gone."""
    top, names = os.fsencode(root) + b"/", listed.split(b"\0")[:-1]
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


def holds_more(root: Root, files: int) -> bool:
    """Whether a walk below `root` finds more than so many files; it ends there."""
    from optimizer.index.walk import walk

    return next(islice(walk(_ground(root)), files, None), None) is not None


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
