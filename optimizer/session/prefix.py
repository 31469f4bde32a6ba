"""What the messages of a conversation are recognised by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from optimizer.types import Message

Digests = tuple[str, ...]
"""A digest for each message, of it and all before it."""


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
