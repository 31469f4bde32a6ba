"""Imports as written → the files they lead to, in the tree of one repository; pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from optimizer.languages.edges import ImportEdge as ImportEdge
from optimizer.languages.edges import RawImport
from optimizer.languages.table import language_of

MOST_KNOWN = 20_000


@dataclass(frozen=True, slots=True)
class _Family:
    """Languages that find their modules alike; `name` is that of a module in `resolvers`, imported when needed.

    `by_folder`: where an import leads depends on the folder of its file alone.
    """

    name: str
    languages: tuple[str, ...]
    manifests: tuple[str, ...] = ()
    by_folder: bool = False

    @property
    def resolver(self) -> ModuleType:
        return import_module(f"optimizer.languages.resolvers.{self.name}")


_FAMILIES = (
    _Family("python", ("python", "notebook"), by_folder=True),
    _Family("javascript", ("javascript", "typescript", "tsx"), ("package.json", "jsconfig.json")),
    _Family("golang", ("go",), ("go.mod",)),
    _Family("rust", ("rust",), ("Cargo.toml",)),
    _Family("java", ("java", "kotlin", "scala")),
    _Family("c", ("c", "cpp"), by_folder=True),
    _Family("ruby", ("ruby",)),
    _Family("php", ("php",), ("composer.json",)),
    _Family("csharp", ("csharp",)),
    _Family("lua", ("lua",)),
    _Family("elixir", ("elixir",)),
    _Family("bash", ("bash",)),
)
_FAMILY_OF = {language: family for family in _FAMILIES for language in family.languages}


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a repository, and what each family of languages needs to find its modules among them."""

    paths: frozenset[str]
    manifests: Mapping[str, bytes]
    tables: Mapping[tuple[str, ...], Any]
    known: dict[tuple[str, str, tuple[str, ...], str], tuple[tuple[str, str | None], ...]] = field(default_factory=dict)


def is_resolved(language: str) -> bool:
    """Whether imports of a language, by its name, lead to files."""
    return language in _FAMILY_OF


def is_manifest(path: str) -> bool:
    """Whether `tree` wants the content of this file."""
    name = posixpath.basename(path)
    return any(name == manifest for family in _FAMILIES for manifest in family.manifests) or (
        name.startswith("tsconfig") and name.endswith(".json")
    )


def tree(paths: Iterable[str], manifests: Mapping[str, bytes]) -> Tree:
    """Prepare to resolve imports among `paths` (relative, with `/`); `manifests` holds the bytes of all manifests."""
    files = frozenset(paths)
    present = {language.name for path in files if (language := language_of(path))}
    tables = {
        family.languages: family.resolver.build(files, manifests)
        for family in _FAMILIES
        if present & set(family.languages)
    }
    return Tree(files, manifests, tables)


def resolve(path: str, imports: tuple[RawImport, ...], tree: Tree) -> tuple[ImportEdge, ...]:
    """Where the imports of the file at `path` lead; several edges for an import that spans files, none twice."""
    return tuple(dict.fromkeys(_edges(path, imports, tree)))


def _edges(path: str, imports: tuple[RawImport, ...], tree: Tree) -> Iterator[ImportEdge]:
    language = language_of(path)
    family = _FAMILY_OF.get(language.name) if language else None
    table = tree.tables.get(family.languages) if family else None
    if family is None or table is None:
        return
    find, known, folder = family.resolver.resolve, tree.known, posixpath.dirname(path)
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
