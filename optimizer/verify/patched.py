"""What a check is given and what it gives: a patch in its repository, every file parsed once, and a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from optimizer.errors import NotFound
from optimizer.index.reader import Index
from optimizer.languages import imports
from optimizer.languages.python import Module
from optimizer.languages.source import Source
from optimizer.report.checks import BrokenName, broken_name
from optimizer.types import Patch

MOST_NAMED = 3
MOST_SHOWN = 15


class Files:
    """Files that are read and parsed on first use, and then cached."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._sources: dict[str, Source] = {}
        self._modules: dict[str, Module] = {}

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


class Side:
    """The repository on one side of a patch: the `changed` files as they are there, and all others."""

    def __init__(self, changed: Mapping[str, bytes | None], unchanged: Files, tree: Callable[[], imports.Tree]) -> None:
        self._changed = changed
        self._own = Files(lambda path: changed[path])
        self._unchanged = unchanged
        self._tree = tree

    def _files(self, path: str) -> Files:
        return self._own if path in self._changed else self._unchanged

    def source(self, path: str) -> Source:
        """A file by its grammar; without any text where there is none."""
        return self._files(path).source(path)

    def module(self, path: str) -> Module:
        """A Python file as Python reads it."""
        return self._files(path).module(path)

    @cached_property
    def tree(self) -> imports.Tree:
        """Where imports lead."""
        return self._tree()


class Patched:
    """The repository of an index `before` and `after` a patch."""

    def __init__(self, patch: Patch, index: Index | None) -> None:
        self.changes = patch.changes
        self._index = index
        before = {change.path: change.before for change in patch.changes}
        after = {change.path: change.after for change in patch.changes}
        unchanged = Files(lambda path: read(self.index, path))
        self.before = Side(before, unchanged, lambda: self._tree(before))
        self.after = Side(after, unchanged, lambda: self.before.tree if self._keeps_tree else self._tree(after))

    @property
    def index(self) -> Index:
        """The repository as it is."""
        assert self._index is not None, "a check of the repository was made without one"
        return self._index

    def twin(self, path: str) -> str:
        """The file that is there and whose path differs only in case; `path` itself where there is none."""
        return self._folded.get(path.casefold(), path)

    @cached_property
    def _folded(self) -> Mapping[str, str]:
        return {path.casefold(): path for path in self._index.paths()} if self._index else {}

    def importers(self, path: str) -> Iterable[str]:
        """The other files that import a file now."""
        return dict.fromkeys(edge.source for edge in self.index.importers_of(path) if edge.source != path)

    @property
    def has_code(self) -> bool:
        """Whether a grammar reads any of the changed files."""
        return any(self.after.source(change.path).error_count is not None for change in self.changes)

    @property
    def _keeps_tree(self) -> bool:
        return all(
            change.before is not None and change.after is not None and not imports.is_manifest(change.path)
            for change in self.changes
        )

    def _tree(self, contents: Mapping[str, bytes | None]) -> imports.Tree:
        paths = frozenset(self.index.paths())
        there = {path: data for path, data in contents.items() if data is not None}
        kept = {path: read(self.index, path) for path in paths - contents.keys() if imports.is_manifest(path)}
        changed = {path: data for path, data in there.items() if imports.is_manifest(path)}
        return imports.tree((paths - contents.keys()) | there.keys(), {**kept, **changed})


def read(index: Index, path: str) -> bytes:
    """A file of the repository; b'' where there is none."""
    try:
        return index.read(path)
    except NotFound:
        return b""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check in one place: whether it passed (None: it could not run), and why not."""

    passed: bool | None
    detail: str = ""
    evidence: str = ""


def broken(names: Sequence[BrokenName], ran: bool, why_not: str) -> Finding:
    """The result of a check of names; without broken ones, whether it `ran` or why not."""
    if not names:
        return Finding(True) if ran else Finding(None, why_not)
    lines = [broken_name(one) for one in names]
    more = f" and {len(lines) - MOST_NAMED} more" if len(lines) > MOST_NAMED else ""
    return Finding(False, "; ".join(lines[:MOST_NAMED]) + more, evidence="\n".join(lines[:MOST_SHOWN]))
