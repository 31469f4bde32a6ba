"""Room in memory: shared by processes, given back when a run ends or dies, and no more taken than there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.models.memory import GIB, estimate
from optimizer.models.seats import QUEUE_SECONDS, Seats, Wish, weight

SERVER = "127.0.0.1:11434"
LIFE = 600.0
BIG, SMALL, TINY = (Wish(SERVER, name, size * GIB) for name, size in (("big", 7), ("small", 4), ("tiny", 1)))


class Clock:
    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(state: Path, clock: Clock, room: int = 10) -> Seats:
    """One run of this user."""
    return Seats(state, lambda: room * GIB, now=clock)


def test_what_fits_together_is_granted_and_what_does_not_waits(tmp_path: Path, clock: Clock) -> None:
    first, second, third = (run(tmp_path, clock) for _ in range(3))
    assert first.take(BIG, LIFE).granted
    assert second.take(TINY, LIFE).granted
    refused = third.take(SMALL, LIFE)
    assert not refused.granted and refused.others == ("big", "tiny") and refused.room == 10 * GIB
    assert first.busy(SERVER) == {"big", "tiny"}
    first.leave()
    assert third.take(SMALL, LIFE).granted


def test_a_model_in_use_is_shared_and_counts_once(tmp_path: Path, clock: Clock) -> None:
    first, second, third = (run(tmp_path, clock) for _ in range(3))
    assert first.take(BIG, LIFE).granted and second.take(BIG, LIFE).granted
    assert not third.take(SMALL, LIFE).granted
    first.leave()
    assert not third.take(SMALL, LIFE).granted
    second.close()
    assert third.take(SMALL, LIFE).granted


def test_those_who_wait_are_served_in_order(tmp_path: Path, clock: Clock) -> None:
    holder, patient, late = (run(tmp_path, clock) for _ in range(3))
    assert holder.take(BIG, LIFE).granted
    assert not patient.take(SMALL, LIFE).granted
    assert not late.take(TINY, LIFE).granted, "it would fit, but another was there before"
    holder.leave()
    assert patient.take(SMALL, LIFE).granted
    assert late.take(TINY, LIFE).granted


def test_a_place_in_the_queue_lapses_and_so_does_a_lease(tmp_path: Path, clock: Clock) -> None:
    holder, gone, late = (run(tmp_path, clock) for _ in range(3))
    assert holder.take(BIG, LIFE).granted
    assert not gone.take(SMALL, LIFE).granted
    clock.at += QUEUE_SECONDS + 1
    assert late.take(TINY, LIFE).granted
    clock.at += LIFE
    assert late.busy(SERVER) == frozenset()


def test_a_model_larger_than_the_machine_may_run_alone(tmp_path: Path, clock: Clock) -> None:
    huge = Wish(SERVER, "huge", 64 * GIB)
    first, second = run(tmp_path, clock), run(tmp_path, clock)
    assert first.take(huge, LIFE).granted
    assert not second.take(TINY, LIFE).granted


def test_a_run_that_goes_on_to_another_model_leaves_the_first(tmp_path: Path, clock: Clock) -> None:
    first, second = run(tmp_path, clock), run(tmp_path, clock)
    assert first.take(SMALL, LIFE).granted and first.take(TINY, LIFE).granted
    assert second.take(BIG, LIFE).granted
    assert first.busy(SERVER) == {"big", "tiny"}


def test_room_at_once_or_not_at_all(tmp_path: Path, clock: Clock) -> None:
    holder, small, late = (run(tmp_path, clock) for _ in range(3))
    assert holder.take(BIG, LIFE).granted
    refused = small.take_now(SMALL, LIFE, {})
    assert not refused.granted and refused.others == ("big",)
    assert late.take(TINY, LIFE).granted, "nobody waits"
    late.leave()
    assert small.take_now(TINY, LIFE, {}).granted
    assert holder.busy(SERVER) == {"big", "tiny"}
    small.close()
    assert holder.busy(SERVER) == {"big"}


def test_what_is_loaded_or_kept_free_counts_like_what_is_in_use(tmp_path: Path, clock: Clock) -> None:
    small = run(tmp_path, clock)
    assert small.take_now(TINY, LIFE, {"big": 9 * GIB}).granted
    small.leave()
    assert not small.take_now(SMALL, LIFE, {"big": 7 * GIB}).granted
    assert small.take_now(SMALL, LIFE, {"big": 7 * GIB, "small": 4 * GIB}).granted, "it is loaded already"
    small.leave()
    assert not small.take_now(BIG, LIFE, {"unknown": 0}).granted, "what is unknown is taken for half"
    assert small.take_now(Wish(SERVER, "huge", 64 * GIB), LIFE, {}).granted, "alone"


def test_who_waits_goes_before_who_does_not(tmp_path: Path, clock: Clock) -> None:
    holder, patient, small = (run(tmp_path, clock) for _ in range(3))
    assert holder.take(BIG, LIFE).granted
    assert not patient.take(SMALL, LIFE).granted
    assert not small.take_now(TINY, LIFE, {}).granted
    holder.leave()
    assert patient.take(SMALL, LIFE).granted


def test_room_that_the_user_gives_counts_at_once(tmp_path: Path, clock: Clock) -> None:
    looked = run(tmp_path, clock)
    assert looked.take(BIG, LIFE).room == 10 * GIB
    assert Seats(tmp_path, lambda: 10 * GIB, now=clock, given=12 * GIB).take(SMALL, LIFE).granted


def test_servers_have_memory_of_their_own(tmp_path: Path, clock: Clock) -> None:
    first, second = run(tmp_path, clock), run(tmp_path, clock)
    assert first.take(BIG, LIFE).granted
    assert second.take(Wish("127.0.0.1:9999", "small", 4 * GIB), LIFE).granted


def test_a_run_that_dies_gives_its_room_back(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from optimizer.models.seats import Seats, Wish\n"
        f"seats = Seats(pathlib.Path(sys.argv[1]), lambda: {10 * GIB})\n"
        f"assert seats.take(Wish({SERVER!r}, 'big', {7 * GIB}), 600.0).granted\n"
        "print('held', flush=True); sys.stdin.read(); os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        mine = Seats(tmp_path, lambda: 10 * GIB)
        assert not mine.take(SMALL, LIFE).granted
        other.communicate("")
    assert mine.take(SMALL, LIFE).granted
    mine.close()


def test_the_weight_comes_from_the_file_or_from_the_name() -> None:
    assert weight("m:7b", {}, 0.0, 8192) == estimate("m:7b").bytes
    assert weight("m:latest", {"m:latest": 4 * GIB}, 0.0, 8192) > 4 * GIB
    assert weight("m:latest", {}, 0.0, 8192) == 0
