"""C# namespaces → the files of the folder that is named like them: `Acme.Shop` is `Acme.Shop/` or `Acme/Shop/`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.modules import suffixes
from optimizer.languages.modules.statements import COMMENT, Read


@dataclass(frozen=True, slots=True)
class CSharp:
    """Files by folder, and folders by the last part of their dotted names."""

    folders: Mapping[str, tuple[str, ...]]
    names: Mapping[str, tuple[str, ...]]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> CSharp:
    """Which namespace a file declares is not asked: by custom it follows the folders below the project's."""
    folders: dict[str, list[str]] = {}
    for path in sorted(paths):
        if path.endswith(".cs"):
            folders.setdefault(posixpath.dirname(path), []).append(path)
    names: dict[str, list[str]] = {}
    for folder in folders:
        names.setdefault(_dotted(folder).rpartition(".")[2], []).append(folder)
    return CSharp(
        {folder: tuple(files) for folder, files in folders.items()},
        {name: tuple(group) for name, group in names.items()},
    )


def resolve(path: str, raw: RawImport, table: CSharp) -> Iterator[tuple[str, str | None]]:
    """All files of the namespace, or the file of the type for a static import; None outside the repository."""
    space, _, last = raw.module.rpartition(".")
    folder = _folder(path, raw.module, table)
    if folder is not None:
        for file in table.folders[folder]:
            yield raw.module, file
        return
    around = _folder(path, space, table) if space else None
    file = posixpath.join(around, f"{last}.cs") if around is not None else ""
    yield raw.module, file if around is not None and file in table.folders[around] else None


def _folder(path: str, space: str, table: CSharp) -> str | None:
    wanted = f".{space}"
    found = [folder for folder in table.names.get(wanted.rpartition(".")[2], ()) if _dotted(folder).endswith(wanted)]
    return suffixes.nearest(path, found)


def _dotted(folder: str) -> str:
    return f".{folder}".replace("/", ".")


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    words = COMMENT.sub(" ", text).replace(";", " ").split()
    form = "static" if "static" in words else kind
    return [(words[-1].removeprefix("global::"), (), form)]
