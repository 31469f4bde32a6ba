"""Lua modules → files: `a.b` is `a/b.lua` or `a/b/init.lua` below any folder, the nearest one."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from optimizer.languages.edges import RawImport
from optimizer.languages.modules import suffixes
from optimizer.languages.modules.statements import STRING, Read

Names = Mapping[str, tuple[str, ...]]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Names:
    """Lua files by name: where modules are looked for is not written anywhere."""
    return suffixes.by_name(path for path in paths if path.endswith(".lua"))


def resolve(path: str, raw: RawImport, table: Names) -> Iterator[tuple[str, str | None]]:
    """The file of a module, or a file that is named as such; None outside the repository."""
    place = raw.module.replace(".", "/").strip("/")
    places = (f"{place}.lua", f"{place}/init.lua") if raw.kind == "require" else (raw.module.removeprefix("./"),)
    found = [file for suffix in places if posixpath.basename(suffix) for file in suffixes.ending_in(suffix, table)]
    yield raw.module, suffixes.nearest(path, found)


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    match = STRING.search(text)
    module = (match[1] or match[2] or "") if match else ""
    return [(module, (), text[: match.start()].rstrip(" \t\r\n("))] if match and module else []
