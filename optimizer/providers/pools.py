"""Connections that stay open between the calls of a process, a pool for each endpoint."""

from __future__ import annotations

import importlib
import threading
from functools import cache
from typing import Any, Literal

from optimizer.providers.network import TimedBackend

Generation = Literal["httpx", "httpx2"]
CORE = {"httpx": "httpcore", "httpx2": "httpcore2"}
IDLE_SECONDS = 4.0  # servers close idle connections after five seconds and more: never use one that is about to go


class Pools:
    """The pools of a process, each opened when first wanted; threads may share them."""

    def __init__(self) -> None:
        self._open: dict[tuple[Generation, str, int], Any] = {}
        self._lock = threading.Lock()

    def of(self, generation: Generation, base_url: str, connections: int) -> Any:
        """The pool for an endpoint, of the HTTP library's own kind."""
        wanted = (generation, base_url, connections)
        with self._lock:
            if wanted not in self._open:
                self._open[wanted] = open_pool(*wanted)
            return self._open[wanted]

    def close(self) -> None:
        """Close all connections, also those in use."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()


def open_pool(generation: Generation, base_url: str, connections: int) -> Any:
    """A pool of at most so many connections, whose reads obey a Clock; the caller closes it."""
    core = importlib.import_module(CORE[generation])
    return core.ConnectionPool(
        ssl_context=_trusted(generation) if base_url.startswith("https:") else None,
        max_connections=connections,
        keepalive_expiry=IDLE_SECONDS,
        network_backend=TimedBackend(core),
    )


@cache
def _trusted(generation: Generation) -> Any:
    """Whose certificates are trusted; read once a process, since that takes as long as the rest of opening a door."""
    return importlib.import_module(generation).create_ssl_context()
