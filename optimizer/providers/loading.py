"""Load a vendor's SDK, and not what it brings along for others."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

# What httpx imports where it is installed, and else does without: a parser of arguments and a painter of tables.
_COMMAND_OF_HTTPX = "httpx._main"
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def loading() -> Iterator[None]:
    """What is imported meanwhile stays to the end: no garbage is looked for among it, neither now nor later.

    One thread loads at a time: where several import the same, Python may hand one of them a module that is half made.
    Whether garbage is looked for at all is left as it is: a refresh of the index in another thread switches that.
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
