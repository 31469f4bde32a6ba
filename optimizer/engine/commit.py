"""Write a proven patch to the project, or note that the user said no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.errors import InputError
from optimizer.types import Outcome

if TYPE_CHECKING:
    from optimizer.engine.parts import Parts


def commit(outcome: Outcome, parts: Parts) -> str:
    """Write the patch of `outcome`, all or nothing; returns the journal entry that undo takes.

    Raises Conflict when a file has changed since it was read, SafetyRefused for a path that is never written,
    StorageError when the disk fails (everything is put back).
    """
    from optimizer.edits.write import write

    if outcome.patch is None:
        raise InputError("there is no change to write")
    entry = write(parts.root, outcome.patch, parts.journal, outcome.request)
    parts.ledger().settle(outcome.request, "accepted")
    return entry


def decline(outcome: Outcome, parts: Parts) -> None:
    """Book that a proven change was not wanted."""
    parts.ledger().settle(outcome.request, "declined")
