"""Imports as written → the files they lead to, in the tree of one repository; pure."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Any

from optimizer.languages.edges import ImportEdge as ImportEdge
from optimizer.languages.edges import RawImport
from optimizer.languages.table import LANGUAGES, Modules, language_of

MOST_KNOWN = 20_000
_LOCAL_KINDS = frozenset({"include-local", "require_relative"})
_MANIFEST = re.compile(
    "|".join(
        fnmatch.translate(pattern)
        for language in LANGUAGES
        if language.modules
        for pattern in language.modules.manifests
    )
).match


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a repository, and what each family of languages needs to find its modules among them."""

    paths: frozenset[str]
    manifests: Mapping[str, bytes]
    tables: dict[str, Any]
    known: dict[tuple[str, str, tuple[str, ...], str], tuple[tuple[str, str | None], ...]] = field(default_factory=dict)


def is_manifest(path: str) -> bool:
    """Whether `tree` needs the content of this file."""
    return _MANIFEST(posixpath.basename(path)) is not None


def is_local(module: str, kind: str | None) -> bool:
    """Whether an import of that form can only mean a file of the repository."""
    return module.startswith(("./", "../")) or kind in _LOCAL_KINDS


def family_of(path: str) -> Modules | None:
    """How the language of a file leads from imports to files; None where it does not."""
    language = language_of(path)
    return language.modules if language and language.modules and language.modules.lead_to_files else None


@cache
def _families() -> Mapping[str, Modules]:
    return {language.name: language.modules for language in LANGUAGES if language.modules}


def tree(
    paths: Iterable[str],
    manifests: Mapping[str, bytes],
    packages: Mapping[str, Sequence[RawImport]] = MappingProxyType({}),
) -> Tree:
    """Prepare to resolve imports among `paths` (relative, with `/`).

    `manifests` holds the bytes of all manifests, `packages` those of all files that have one by `has_package`.
    """
    files = frozenset(paths)
    families = {family.name: family for path in files if (family := family_of(path))}
    tables: dict[str, Any] = {}
    for name, family in families.items():
        if family.packages:
            own = {path: rows for path, rows in packages.items() if path.endswith(family.packages)}
            tables[name] = _module(family).build(files, manifests, own)
        else:
            tables[name] = _module(family).build(files, manifests)
    return Tree(files, manifests, tables)


def has_package(path: str) -> bool:
    """Whether the imports of others lead to this file by the package that it declares."""
    family = family_of(path)
    return family is not None and path.endswith(family.packages)


def resolve(path: str, imports: tuple[RawImport, ...], tree: Tree) -> tuple[ImportEdge, ...]:
    """Where the imports of the file at `path` lead; several edges for an import that spans files, none twice."""
    return tuple(dict.fromkeys(_edges(path, imports, tree)))


def _edges(path: str, imports: tuple[RawImport, ...], tree: Tree) -> Iterator[ImportEdge]:
    family = family_of(path) or next((_families()[raw.language] for raw in imports if raw.language), None)
    if family is None or not family.lead_to_files:
        return
    if family.name not in tree.tables:
        tree.tables[family.name] = _module(family).build(tree.paths, tree.manifests)
    table = tree.tables[family.name]
    find, known, folder = _module(family).resolve, tree.known, posixpath.dirname(path)
    if len(known) > MOST_KNOWN:
        known.clear()
    for raw in imports:
        if not family.by_folder:
            found = tuple(find(path, raw, table))
        else:
            key = (folder, raw.module, raw.names, raw.kind)
            if (found := known.get(key, ())) == ():
                found = known[key] = tuple(find(path, raw, table))
        for module, target in found:
            yield ImportEdge(path, raw.line, module, target)


def _module(family: Modules) -> ModuleType:
    return import_module(f"optimizer.languages.modules.{family.name}")
