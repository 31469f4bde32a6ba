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
    memory, settings = services.calls.memory(), services.workspace.settings
    claim = services.calls.claim(model, prompt.tokens + prompt.max_output)
    begun = memory.now()
    told = False
    while not (grant := memory.acquire(claim, settings.load_seconds + settings.answer_seconds)).granted:
        who = " and ".join(grant.others) or "another run"
        if memory.now() - begun >= settings.load_seconds:
            memory.release()
            return f"not asked: no room in memory beside {who} within {settings.load_seconds:g} s"
        if not told:
            from optimizer.models.memory import GIB

            size = f"{claim.bytes / GIB:.1f} of {grant.total / GIB:.1f} GiB"
            yield Notice(f"{model.id} needs {size} of memory: waiting until another run is done with {who}")
            told = True
        memory.sleep(NAP)
    return ""


def leave(services: Services) -> None:
    """Give back the room that this run took. Raises StorageError."""
    services.calls.memory().release()
