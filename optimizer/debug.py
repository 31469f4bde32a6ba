"""The debug log: what was decided and sent, a line each; `logging` is not loaded until it is configured."""

from __future__ import annotations

import sys


def debug(room: str, message: str, *values: object) -> None:
    """Log a line to the logger `optimizer.ROOM`; `values` fill the `%` marks of `message`.

    Never pass a key, or text of a prompt or an answer: pass sizes and names.
    """
    if logging := sys.modules.get("logging"):
        logging.getLogger(f"optimizer.{room}").debug(message, *values)
