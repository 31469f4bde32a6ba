"""Read the files that edits name, as safely as they will be written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from optimizer.edits import paths
from optimizer.edits.land import current
from optimizer.edits.text import MAX_BYTES
from optimizer.errors import SafetyRefused


def reader(root: Path) -> Callable[[str], bytes | None]:
    """A function from a path to the file's bytes, None where there is none.

    It raises SafetyRefused for paths that may not be edited, for anything but a regular file, and above MAX_BYTES.
    """
    base = Path(os.path.realpath(root))

    def read(path: str) -> bytes | None:
        real = paths.resolve(base, path)
        try:
            size = real.stat().st_size
        except FileNotFoundError:
            return None
        if size > MAX_BYTES:
            raise SafetyRefused(f"{path} holds {size:,} bytes: files above {MAX_BYTES:,} are not edited")
        return current(str(base), real.relative_to(base).as_posix())

    return read
