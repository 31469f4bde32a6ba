"""Messages between this program and its own parser processes."""

from __future__ import annotations

import marshal
from typing import IO, Any


def send(stream: IO[bytes], message: Any) -> None:
    """Write one message to a pipe."""
    data = marshal.dumps(message)
    stream.write(len(data).to_bytes(8, "little"))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message from a pipe; None at its end."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    size = int.from_bytes(head, "little")
    data = stream.read(size)
    return marshal.loads(data) if len(data) == size else None
