"""Room in memory for a local model before it is asked, so that two runs do not push each other's models out."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from optimizer import vendors
from optimizer.events import Event, Notice
from optimizer.types import Model, Prompt

if TYPE_CHECKING:
    from optimizer.engine.services import Services

NAP = 0.5  # seconds between two looks


def sit(model: Model, prompt: Prompt, services: Services) -> Generator[Event, None, str]:
    """Wait until there is room for a model that a server of this machine loads; why there is none in the end, or ''.

    Waits no longer than `network.load_seconds`. Raises StorageError.
    """
    if not model.local or not vendors.of(model.provider).manages_models:
        return ""
    seats, settings = services.calls.seats(), services.workspace.settings
    wish = services.calls.wish(model, prompt.tokens + prompt.max_output)
    begun = seats.now()
    told = False
    while not (seat := seats.take(wish, settings.load_seconds + settings.answer_seconds)).granted:
        who = " and ".join(seat.others) or "another run"
        if seats.now() - begun >= settings.load_seconds:
            seats.leave()
            return f"not asked: no room in memory beside {who} within {settings.load_seconds:g} s"
        if not told:
            from optimizer.models.memory import GIB

            size = f"{wish.bytes / GIB:.1f} of {seat.room / GIB:.1f} GiB"
            yield Notice(f"{model.id} needs {size} of memory: waiting until another run is done with {who}")
            told = True
        seats.sleep(NAP)
    return ""


def leave(services: Services) -> None:
    """Give back the room that this run took. Raises StorageError."""
    services.calls.seats().leave()
