"""Read regular files, and nothing else: no link, no pipe, no device."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_regular(root: Path, path: str) -> bytes | None:
    """The bytes of a regular file below `root` with no link on the way to it; None when it cannot be read."""
    folder = os.path.dirname(path)  # noqa: PTH120 - many files are read for a question
    try:
        top = os.path.realpath(root)
        if os.path.realpath(root / folder) != (os.path.join(top, folder) if folder else top):  # noqa: PTH118
            return None
    except (OSError, ValueError):
        return None
    return read_file(str(root / path))


def read_file(full: str | bytes, through_links: bool = False) -> bytes | None:
    """The bytes of a regular file; None when it cannot be read, or is a link. Never waits for a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(full, flags if through_links else flags | getattr(os, "O_NOFOLLOW", 0))
    except (OSError, ValueError):
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
