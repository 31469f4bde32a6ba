"""Import a vendor's SDK quickly, and without parts that are not used."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

# httpx imports it where its optional packages are installed: a parser of arguments and a table printer.
_COMMAND_OF_HTTPX = "httpx._main"
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def loading() -> Iterator[None]:
    """Import without garbage collection, and leave what was imported out of later ones: it stays to the end.

    One thread imports at a time: where several import the same module, Python may give one of them a half-made one.
    Whether garbage is collected at all does not change: a refresh of the index in another thread switches that.
    """
    with _ONE_AT_A_TIME:
        modules = cast(dict[str, Any], sys.modules)
        threshold, before = gc.get_threshold(), len(modules)
        gc.set_threshold(0)
        modules.setdefault(_COMMAND_OF_HTTPX, None)
        try:
            yield
        finally:
            if modules.get(_COMMAND_OF_HTTPX) is None:
                modules.pop(_COMMAND_OF_HTTPX, None)
            if len(modules) > before:
                gc.freeze()
            if threshold[0]:
                gc.set_threshold(*threshold)
