"""Every wire goes through a proxy whole, and the destination that needs consent names it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from optimizer.config.network import Proxy as Named
from optimizer.errors import ConsentMissing, NoConnection
from optimizer.privacy import consent
from optimizer.providers import base, endpoints
from optimizer.providers.door import Gate
from tests.loopback.clients import KEY, QUICK, hear
from tests.loopback.proxy import Proxy
from tests.loopback.replies import WIRES, Reply, Wire
from tests.loopback.server import Loopback


@pytest.mark.parametrize("wire", WIRES)
def test_every_wire_goes_through_a_proxy(loopback: Loopback, wire: Wire, tmp_path: Path) -> None:
    proxy = Proxy(loopback.url.removeprefix("http://"))
    made = endpoints.endpoint(wire, "http://models.test", KEY)
    made = replace(made, proxy=Named("HTTP_PROXY", f"http://{proxy.host}", used=True))
    gate = Gate("/repo", tmp_path, QUICK)
    consent.grant(tmp_path, "/repo", wire, made.host)
    with pytest.raises(ConsentMissing) as missing:
        base.open_provider(made, gate).models()
    assert missing.value.host == f"models.test, unencrypted via {proxy.host}"
    consent.grant(tmp_path, "/repo", wire, made.destination)
    heard = hear(loopback, wire, base.open_provider(made, gate), Reply("through"))
    assert heard.completion is not None and heard.completion.text == "through"
    assert len(proxy.asked) == 1 and "models.test" in proxy.asked[0]
    proxy.close()


@pytest.mark.parametrize("used", [True, False])
def test_a_connection_that_fails_names_the_variable(tmp_path: Path, used: bool) -> None:
    made = endpoints.endpoint("groq", "http://models.test", KEY)
    made = replace(made, proxy=Named("HTTP_PROXY", "http://127.0.0.1:9", used=used))
    consent.grant(tmp_path, "/repo", "groq", made.destination)
    with pytest.raises(NoConnection) as failed:
        base.open_provider(made, Gate("/repo", tmp_path, QUICK)).models()
    assert "HTTP_PROXY" in failed.value.hint and "127.0.0.1:9" in failed.value.hint
