"""C# namespaces → the files that declare them; else of the folder named like them, `Acme.Shop/` or `Acme/Shop/`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.modules import statements, suffixes
from optimizer.languages.modules.statements import Read

MOST_FILES = 300
_ANGLES = re.compile(r"<.*>|\?$", re.S)


@dataclass(frozen=True, slots=True)
class CSharp:
    """Files by folder, folders by the last part of their dotted names, files by namespace and full name, and back."""

    folders: Mapping[str, tuple[str, ...]]
    names: Mapping[str, tuple[str, ...]]
    defined: Mapping[str, tuple[str, ...]]
    spaces: Mapping[str, tuple[str, ...]]


def build(paths: frozenset[str], manifests: Mapping[str, bytes], packages: Mapping[str, Sequence[RawImport]]) -> CSharp:
    """What files declare counts; for the others, a namespace is the folder that is named like it, by custom."""
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
        suffixes.by_package(packages, "."),
        {path: tuple(around for row in rows for around in _around(row.module)) for path, rows in packages.items()},
    )


def resolve(path: str, raw: RawImport, table: CSharp) -> Iterator[tuple[str, str | None]]:
    """All files of the namespace, in all projects, or those of the type; None outside the repository."""
    space, _, last = raw.module.rpartition(".")
    names = (raw.module, *(f"{around}.{raw.module}" for around in table.spaces.get(path, ())))
    found = (table.defined.get(f"{name}{end}") for name in names for end in (".", ""))
    files = next(filter(None, found), ())
    folder = None if 0 < len(files) <= MOST_FILES else _folder(path, raw.module, table)
    files = files if folder is None else table.folders[folder]
    if not files and (around := _folder(path, space, table) if space else None) is not None:
        file = posixpath.join(around, f"{last}.cs")
        files = (file,) if file in table.folders[around] else ()
    yield from ((raw.module, file) for file in files or (None,))


def _around(space: str) -> Iterator[str]:
    """A namespace and those around it, from the inside out: names may be written from any of them."""
    while space:
        yield space
        space = space.rpartition(".")[0]


def _folder(path: str, space: str, table: CSharp) -> str | None:
    wanted = f".{space}"
    found = [folder for folder in table.names.get(wanted.rpartition(".")[2], ()) if _dotted(folder).endswith(wanted)]
    return suffixes.nearest(path, found)


def _dotted(folder: str) -> str:
    return f".{folder}".replace("/", ".")


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    words = _ANGLES.sub("", statements.COMMENT.sub(" ", text).replace(";", " ")).split()
    if words[-1].endswith((")", "]", "*")):
        return []
    form = "static" if "static" in words else kind
    return [(words[-1].removeprefix("global::"), (), form)]
