"""A patch within its repository: every file before and after it, and where imports lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from optimizer.errors import NotFound
from optimizer.index.store import Index
from optimizer.languages import imports
from optimizer.types import Patch


class Patched:
    """The repository of an index as it is and as a patch would leave it."""

    def __init__(self, patch: Patch, index: Index | None) -> None:
        self.changes = patch.changes
        self._index = index
        self._before = {change.path: change.before for change in patch.changes}
        self._after = {change.path: change.after for change in patch.changes}

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

    def before(self, path: str) -> bytes:
        """A file without the patch; b'' where there is none."""
        return (self._before[path] or b"") if path in self._before else read(self.index, path)

    def after(self, path: str) -> bytes:
        """A file with the patch; b'' where there is none."""
        return (self._after[path] or b"") if path in self._after else read(self.index, path)

    @cached_property
    def tree_before(self) -> imports.Tree:
        """Where imports lead without the patch."""
        return self._tree(self._before)

    @cached_property
    def tree_after(self) -> imports.Tree:
        """Where imports lead with the patch."""
        same = all(
            change.before is not None and change.after is not None and not imports.is_manifest(change.path)
            for change in self.changes
        )
        return self.tree_before if same else self._tree(self._after)

    def _tree(self, contents: Mapping[str, bytes | None]) -> imports.Tree:
        there = {path: data for path, data in contents.items() if data is not None}
        kept = {path: read(self.index, path) for path in self._manifests if path not in contents}
        changed = {path: data for path, data in there.items() if imports.is_manifest(path)}
        return imports.tree((self._paths - contents.keys()) | there.keys(), {**kept, **changed})

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(self.index.paths())

    @cached_property
    def _manifests(self) -> tuple[str, ...]:
        return tuple(path for path in self._paths if imports.is_manifest(path))

    def importers(self, path: str) -> Iterable[str]:
        """The other files that import a file now."""
        return dict.fromkeys(edge.source for edge in self.index.importers_of(path) if edge.source != path)


def read(index: Index, path: str) -> bytes:
    """A file of the repository; b'' where there is none."""
    try:
        return index.read(path)
    except NotFound:
        return b""
