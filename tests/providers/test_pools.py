"""Connections that stay open from call to call."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.privacy import consent
from optimizer.providers import base, endpoints
from optimizer.providers.door import Gate
from optimizer.providers.network import Pools
from optimizer.types import Completion
from tests.loopback.clients import QUICK, a_model, a_prompt
from tests.loopback.replies import WIRES, Reply, Wire
from tests.loopback.server import Loopback


def call(loopback: Loopback, wire: Wire, gate: Gate) -> Completion | None:
    """Ask once, with a provider of its own as every call has."""
    endpoint = endpoints.endpoint(wire, loopback.url, "k")
    consent.grant(gate.state, gate.repository, wire, endpoint.host)
    provider = base.open_provider(endpoint, gate)
    try:
        pieces = list(provider.stream(a_model(wire), a_prompt()))
        return pieces[-1] if isinstance(pieces[-1], Completion) else None
    finally:
        provider.close()


def ports(loopback: Loopback) -> list[int]:
    """The client's port of each request that was answered, by which connections are told apart."""
    return [one.port for one in loopback.requests]


SHARING = [wire for wire in WIRES if wire != "openai"]  # its SDK leaves the end of a stream unread


@pytest.mark.parametrize("wire", SHARING)
def test_calls_share_a_connection(loopback: Loopback, wire: Wire, tmp_path: Path) -> None:
    loopback.answer(wire, lambda _: Reply("some text"))
    pools = Pools()
    for _ in range(3):
        assert call(loopback, wire, Gate("/repo", tmp_path, QUICK, pools=pools)) is not None
    assert len(set(ports(loopback))) == 1
    pools.close()
    assert call(loopback, wire, Gate("/repo", tmp_path, QUICK, pools=pools)) is not None
    assert len(set(ports(loopback))) == 2
    pools.close()
    own = Gate("/repo", tmp_path, QUICK)
    for _ in range(2):
        assert call(loopback, wire, own) is not None
    assert len(set(ports(loopback))) == 4
