"""Haskell modules → files: `Data.Aeson.Types` is `Data/Aeson/Types.hs` below any folder, the nearest one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from optimizer.languages.edges import RawImport
from optimizer.languages.modules import suffixes
from optimizer.languages.modules.statements import Read

Names = Mapping[str, tuple[str, ...]]
_ENDINGS = (".hs", ".hsc", ".lhs")
_STATEMENT = re.compile(r"import\s+(?:safe\s+)?(?:qualified\s+)?(?:\"[^\"]*\"\s+)?([A-Z][\w.']*)")


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Names:
    """Haskell files by name: the folders of sources are written in many forms of manifests."""
    return suffixes.by_name(path for path in paths if path.endswith(_ENDINGS))


def resolve(path: str, raw: RawImport, table: Names) -> Iterator[tuple[str, str | None]]:
    """The file of a module; None outside the repository."""
    place = raw.module.replace(".", "/")
    found = [file for ending in _ENDINGS for file in suffixes.ending_in(place + ending, table)]
    yield raw.module, suffixes.nearest(path, found)


def read(text: str, kind: str) -> list[Read]:
    """The module that the text of an import names."""
    match = _STATEMENT.match(text)
    return [(match[1], (), "import")] if match else []
