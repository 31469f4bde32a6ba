"""Write a proven patch to the project, or note that the user said no."""

from __future__ import annotations

import os
from collections.abc import Container
from typing import TYPE_CHECKING

from optimizer.errors import InputError, SafetyRefused
from optimizer.types import Outcome, Patch

if TYPE_CHECKING:
    from optimizer.engine.services import Services

MOST_OF_A_REQUEST = 4_000


def commit(outcome: Outcome, services: Services, request: str = "", allowed: Container[str] = ()) -> str:
    """Write the patch of `outcome`, all or nothing; returns the journal entry that undo takes.

    `request` is what the user asked, for the journal; `allowed` are paths of files that something acts on by itself,
    to which the user said yes by name. Raises Conflict when a file has changed since it was read, SafetyRefused for a
    path that is never written or needs such a yes, StorageError when the disk fails (everything is put back).
    """
    from optimizer.edits.journal import Bounds
    from optimizer.edits.write import write

    if outcome.patch is None:
        raise InputError("there is no change to write")
    check(outcome.patch, services)
    if barred := [path for path in wanting_a_yes(outcome.patch) if path not in allowed]:
        raise needs_a_yes(barred)
    settings = services.workspace.settings
    entry = write(
        services.workspace.root,
        outcome.patch,
        services.workspace.journal,
        request.strip()[:MOST_OF_A_REQUEST],
        request=outcome.request,
        bounds=Bounds(settings.journal_bytes, settings.journal_days),
    )
    services.calls.ledger().settle(outcome.request, "accepted", was="proven")
    return entry


def check(patch: Patch, services: Services) -> None:
    """Refuse (SafetyRefused) what no yes can allow: optimizer's own files, and files that git ignores."""
    from optimizer.git.files import is_ignored

    places = [
        os.path.realpath(place)
        for place in (
            services.workspace.places.config,
            services.workspace.places.state,
            services.workspace.places.cache,
        )
    ]
    known = set(services.workspace.index.paths())
    for change in patch.changes:
        real = os.path.realpath(services.workspace.root / change.path)
        if any(os.path.commonpath((place, real)) == place for place in places):
            raise SafetyRefused(f"{change.path} belongs to optimizer itself: it is never edited", "edit it yourself")
        if change.before is not None and change.path not in known and is_ignored(services.workspace.root, change.path):
            raise SafetyRefused(
                f"{change.path} is ignored by git: such files are neither read nor edited", "edit it yourself"
            )


def wanting_a_yes(patch: Patch) -> tuple[str, ...]:
    """The paths of a patch that need a yes of their own."""
    from optimizer.edits.paths import taken_up_by

    return tuple(change.path for change in patch.changes if taken_up_by(change.path))


def needs_a_yes(paths: list[str]) -> SafetyRefused:
    """The refusal of such paths where nobody was asked."""
    from optimizer.edits.paths import taken_up_by

    told = ", ".join(f"{path} ({taken_up_by(path)} acts on it by itself)" for path in paths)
    flags = " ".join(f"--allow {path}" for path in paths)
    return SafetyRefused(
        f"nothing was written: {told} needs a yes of its own", f"say yes at a terminal, or name it: {flags}"
    )


def decline(outcome: Outcome, services: Services) -> None:
    """Book that a proven change was not wanted."""
    services.calls.ledger().settle(outcome.request, "declined", was="proven")
