"""Whether a conversation begins as it was sent: a digest of each message, which tells which one changed first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from optimizer.types import Message

Digests = tuple[str, ...]
"""A digest for each message, of it and all before it."""


class Changed(NamedTuple):
    """A conversation that does not begin as it was sent: the first message that differs, and how many were sent."""

    message: int
    of: int


def prefix_digest(messages: Iterable[Message]) -> Digests:
    """What messages are recognised by, to the byte."""
    so_far = hashlib.sha256()
    found: list[str] = []
    for message in messages:
        calls = [(call.id, call.name, dict(call.arguments), call.malformed, call.signature) for call in message.calls]
        results = [(one.call.id, one.call.name, one.text, one.failed) for one in message.results]
        said = json.dumps([message.role, message.text, calls, results, message.state])
        so_far.update(said.encode())
        for image in message.images:
            so_far.update(image.data)
        found.append(so_far.hexdigest()[:16])
    return tuple(found)


def changed(before: Sequence[str], now: Sequence[str]) -> Changed | None:
    """What differs in what was sent before; None where the messages now begin with all of it."""
    for number, one in enumerate(before):
        if number >= len(now) or now[number] != one:
            return Changed(number, len(before))
    return None
