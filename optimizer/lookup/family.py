"""The types of a repository and what they are derived from: which methods override each other."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from optimizer.errors import NotFound
from optimizer.languages.naming.bases import PLAIN, TYPES, around_of, bases_of, last_of, mixed_in
from optimizer.languages.naming.table import naming_of, package_of
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from optimizer.index.reader import Index

_ALIAS = re.compile(rb"([A-Za-z_\\][\w.:\\]*)\s+as\s+(\w+)")


class Classes:
    """All types of one group of languages in a repository, each with the types that it is derived from."""

    def __init__(self, index: Index, paths: Iterable[str]) -> None:
        self._index = index
        self._parts: dict[Symbol, list[Symbol]] = {}
        self._packages: dict[str, str] = {}
        self._renamed: dict[str, Mapping[str, str]] = {}
        first: dict[str, Symbol] = {}
        for one in (one for path in paths for one in index.symbols_in(path) if _is_type(one)):
            whole = first.setdefault(one.qualified, one) if naming_of(one.path).in_parts else one
            self._parts.setdefault(whole, []).append(one)
        self._types = list(self._parts)

    @cached_property
    def _named(self) -> dict[str, list[Symbol]]:
        named: dict[str, list[Symbol]] = {}
        for one in self._types:
            named.setdefault(one.name, []).append(one)
        return named

    @cached_property
    def up(self) -> dict[Symbol, tuple[Symbol, ...]]:
        """What each type is derived from in this repository."""
        return {
            one: tuple(
                b
                for part in parts
                for base in (*bases_of(part), *self._mixed.get(part, ()))
                for b in self.meant(base, part.path)
            )
            for one, parts in self._parts.items()
        }

    @cached_property
    def _mixed(self) -> Mapping[Symbol, list[str]]:
        """The modules that the bodies of types take over."""
        found: dict[Symbol, list[str]] = {}
        by_path: dict[str, list[Symbol]] = {}
        for part in (part for parts in self._parts.values() for part in parts):
            by_path.setdefault(part.path, []).append(part)
        for path, parts in by_path.items():
            for line, names in mixed_in(self._read(path), naming_of(path)):
                around = [one for one in parts if one.start <= line <= one.end]
                if around:
                    found.setdefault(max(around, key=lambda one: one.start), []).extend(names)
        return found

    @cached_property
    def down(self) -> dict[Symbol, tuple[Symbol, ...]]:
        """What is derived from each type."""
        found: dict[Symbol, list[Symbol]] = {}
        for one, bases in self.up.items():
            for base in bases:
                found.setdefault(base, []).append(one)
        return {one: tuple(derived) for one, derived in found.items()}

    def meant(self, name: str, path: str) -> tuple[Symbol, ...]:
        """The types that a name, perhaps with what it is taken from, means in a file: the nearest that fit."""
        known = self._named.get(last_of(name), []) or self._aliased(name, path)
        if len(known) > 1:
            known = next(filter(None, self._nearest(known, name, path)), known)
        return tuple(known)

    def _nearest(self, known: list[Symbol], name: str, path: str) -> Iterator[list[Symbol]]:
        """The types that fit, by each rule that may tell them apart: the surest rule first."""
        if around := around_of(name):
            yield [one for one in known if around in self._places(one)]
        else:
            yield [one for one in known if self._is_in(one, {path})]
            yield [one for one in known if self._is_in(one, self._imported(name, path))]
            yield [one for one in known if any(self._is_together(part.path, path) for part in self._parts[one])]
        near = {edge.target for edge in self._index.imports_of(path)}
        yield [one for one in known if self._is_in(one, near)]

    def _places(self, one: Symbol) -> set[str]:
        """The last names of what a type may be taken from: a type, a package, a folder or a file."""
        names = {last_of(one.parent)}
        for part in self._parts[one]:
            folder, file = posixpath.split(part.path)
            names |= {posixpath.basename(folder), posixpath.splitext(file)[0], last_of(self._package(part.path))}
        return names - {""}

    def _imported(self, name: str, path: str) -> set[str | None]:
        """The files that an import of this very name leads to."""
        other = set(self._aliases(path).values())
        edges = self._index.imports_of(path)
        return {edge.target for edge in edges if last_of(edge.module) == name and edge.module not in other}

    def _is_together(self, one: str, other: str) -> bool:
        """Whether two files share their names without an import."""
        reach = naming_of(one).reach
        if reach == "packages":
            return posixpath.dirname(one) == posixpath.dirname(other)
        return reach == "namespaces" and self._package(one) == self._package(other)

    def _package(self, path: str) -> str:
        if path not in self._packages:
            self._packages[path] = package_of(self._read(path), naming_of(path))
        return self._packages[path]

    def _aliased(self, name: str, path: str) -> list[Symbol]:
        whole = self._aliases(path).get(name, "")
        known = self._named.get(last_of(whole), []) if whole else []
        return next(filter(None, self._nearest(known, whole, path)), known) if len(known) > 1 else known

    def _aliases(self, path: str) -> Mapping[str, str]:
        """The names that a file gives to what it imports, with what each stands for."""
        if path not in self._renamed:
            found = _ALIAS.findall(self._read(path))
            self._renamed[path] = {alias.decode(): whole.decode().lstrip("\\") for whole, alias in found}
        return self._renamed[path]

    def _read(self, path: str) -> bytes:
        try:
            return self._index.read(path) if path else b""
        except NotFound:
            return b""

    def _is_in(self, one: Symbol, paths: Container[str | None]) -> bool:
        return any(part.path in paths for part in self._parts[one])

    def parts(self, one: Symbol) -> list[Symbol]:
        """The definitions that a type is made of."""
        return self._parts.get(one, [one])

    def named(self, name: str) -> bool:
        """Whether a type of this name is defined here."""
        return name in self._named

    def outside(self, one: Symbol) -> tuple[str, ...]:
        """The bases of a type that are not defined in this repository and may declare any method."""
        return tuple(
            base
            for part in self._parts.get(one, [one])
            for base in bases_of(part)
            if last_of(base) not in PLAIN and not self.meant(base, part.path)
        )

    def above(self, start: Iterable[Symbol]) -> set[Symbol]:
        """The given types and all that they are derived from."""
        return _closure(start, self.up)

    def below(self, start: Iterable[Symbol]) -> set[Symbol]:
        """The given types and all that is derived from them."""
        return _closure(start, self.down)

    def owner(self, method: Symbol) -> Symbol | None:
        """The type that a method belongs to."""
        last = method.parent.split(".")[-1]
        known = [one for one in self._named.get(last, ()) if self._is_in(one, {method.path})]
        return (known or list(self.meant(last, method.path)) or [None])[0] if last else None  # type: ignore[list-item]

    def family(self, method: Symbol, others: Iterable[Symbol]) -> tuple[set[Symbol], set[Symbol]]:
        """The methods that override `method` or are overridden by it, among `others`; and the types that have it."""
        start = self.owner(method)
        if start is None:
            return {method}, set()
        owners = {other: owner for other in others if (owner := self.owner(other)) is not None}
        types = {start}
        while True:
            reached = self.below(types)
            joined = {owner for owner in owners.values() if owner not in types and owner in self.above(reached)}
            if not joined:
                return {method} | {other for other, owner in owners.items() if owner in types}, reached
            types |= joined


def _is_type(one: Symbol) -> bool:
    return one.kind in TYPES or (one.kind == "module" and naming_of(one.path).mixes)


def _closure(start: Iterable[Symbol], edges: Mapping[Symbol, tuple[Symbol, ...]]) -> set[Symbol]:
    seen, pending = set(start), list(start)
    while pending:
        new = [one for one in edges.get(pending.pop(), ()) if one not in seen]
        seen.update(new)
        pending += new
    return seen
