"""How fast a server of this machine reads and writes, and how long a call of it may take."""

from __future__ import annotations

from typing import NamedTuple

SLOWEST = 20.0  # tokens a second that a server is expected to read as long as none were measured
PATIENCE = 3.0  # a call may take so many times as long as at the measured pace
LEAST_READ, LEAST_WRITTEN = 200, 16  # tokens below which a call measures nothing
SMOOTHING = 0.3


class Pace(NamedTuple):
    """Tokens a second that a server read before it answered, and wrote; 0: not measured."""

    read: float = 0.0
    write: float = 0.0

    def reading(self, tokens: int) -> float:
        """Seconds that a prompt of so many tokens may take before its answer begins."""
        return tokens * PATIENCE / self.read if self.read else tokens / SLOWEST

    def writing(self, tokens: int) -> float:
        """Seconds that an answer of so many tokens may take; 0 where nothing was measured."""
        return tokens * PATIENCE / self.write if self.write else 0.0

    def after(self, read: tuple[int, float], written: tuple[int, float]) -> Pace:
        """The pace after a call that read and wrote so many tokens in so many seconds.

        A slower call counts at once, a faster one by a share: a limit is rather too long than too short.
        """
        return Pace(_after(self.read, read, LEAST_READ), _after(self.write, written, LEAST_WRITTEN))


def _after(before: float, measured: tuple[int, float], least: int) -> float:
    tokens, seconds = measured
    if tokens < least or seconds <= 0:
        return before
    now = tokens / seconds
    return now if not before or now < before else before + SMOOTHING * (now - before)
