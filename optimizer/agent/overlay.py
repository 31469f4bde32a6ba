"""The files as a model has changed them so far, in memory; nothing of it is on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from optimizer.types import FileChange, Patch


@dataclass(slots=True)
class Overlay:
    """Changes over what `disk` reads (a path's bytes, None where there is no file); `version` counts the changes."""

    disk: Callable[[str], bytes | None]
    changes: dict[str, FileChange] = field(default_factory=dict)
    version: int = 0

    def read(self, path: str) -> bytes | None:
        """A file as it stands now; raises what `disk` raises."""
        return self.changes[path].after if path in self.changes else self.disk(path)

    def take(self, patch: Patch) -> None:
        """Lay a patch, worked out over what `read` gives, over the changes so far."""
        for change in patch.changes:
            known = self.changes.get(change.path, change)
            self.changes[change.path] = FileChange(change.path, known.before, change.after)
        self.version += 1

    def patch(self) -> Patch:
        """All changes that are left, against the files as they are on disk."""
        return Patch(tuple(change for change in self.changes.values() if change.before != change.after))
