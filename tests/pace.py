"""Processor time as ratios, which hold on machines that are slow or busy."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

TRIES = 4
TIMES, MOST = 4, 8
UNMEASURABLE = 0.1


def seconds(work: Callable[[], object], rounds: int = 3) -> float:
    """The least processor time of a few rounds."""
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def assert_linear(work: Callable[[int], object], size: int) -> None:
    """Fail when four times the size takes more than eight times as long, each time it is tried."""
    for _ in range(TRIES):
        small, large = (seconds(lambda size=size: work(size), 1) for size in (size, TIMES * size))
        if large < max(UNMEASURABLE, MOST * small):
            return
    pytest.fail(f"{TIMES} times the size took {large / small:.1f} times as long, {TRIES} times in a row")
