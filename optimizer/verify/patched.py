"""What a check is given and what it gives: a patch in its repository, every file parsed once, and a finding."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from optimizer.errors import NotFound
from optimizer.git.run import is_hidden
from optimizer.index.reader import Index
from optimizer.languages import imports
from optimizer.languages.edges import RawImport
from optimizer.languages.naming import exports
from optimizer.languages.naming.python import Module
from optimizer.languages.source import Source
from optimizer.report.checks import BrokenName, broken_name
from optimizer.retrieval import Symbol
from optimizer.types import Patch

MOST_NAMED = 3
MOST_SHOWN = 15
MOST_SEARCHED = 500


class Files:
    """Files that are read and parsed on first use, and then cached."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._sources: dict[str, Source] = {}
        self._modules: dict[str, Module] = {}
        self._linkages: dict[str, exports.Linkage] = {}

    def source(self, path: str) -> Source:
        """A file by its grammar; without any text where there is none."""
        if path not in self._sources:
            self._sources[path] = Source(path, self._read(path) or b"")
        return self._sources[path]

    def module(self, path: str) -> Module:
        """A Python file as Python reads it."""
        if path not in self._modules:
            self._modules[path] = Module(self.source(path).data)
        return self._modules[path]

    def linkage(self, path: str) -> exports.Linkage:
        """What a file takes from modules by name and gives to others."""
        if path not in self._linkages:
            self._linkages[path] = exports.read(self.source(path))
        return self._linkages[path]


class Side:
    """The repository on one side of a patch: the `changed` files as they are there, and all others.

    It answers for the tree of that side: which files there are, what they define and where their imports lead.
    `like` is a side with the same files and manifests.
    """

    def __init__(
        self,
        changed: Mapping[str, bytes | None],
        unchanged: Files,
        index: Callable[[], Index],
        like: Side | None = None,
    ) -> None:
        self._changed = changed
        self._own = Files(lambda path: changed[path])
        self._unchanged = unchanged
        self._index = index
        self._like = like

    def _files(self, path: str) -> Files:
        return self._own if path in self._changed else self._unchanged

    def source(self, path: str) -> Source:
        """A file by its grammar; without any text where there is none."""
        return self._files(path).source(path)

    def module(self, path: str) -> Module:
        """A Python file as Python reads it."""
        return self._files(path).module(path)

    def linkage(self, path: str) -> exports.Linkage:
        """What a file takes from modules by name and gives to others."""
        return self._files(path).linkage(path)

    @cached_property
    def paths(self) -> frozenset[str]:
        """All files."""
        gone = {path for path, data in self._changed.items() if data is None}
        return (frozenset(self._index().paths()) | self._changed.keys()) - gone

    @cached_property
    def not_indexed(self) -> frozenset[str]:
        """Files that are there and not indexed, such as pictures, which an import may name all the same."""
        return frozenset(one.path for one in self._index().skipped()) - self._changed.keys()

    @cached_property
    def tree(self) -> imports.Tree:
        """Where imports lead."""
        if self._like is not None:
            return self._like.tree
        manifests = (path for path in self.paths if imports.is_manifest(path))
        packages = dict(self._index().packages()) if any(map(imports.has_package, self.paths)) else {}
        packages |= {path: self._own.source(path).packages for path in self._changed if imports.has_package(path)}
        return imports.tree(self.paths, {path: self._data(path) for path in manifests}, packages)

    def _data(self, path: str) -> bytes:
        return (self._changed[path] or b"") if path in self._changed else read(self._index(), path)

    def symbols_in(self, path: str) -> tuple[Symbol, ...]:
        """The definitions of a file."""
        return self._own.source(path).symbols if path in self._changed else self._index().symbols_in(path)

    def symbols_named(self, name: str) -> tuple[Symbol, ...]:
        """All definitions of a name; sections of files that are not code do not count."""
        kept = [one for one in self._index().symbols_named((name,)) if one.path not in self._changed]
        own = [one for path in self._changed for one in self.symbols_in(path)]
        return (*kept, *(one for one in own if one.name == name and one.kind != "section"))

    def leads(self, path: str, raw: RawImport) -> tuple[str, ...]:
        """The files of the repository that an import of the file `path` leads to."""
        return tuple(edge.target for edge in imports.resolve(path, (raw,), self.tree) if edge.target)

    def targets(self, path: str) -> frozenset[str]:
        """All files that a file imports."""
        return frozenset(target for raw in self.source(path).imports for target in self.leads(path, raw))


class Patched:
    """The repository of an index `before` and `after` a patch."""

    def __init__(self, patch: Patch, index: Index | None) -> None:
        self.changes = patch.changes
        self._index = index
        unchanged = Files(lambda path: read(self.index, path))
        before = {change.path: change.before for change in patch.changes}
        after = {change.path: change.after for change in patch.changes}
        self.before = Side(before, unchanged, lambda: self.index)
        self.after = Side(after, unchanged, lambda: self.index, self.before if self._keeps_tree else None)

    @property
    def index(self) -> Index:
        """The repository as it is."""
        assert self._index is not None, "a check of the repository was made without one"
        return self._index

    def twin(self, path: str) -> str:
        """The file that is there and whose path differs only in case; `path` itself where there is none."""
        return self._folded.get(path.casefold(), path)

    def hidden(self, path: str) -> bool:
        """Whether a path that is not there is tracked, and kept out of a sparse checkout."""
        return self._index is not None and self._index.root.git and is_hidden(self._index.root.path, path)

    @cached_property
    def _folded(self) -> Mapping[str, str]:
        return {path.casefold(): path for path in self._index.paths()} if self._index else {}

    def importers(self, path: str) -> Iterable[str]:
        """The other files that import a file before or after the patch, and are there after it."""
        old = [edge.source for edge in self.index.importers_of(path)]
        own = [change.path for change in self.changes if path in self.after.targets(change.path)]
        return [one for one in dict.fromkeys((*old, *own)) if one != path and one in self.after.paths]

    def neighbours(self, path: str) -> list[str]:
        """The files of the folder of a path before the patch, in order; none without a repository."""
        if self._index is None:
            return []
        return sorted(one for one in self.before.paths if posixpath.dirname(one) == posixpath.dirname(path))

    def mentions(self, name: str) -> bool:
        """Whether a file that the patch leaves as it is has the word anywhere; also where too many may have it."""
        changed = {change.path for change in self.changes}
        word = re.compile(rb"\b%s\b" % re.escape(name.encode()))
        there = [path for path in self.index.holding(name) if path not in changed]
        return len(there) > MOST_SEARCHED or any(word.search(read(self.index, path)) for path in there)

    def had(self, name: str) -> bool:
        """Whether a changed file had the word before the patch."""
        word = re.compile(rb"\b%s\b" % re.escape(name.encode()))
        return any(change.before is not None and word.search(change.before) for change in self.changes)

    @property
    def has_code(self) -> bool:
        """Whether a grammar reads any of the changed files."""
        return any(self.after.source(change.path).error_count is not None for change in self.changes)

    @property
    def _keeps_tree(self) -> bool:
        return all(
            change.before is not None
            and change.after is not None
            and not (imports.is_manifest(change.path) or imports.has_package(change.path))
            for change in self.changes
        )


def read(index: Index, path: str) -> bytes:
    """A file of the repository; b'' where there is none."""
    try:
        return index.read(path)
    except NotFound:
        return b""


def tops(source: Source) -> set[str]:
    """The names that a file defines at its top level."""
    return {symbol.name for symbol in source.symbols if not symbol.parent and symbol.kind != "section"}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check in one place: whether it passed (None: it could not run), and why not."""

    passed: bool | None
    detail: str = ""
    evidence: str = ""


def broken(names: Sequence[BrokenName], why_not: str) -> Finding:
    """The result of a check of names: without broken ones it passed, unless it could not run, with `why_not`."""
    if not names:
        return Finding(None, why_not) if why_not else Finding(True)
    lines = [broken_name(one) for one in names]
    more = f" and {len(lines) - MOST_NAMED} more" if len(lines) > MOST_NAMED else ""
    return Finding(False, "; ".join(lines[:MOST_NAMED]) + more, evidence="\n".join(lines[:MOST_SHOWN]))
