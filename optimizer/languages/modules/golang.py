"""Go imports → the files of a package, by the module paths of every go.mod and the replacements it names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimizer.languages.edges import RawImport
from optimizer.languages.files_of_tests import is_test
from optimizer.languages.modules.statements import Read

_MODULE = re.compile(rb"^\s*module\s+\"?([^\s\"]+)", re.M)
_REPLACE = re.compile(rb"^\s*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s*=>\s*(\.{1,2}/\S*)", re.M)


@dataclass(frozen=True, slots=True)
class Go:
    """The files of each folder, tests left out, and (module path, folder) with the longest path first."""

    folders: Mapping[str, tuple[str, ...]]
    modules: tuple[tuple[str, str], ...]


def build(paths: frozenset[str], manifests: Mapping[str, bytes]) -> Go:
    """Read every go.mod; without one, imports below `vendor/` alone lead anywhere."""
    folders: dict[str, list[str]] = {}
    for path in sorted(paths):
        if path.endswith(".go") and not is_test(path):
            folders.setdefault(posixpath.dirname(path), []).append(path)
    modules: dict[str, str] = {}
    for path, data in sorted(manifests.items()):
        if posixpath.basename(path) != "go.mod":
            continue
        folder = posixpath.dirname(path)
        if found := _MODULE.search(data):
            modules.setdefault(found[1].decode("utf-8", "replace"), folder)
        for replaced in _REPLACE.finditer(data):
            place = posixpath.normpath(posixpath.join(folder, replaced[2].decode("utf-8", "replace")))
            modules.setdefault(replaced[1].decode("utf-8", "replace"), "" if place == "." else place)
    longest_first = sorted(modules.items(), key=lambda item: -len(item[0]))
    return Go({folder: tuple(files) for folder, files in folders.items()}, tuple(longest_first))


def resolve(path: str, raw: RawImport, table: Go) -> Iterator[tuple[str, str | None]]:
    """Every file of the imported package; None for a package outside the repository."""
    files = table.folders.get(folder) if (folder := _folder(path, raw.module, table)) is not None else None
    if not files:
        yield raw.module, None
        return
    for file in files:
        yield raw.module, file


def _folder(path: str, module: str, table: Go) -> str | None:
    if module.startswith("."):
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), module))
        return "" if place == "." else place
    for name, folder in table.modules:
        if module == name:
            return folder
        if module.startswith(f"{name}/"):
            return posixpath.join(folder, module[len(name) + 1 :])
    vendored = f"vendor/{module}"
    return vendored if vendored in table.folders else None


def read(text: str, kind: str) -> list[Read]:
    """The modules that the text of an import statement names."""
    alias, _, module = text.rpartition(" ")
    return [(module.strip('"`'), (alias.strip(),) if alias.strip() else (), kind)]
