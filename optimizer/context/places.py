"""Paths and dotted names of a request → the files of a repository they can mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

MOST_CANDIDATES = 8
PACKAGE_STEMS = ("__init__", "index", "mod")


def files_named(named: str, paths: Collection[str]) -> Sequence[str]:
    """The files whose path ends as `named` does, over the longest run of parts that fits any; none when too many do.

    Leading parts that only the writer's machine knows are passed over: `/home/me/project/src/a.py` finds `src/a.py`.
    """
    parts = [part for part in re.split(r"[/\\]", named) if part not in ("", ".", "..")]
    same = [path for path in paths if path.endswith(parts[-1])] if parts else []
    for start in range(len(parts) if same else 0):
        tail = "/".join(parts[start:])
        ends = [path for path in same if path == tail or path.endswith("/" + tail)]
        if ends:
            exact = [path for path in ends if path == tail]
            return exact or (ends if len(ends) <= MOST_CANDIDATES else ())
    return ()


def whole(named: str, path: str) -> bool:
    """Whether a path ends with all parts of `named`, of which there are several."""
    named = named.lstrip("./")
    return "/" in named and (path == named or path.endswith("/" + named))


def modules_named(dotted: str, paths: Collection[str]) -> Sequence[str]:
    """The files that the longest leading run of a dotted name means, two words or more; none when too many fit."""
    parts = dotted.split(".")
    for end in range(len(parts), 1, -1):
        run = "/".join(parts[:end])
        starts = (f"/{run}.", *(f"/{run}/{stem}." for stem in PACKAGE_STEMS))
        found = [path for path in paths if run in path and any(start in f"/{path}" for start in starts)]
        if found:
            return found if len(found) <= MOST_CANDIDATES else ()
    return ()
