"""`--debug`: write the debug log to stderr, with secrets masked."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence

FLAG = "--debug"
KEYS = ("KEY", "TOKEN", "SECRET", "PASSWORD")  # ends of variables that hold one
LEAST_KEY = 6


def taken_out(argv: Sequence[str]) -> tuple[list[str], bool]:
    """`argv` without the flag, and whether it was there; words after `--` are left as they are."""
    end = argv.index("--") if "--" in argv else len(argv)
    kept = [word for word in argv[:end] if word != FLAG]
    return [*kept, *argv[end:]], len(kept) < end


def start(env: Mapping[str, str]) -> None:
    """Send all of the program's own log lines to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Masked(env))
    logger = logging.getLogger("optimizer")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False


class _Masked(logging.Formatter):
    """A line with milliseconds since the start; keys of the environment and what looks like a secret are masked."""

    def __init__(self, env: Mapping[str, str]) -> None:
        super().__init__("%(relativeCreated)7.0f ms  %(name)s: %(message)s")
        self._keys = [env[name] for name in env if name.endswith(KEYS) and len(env[name]) >= LEAST_KEY]

    def format(self, record: logging.LogRecord) -> str:
        from optimizer.errors import SecretFound
        from optimizer.privacy.secrets.scan import mask

        text = super().format(record)
        for key in self._keys:
            text = text.replace(key, "…")
        try:
            return mask(text)
        except SecretFound:  # the scan took too long
            return f"{record.name}: a line that could not be scanned for secrets"
