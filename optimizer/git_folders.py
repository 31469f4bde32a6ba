"""Know git's own directories, wherever they lie and whatever their name is.

They are recognised as git recognises them, so this also holds without git, for GIT_DIR, for bare and separate
repositories, for linked working trees and submodules. What a `.git` file names counts even if it is damaged.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

_HEAD = rb"ref:|[0-9a-f]{40}"
_MOST_BYTES = 4_096


def is_git_folder(folder: bytes) -> bool:
    """Whether a directory is one of git's: HEAD, with objects and refs, or with what leads to those of another."""
    head = folder + b"/HEAD"
    try:
        mode = os.lstat(head).st_mode
        begins = os.readlink(head) if stat.S_ISLNK(mode) else _start(head)  # noqa: PTH115 - bytes
    except (OSError, ValueError):
        return False
    if not (re.match(_HEAD, begins) or begins.startswith(b"refs/")):
        return False
    shared = os.path.lexists(folder + b"/commondir")
    return shared or (os.path.isdir(folder + b"/objects") and os.path.isdir(folder + b"/refs"))  # noqa: PTH112 - bytes


def named_folders(root: Path) -> tuple[Path, ...]:
    """The real paths that the `.git` file of a working tree names: its own directory, and the one it shares."""
    pointer = os.fsencode(root / ".git")
    try:
        text = _start(pointer)
    except (OSError, ValueError):
        return ()
    if not text.startswith(b"gitdir:"):
        return ()
    own = _joined(root, text.removeprefix(b"gitdir:"))
    try:
        return own, _joined(own, _start(os.fsencode(own / "commondir")))
    except (OSError, ValueError):
        return (own,)


def lies_in_git_folder(path: Path) -> bool:
    """Whether a file lies in a directory of git, also through links."""
    real = Path(os.path.realpath(path))
    return any(folder.name == ".git" or is_git_folder(os.fsencode(folder)) for folder in real.parents)


def head_mark(root: Path) -> str:
    """A text that differs whenever HEAD may mean another commit, read without git; '' when unknown."""
    own = git_folder(root)
    head = _text_of(own / "HEAD") if own else ""
    if own is None or not head:
        return ""
    common = own / (_text_of(own / "commondir") or ".")
    parts = [stat_text(common / "shallow"), head, _text_of(common / "reftable" / "tables.list")]
    if head.startswith("ref: refs/") and ".." not in head:
        name = head.removeprefix("ref: ")
        value = _text_of(common / name) or _text_of(own / name)
        parts += [value or stat_text(common / "packed-refs")]
    return "\n".join(parts)


def git_folder(root: Path) -> Path | None:
    """The directory of git of a working tree; None where there is none."""
    place = root / ".git"
    if place.is_dir():
        return place
    link = _text_of(place)
    return root / link.removeprefix("gitdir: ") if link.startswith("gitdir: ") else None


def stat_text(path: Path) -> str:
    """A text that differs when a file was replaced or changed; '' where there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"


def _text_of(path: Path) -> str:
    try:
        return _start(os.fsencode(path)).decode().strip()
    except (OSError, ValueError):
        return ""


def _joined(base: Path, written: bytes) -> Path:
    return Path(os.path.realpath(base / os.fsdecode(written.strip())))


def _start(path: bytes) -> bytes:
    """The beginning of a regular file, without waiting for a pipe; raises OSError for anything else."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("not a regular file")
        return os.read(handle, _MOST_BYTES)
    finally:
        os.close(handle)
