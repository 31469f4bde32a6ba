"""What goes out besides the request: no header of the environment's, and where "this machine" is."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from optimizer.errors import ConsentMissing
from optimizer.providers import base, endpoints
from optimizer.providers.door import Gate
from tests.loopback.clients import KEY, QUICK, a_model, a_prompt, connect, hear
from tests.loopback.replies import WIRES, Reply, Wire
from tests.loopback.server import Loopback

CANARY = "canary-of-the-environment"
NAMED = ("x-canary", "user-agent", "accept", "content-type", "anthropic-beta", "authorization")
VARIABLES = {
    **{f"{name}_CUSTOM_HEADERS": "\n".join(f"{one}: {CANARY}" for one in NAMED) for name in ("ANTHROPIC", "OPENAI")},
    "GROQ_CUSTOM_HEADERS": f"x-canary: {CANARY}",
    "OPENAI_ORG_ID": CANARY,
    "OPENAI_PROJECT_ID": CANARY,
    "OPENAI_API_KEY": CANARY,
    "ANTHROPIC_AUTH_TOKEN": CANARY,
    "ANTHROPIC_BASE_URL": f"http://{CANARY}.invalid",
    "OLLAMA_API_KEY": CANARY,
    "GOOGLE_API_KEY": CANARY,
    "GOOGLE_GENAI_DEFAULT_HEADERS": f"x-canary: {CANARY}",
}
EXPECTED = {"host", "connection", "accept", "accept-encoding", "content-type", "content-length", "user-agent"}


@pytest.mark.parametrize("wire", WIRES)
def test_no_variable_of_an_sdk_adds_to_a_request(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wire: Wire
) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    heard = hear(loopback, wire, connect(loopback, wire, tmp_path), Reply("done"))
    assert heard.error is None
    (request,) = loopback.asked(wire)
    of_key = [name for name, value in request.headers.items() if KEY in value]
    assert len(of_key) == 1
    assert set(request.headers) - EXPECTED - {"anthropic-version"} == set(of_key)
    assert CANARY not in str(request.headers) and CANARY.encode() not in request.raw
    assert request.headers["user-agent"] == "optimizer"


@pytest.mark.parametrize("name", ["ollama.localhost", "localhost.localdomain", "LOCALHOST.", "127.1"])
def test_a_name_that_dns_may_answer_is_no_machine_of_ours(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    asked: list[object] = []
    resolve = socket.getaddrinfo

    def answer(host: str, *rest: object, **more: object) -> object:
        asked.append(host)
        return resolve("127.0.0.1", *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    there = endpoints.endpoint("ollama", loopback.url.replace("127.0.0.1", name))
    provider = base.open_provider(there, Gate("/repo", tmp_path, QUICK))
    with pytest.raises(ConsentMissing):
        list(provider.stream(a_model("ollama"), a_prompt()))
    assert asked == [] and loopback.requests == []


def test_localhost_is_asked_of_nobody(loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    resolve = socket.getaddrinfo

    def answer(host: str, *rest: object, **more: object) -> object:
        asked.append(host)
        return resolve("192.0.2.1" if host == "localhost" else host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    there = endpoints.endpoint("ollama", loopback.url.replace("127.0.0.1", "localhost"))
    heard = hear(loopback, "ollama", base.open_provider(there, Gate("/repo", tmp_path, QUICK)), Reply("here"))
    assert heard.completion is not None
    assert "localhost" not in asked


@pytest.mark.parametrize("model", ["gpt-oss:120b-cloud", "glm-4.6:cloud"])
@pytest.mark.parametrize("wire", ["ollama", "openai"])
def test_a_model_that_ollama_passes_on_needs_consent(
    loopback: Loopback, tmp_path: Path, wire: Wire, model: str
) -> None:
    here = endpoints.endpoint(wire, loopback.url)
    provider = base.open_provider(here, Gate("/repo", tmp_path, QUICK))
    with pytest.raises(ConsentMissing) as missing:
        list(provider.stream(a_model(wire)._replace(id=model), a_prompt()))
    assert (missing.value.destination, missing.value.host) == ("ollama-cloud", f"ollama.com via {here.host}")
    assert loopback.asked(wire) == []


def test_a_key_in_the_clear_is_a_destination_of_its_own() -> None:
    plain, safe = (endpoints.endpoint("openai", f"{scheme}://gpu.lan:8000/v1", KEY) for scheme in ("http", "https"))
    assert plain.destination == "gpu.lan:8000, unencrypted"
    assert safe.destination == "gpu.lan:8000"
    assert endpoints.endpoint("openai", "http://127.0.0.1:8000/v1", KEY).destination == "127.0.0.1:8000"
