"""Names of packages whose files share a folder, `package.Name`, as Go writes them; pure."""

from __future__ import annotations

import re

from optimizer.languages.edges import RawImport
from optimizer.languages.source import Source

_SEGMENT = re.compile(r"[./:\\\\-]+")


def takes_all(raw: RawImport) -> bool:
    """Whether an import brings all names of a package, to be used without its name."""
    return raw.names == (".",)


def local_name(raw: RawImport, package: str = "") -> str:
    """The name that an import gives to a package, which calls itself `package` where that is known."""
    return raw.names[0] if raw.names else package or raw.module.rpartition("/")[2]


def imported(source: Source) -> frozenset[str] | None:
    """The names that imported packages may have; None when an import brings all the names of a package."""
    found: set[str] = set()
    for raw in source.imports:
        if takes_all(raw):
            return None
        parts = [part for part in _SEGMENT.split(raw.module) if part]
        found.update(raw.names or parts)
        found.update(part.removeprefix("go").removesuffix("go").strip("_") for part in parts[-2:])
    return frozenset(found)
