"""Room in memory: shared by processes, given back when a run ends or dies, and no more taken than there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.models.memory import GIB, estimate, needed
from optimizer.models.memory_leases import QUEUE_SECONDS, MemoryClaim, MemoryLeases

SERVER = "127.0.0.1:11434"
LIFE = 600.0
BIG, SMALL, TINY = (MemoryClaim(SERVER, name, size * GIB) for name, size in (("big", 7), ("small", 4), ("tiny", 1)))


class Clock:
    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(state: Path, clock: Clock, room: int = 10) -> MemoryLeases:
    """One run of this user."""
    return MemoryLeases(state, lambda: room * GIB, now=clock)


def test_what_fits_together_is_granted_and_what_does_not_waits(tmp_path: Path, clock: Clock) -> None:
    first, second, third = (run(tmp_path, clock) for _ in range(3))
    assert first.acquire(BIG, LIFE).granted
    assert second.acquire(TINY, LIFE).granted
    refused = third.acquire(SMALL, LIFE)
    assert not refused.granted and refused.others == ("big", "tiny") and refused.total == 10 * GIB
    assert first.in_use(SERVER) == {"big", "tiny"}
    first.release()
    assert third.acquire(SMALL, LIFE).granted


def test_a_model_in_use_is_shared_and_counts_once(tmp_path: Path, clock: Clock) -> None:
    first, second, third = (run(tmp_path, clock) for _ in range(3))
    assert first.acquire(BIG, LIFE).granted and second.acquire(BIG, LIFE).granted
    assert not third.acquire(SMALL, LIFE).granted
    first.release()
    assert not third.acquire(SMALL, LIFE).granted
    second.close()
    assert third.acquire(SMALL, LIFE).granted


def test_those_who_wait_are_served_in_order(tmp_path: Path, clock: Clock) -> None:
    holder, patient, late = (run(tmp_path, clock) for _ in range(3))
    assert holder.acquire(BIG, LIFE).granted
    assert not patient.acquire(SMALL, LIFE).granted
    assert not late.acquire(TINY, LIFE).granted, "it would fit, but another was there before"
    holder.release()
    assert patient.acquire(SMALL, LIFE).granted
    assert late.acquire(TINY, LIFE).granted


def test_a_place_in_the_queue_lapses_and_so_does_a_lease(tmp_path: Path, clock: Clock) -> None:
    holder, gone, late = (run(tmp_path, clock) for _ in range(3))
    assert holder.acquire(BIG, LIFE).granted
    assert not gone.acquire(SMALL, LIFE).granted
    clock.at += QUEUE_SECONDS + 1
    assert late.acquire(TINY, LIFE).granted
    clock.at += LIFE
    assert late.in_use(SERVER) == frozenset()


def test_a_model_larger_than_the_machine_may_run_alone(tmp_path: Path, clock: Clock) -> None:
    huge = MemoryClaim(SERVER, "huge", 64 * GIB)
    first, second = run(tmp_path, clock), run(tmp_path, clock)
    assert first.acquire(huge, LIFE).granted
    assert not second.acquire(TINY, LIFE).granted


def test_a_run_that_goes_on_to_another_model_leaves_the_first(tmp_path: Path, clock: Clock) -> None:
    first, second = run(tmp_path, clock), run(tmp_path, clock)
    assert first.acquire(SMALL, LIFE).granted and first.acquire(TINY, LIFE).granted
    assert second.acquire(BIG, LIFE).granted
    assert first.in_use(SERVER) == {"big", "tiny"}


def test_room_at_once_or_not_at_all(tmp_path: Path, clock: Clock) -> None:
    holder, small, late = (run(tmp_path, clock) for _ in range(3))
    assert holder.acquire(BIG, LIFE).granted
    refused = small.acquire_now(SMALL, LIFE, {})
    assert not refused.granted and refused.others == ("big",)
    assert late.acquire(TINY, LIFE).granted, "nobody waits"
    late.release()
    assert small.acquire_now(TINY, LIFE, {}).granted
    assert holder.in_use(SERVER) == {"big", "tiny"}
    small.close()
    assert holder.in_use(SERVER) == {"big"}


def test_what_is_loaded_or_kept_free_counts_like_what_is_in_use(tmp_path: Path, clock: Clock) -> None:
    small = run(tmp_path, clock)
    assert small.acquire_now(TINY, LIFE, {"big": 9 * GIB}).granted
    small.release()
    assert not small.acquire_now(SMALL, LIFE, {"big": 7 * GIB}).granted
    assert small.acquire_now(SMALL, LIFE, {"big": 7 * GIB, "small": 4 * GIB}).granted, "it is loaded already"
    small.release()
    assert not small.acquire_now(BIG, LIFE, {"unknown": 0}).granted, "what is unknown is taken for half"
    assert small.acquire_now(MemoryClaim(SERVER, "huge", 64 * GIB), LIFE, {}).granted, "alone"


def test_who_waits_goes_before_who_does_not(tmp_path: Path, clock: Clock) -> None:
    holder, patient, small = (run(tmp_path, clock) for _ in range(3))
    assert holder.acquire(BIG, LIFE).granted
    assert not patient.acquire(SMALL, LIFE).granted
    assert not small.acquire_now(TINY, LIFE, {}).granted
    holder.release()
    assert patient.acquire(SMALL, LIFE).granted


def test_room_that_the_user_gives_counts_at_once(tmp_path: Path, clock: Clock) -> None:
    looked = run(tmp_path, clock)
    assert looked.acquire(BIG, LIFE).total == 10 * GIB
    assert MemoryLeases(tmp_path, lambda: 10 * GIB, now=clock, given=12 * GIB).acquire(SMALL, LIFE).granted


def test_servers_have_memory_of_their_own(tmp_path: Path, clock: Clock) -> None:
    first, second = run(tmp_path, clock), run(tmp_path, clock)
    assert first.acquire(BIG, LIFE).granted
    assert second.acquire(MemoryClaim("127.0.0.1:9999", "small", 4 * GIB), LIFE).granted


def test_a_run_that_dies_gives_its_room_back(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from optimizer.models.memory_leases import MemoryLeases, MemoryClaim\n"
        f"memory = MemoryLeases(pathlib.Path(sys.argv[1]), lambda: {10 * GIB})\n"
        f"assert memory.acquire(MemoryClaim({SERVER!r}, 'big', {7 * GIB}), 600.0).granted\n"
        "print('held', flush=True); sys.stdin.read(); os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        mine = MemoryLeases(tmp_path, lambda: 10 * GIB)
        assert not mine.acquire(SMALL, LIFE).granted
        other.communicate("")
    assert mine.acquire(SMALL, LIFE).granted
    mine.close()


def test_the_weight_comes_from_the_file_or_from_the_name() -> None:
    assert needed("m:7b", {}, 0.0, 8192) == estimate("m:7b").bytes
    assert needed("m:latest", {"m:latest": 4 * GIB}, 0.0, 8192) > 4 * GIB
    assert needed("m:latest", {}, 0.0, 8192) == 0
