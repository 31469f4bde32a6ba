"""A server of this machine gets the time that it needs to read a prompt, and no more."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from optimizer.errors import TimedOut
from optimizer.models.state_store import StateStore
from optimizer.providers import base, endpoints
from optimizer.providers.door import ExchangeLimits, Gate, gate_in
from optimizer.providers.network import EventLines
from optimizer.providers.pace import PATIENCE, SLOWEST, Pace
from optimizer.settings import Settings
from tests.loopback.clients import Heard, connect, hear
from tests.loopback.replies import Reply
from tests.loopback.server import Loopback

PINGS = (b": ping\n\n", b":\n\n", b"event: ping\ndata: {}\n\n", b"event: keepalive\ndata:\n\n", b"data:\n\n", b"\n")


def asked(loopback: Loopback, state: Path, limits: ExchangeLimits, pace: Pace | None, reply: Reply) -> Heard:
    settings = Settings(
        first_token_seconds=limits.first,
        stall_seconds=limits.stall,
        answer_seconds=limits.answer,
        load_seconds=limits.load,
    )
    gate = gate_in(Gate("/repo", state, limits), settings, ("stub-1", "openai", "explain"), pace, lambda _: None)
    provider = base.open_provider(endpoints.endpoint("openai", loopback.url), gate)
    try:
        return hear(loopback, "openai", provider, reply)
    finally:
        provider.close()


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, 1], ids=["before anything", "after the chunk with the role"])
def test_pings_are_no_answer(loopback: Loopback, tmp_path: Path, at: int) -> None:
    slow = Reply("text", stall_at=at, stall=0.5, pings=PINGS)
    limits = ExchangeLimits(first=0.1, stall=0.2, answer=0.3, load=3)
    assert asked(loopback, tmp_path, limits, None, slow).pieces == ["te", "xt"]
    hasty = ExchangeLimits(first=5, stall=5, answer=5, load=0.2)
    begun = time.monotonic()
    error = asked(loopback, tmp_path, hasty, None, slow).error
    assert isinstance(error, TimedOut) and not error.heard and time.monotonic() - begun < 0.45


def test_what_had_arrived_of_a_late_answer_is_kept(loopback: Loopback, tmp_path: Path) -> None:
    provider = connect(loopback, "openai", tmp_path, limits=ExchangeLimits(stall=0.1, load=2))
    error = hear(loopback, "openai", provider, Reply("some words", stall_at=3, stall=3)).error
    assert isinstance(error, TimedOut) and error.heard == "some wor" and 0 < error.waited < 1


@pytest.mark.slow
def test_a_longer_prompt_and_a_slower_server_get_more_time(loopback: Loopback, tmp_path: Path) -> None:
    slow = Reply("text", stall_at=0, stall=0.4, pings=PINGS[:1])
    limits = ExchangeLimits(load=0.1, stall=0.1)
    assert isinstance(asked(loopback, tmp_path, limits, None, slow).error, TimedOut)
    assert isinstance(asked(loopback, tmp_path, limits, Pace(read=10_000.0), slow).error, TimedOut)
    assert asked(loopback, tmp_path, limits, Pace(read=20.0), slow).completion is not None
    writing = Reply("text" * 20, pieces=80, chunk=1, pause=0.0005)
    limits = ExchangeLimits(load=5, stall=1, answer=0.2)
    assert isinstance(asked(loopback, tmp_path, limits, Pace(), writing).error, TimedOut)
    assert asked(loopback, tmp_path, limits, Pace(write=1.0), writing).completion is not None


def test_the_time_follows_from_the_pace() -> None:
    assert Pace().reading(6000) == 6000 / SLOWEST and Pace().writing(1500) == 0
    assert Pace(100.0, 10.0).reading(6000) == 60 * PATIENCE and Pace(100.0, 10.0).writing(1500) == 150 * PATIENCE


def test_the_pace_is_kept_and_a_slower_call_counts_at_once(tmp_path: Path) -> None:
    def store() -> StateStore:
        return StateStore(tmp_path, lambda _: "account")

    assert store().pace("openai/tiny") == Pace()
    store().record_pace("openai/tiny", (1000, 10.0), (100, 20.0))
    assert store().pace("openai/tiny") == Pace(100.0, 5.0)
    store().record_pace("openai/tiny", (1000, 20.0), (3, 0.1))
    assert store().pace("openai/tiny") == Pace(50.0, 5.0)
    store().record_pace("openai/tiny", (1000, 10.0), (100, 20.0))
    assert 50 < store().pace("openai/tiny").read < 100 and store().pace("openai/other") == Pace()
    store().forget("openai/tiny")
    assert store().pace("openai/tiny") == Pace()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_event_stream_keeps_its_data(size: int) -> None:
    data = b'data: {"choices": [{"delta": {"content": "a: b"}}]}\r\n\r\n'
    stream = b": hello\r\n\r\nevent: ping\r\ndata: {}\r\n\r\n" + data + b": bye\n\n"
    lines = EventLines()
    shown = b"".join(lines.take(stream[at : at + size]) for at in range(0, len(stream), size))
    assert shown.strip() == data.strip()
    assert lines.answering
