"""Paths and dotted names of a request → the files of a repository they can mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MOST_CANDIDATES = 8
PACKAGE_STEMS = frozenset({"__init__", "index", "mod"})


@dataclass(frozen=True, slots=True)
class Places:
    """All paths by their last part, and as module names by their last word."""

    by_name: Mapping[str, Sequence[str]]
    by_stem: Mapping[str, Sequence[tuple[tuple[str, ...], str]]]


def places(paths: Iterable[str]) -> Places:
    """Prepare to look names up among `paths`."""
    by_name: dict[str, list[str]] = {}
    by_stem: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for path in paths:
        *folders, name = path.split("/")
        by_name.setdefault(name, []).append(path)
        stem = name.partition(".")[0]
        module = tuple(folders) if stem in PACKAGE_STEMS and folders else (*folders, stem)
        by_stem.setdefault(module[-1], []).append((module, path))
    return Places(by_name, by_stem)


def files_named(named: str, among: Places) -> Sequence[str]:
    """The files whose path ends as `named` does, over the longest run of parts that fits any; none when too many do.

    Leading parts that only the writer's machine knows are passed over: `/home/me/project/src/a.py` finds `src/a.py`.
    """
    parts = [part for part in re.split(r"[/\\]", named) if part not in ("", ".", "..")]
    same = among.by_name.get(parts[-1], ()) if parts else ()
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        ends = [path for path in same if path == tail or path.endswith("/" + tail)]
        if ends:
            exact = [path for path in ends if path == tail]
            return exact or (ends if len(ends) <= MOST_CANDIDATES else ())
    return ()


def modules_named(dotted: str, among: Places) -> Sequence[str]:
    """The files that the longest leading run of a dotted name means, two words or more; none when too many fit."""
    parts = tuple(dotted.split("."))
    for end in range(len(parts), 1, -1):
        found = [path for module, path in among.by_stem.get(parts[end - 1], ()) if module[-end:] == parts[:end]]
        if found:
            return found if len(found) <= MOST_CANDIDATES else ()
    return ()
