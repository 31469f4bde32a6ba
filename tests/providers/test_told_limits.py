"""What the headers of answers tell is heard through the real SDKs, also when the answer is a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.errors import RateLimited
from optimizer.privacy import consent
from optimizer.providers import base, endpoints
from optimizer.providers.door import Gate, gate_in
from optimizer.providers.quotas import Exchange
from optimizer.settings import Settings
from tests.loopback.clients import KEY, QUICK, hear
from tests.loopback.replies import Reply, Wire, refuse
from tests.loopback.server import Loopback

CHAT = {"x-ratelimit-limit-tokens": "8000", "x-ratelimit-remaining-tokens": "7000", "x-ratelimit-reset-tokens": "7.5s"}
ANTHROPIC = {"anthropic-ratelimit-tokens-limit": "8000", "anthropic-ratelimit-tokens-remaining": "7000"}


@pytest.mark.parametrize(("wire", "headers"), [("groq", CHAT), ("openai", CHAT), ("anthropic", ANTHROPIC)])
def test_every_answer_tells_what_is_left(
    loopback: Loopback, tmp_path: Path, wire: Wire, headers: dict[str, str]
) -> None:
    told: list[Exchange] = []
    endpoint = endpoints.endpoint(wire, loopback.url, KEY)
    consent.grant(tmp_path, "/repo", wire, endpoint.host)
    gate = gate_in(Gate("/repo", tmp_path, QUICK), Settings(), ("stub-1", wire, "explain"), None, told.append)
    provider = base.open_provider(endpoint, gate)
    assert hear(loopback, wire, provider, Reply(text="ok", headers=headers)).completion is not None
    limited = refuse(wire, 429, "slow down", "rate_limit_error", **{k.replace("-", "_"): v for k, v in headers.items()})
    assert isinstance(hear(loopback, wire, provider, limited).error, RateLimited)
    provider.close()
    assert [(one.model, one.status) for one in told] == [("stub-1", 200), ("stub-1", 429)]
    for exchange in told:
        (quota,) = exchange.quotas
        assert (quota.what, quota.period, quota.size, quota.left) == ("tokens", 60, 8000, 7000)
        assert exchange.at < quota.resets <= exchange.at + 61


def test_an_account_is_told_apart_without_telling_the_key() -> None:
    one, two = (endpoints.endpoint("groq", "", key) for key in (KEY, KEY + "2"))
    assert one.account != two.account == endpoints.endpoint("groq", "", KEY + "2").account
    assert KEY not in one.account and len(one.account) == 8
