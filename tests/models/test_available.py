import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from optimizer import vendors
from optimizer.config.features import Features
from optimizer.config.load import Keys
from optimizer.errors import InputError
from optimizer.ledger.prices import UNCHARGED_TIERS
from optimizer.models.available import Available, available
from optimizer.models.catalogue import load_catalogue
from optimizer.privacy import consent
from optimizer.providers.door import Gate
from optimizer.providers.endpoints import endpoint, remote_of
from optimizer.reasons import HoldsNothing, NoAnswer, NoKey, NotHeld, OtherTier, ServerFailed, Unfit, Why
from optimizer.settings import Settings
from optimizer.types import LeftOut, Model
from optimizer.vendors import NAMES as PROVIDERS
from tests.typed import typed

CATALOGUE = load_catalogue(None)
ON = Features(True, True, True, True, False)
ALL_KEYS = Keys(dict.fromkeys(("anthropic", "gemini", "groq", "openai"), "key"))
CLOSED = "http://127.0.0.1:1"


class Server:
    """A server on loopback that lists models the way Ollama and OpenAI do, and keeps the paths asked for."""

    def __init__(self, names: tuple[str, ...], status: int = 200, delay: float = 0.0) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                time.sleep(delay)
                listed: dict[str, Any] = {
                    "models": [{"model": name, "name": name} for name in names],
                    "object": "list",
                    "data": [{"id": name, "object": "model", "created": 0, "owned_by": "me"} for name in names],
                }
                body = json.dumps(listed).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*names: str, status: int = 200, delay: float = 0.0) -> Server:
        servers.append(Server(names, status, delay))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


@pytest.fixture
def find(tmp_path: Path) -> Callable[..., Available]:
    def run(
        keys: Keys = ALL_KEYS, ollama: str = CLOSED, features: Features = ON, openai: str = "", **settings: Any
    ) -> Available:
        urls = {"ollama": ollama, **({"openai": openai} if openai else {})}
        resolved = Settings(endpoints=urls, **settings)
        gate = Gate(str(tmp_path / "repo"), tmp_path / "state")
        endpoints = {name: endpoint(name, resolved.endpoints.get(name, ""), keys.of(name)) for name in PROVIDERS}
        endpoints[vendors.REMOTE] = remote_of(endpoints[vendors.OLLAMA])
        return available(CATALOGUE, endpoints, resolved, features, gate)

    return run


def ids(found: Available) -> list[str]:
    return [model.id for model in found.models]


def left(found: Available, provider: str) -> LeftOut:
    return next(one for one in found.left_out if one.provider == provider)


def test_with_no_key_and_no_server_everything_missing_has_a_cure(find: Callable[..., Available]) -> None:
    found = find(Keys())
    assert found.models == ()
    assert [(one.provider, one.tier) for one in found.left_out] == [
        ("anthropic", "budget"),
        ("gemini", "free"),
        ("groq", "free"),
        ("ollama", "local"),
        ("openai", "budget"),
    ]
    for name in ("anthropic", "gemini", "groq", "openai"):
        page = vendors.of(name).key_page
        assert page and typed(left(found, name).reason) == typed(NoKey(f"{name.upper()}_API_KEY", page))
    silent = left(found, "ollama").reason
    assert isinstance(silent, NoAnswer) and silent[1:] == ("127.0.0.1:1", CATALOGUE.suggested_local)


def test_a_key_brings_its_models_in_the_order_of_preference(find: Callable[..., Available]) -> None:
    found = find(Keys({"anthropic": "k", "groq": "k"}))
    assert {model.provider for model in found.models} == {"anthropic", "groq"}
    ranks = [CATALOGUE.rank(model.id, model.provider) for model in found.models]
    assert ranks == sorted(ranks)
    assert not any(model.local for model in found.models)
    assert {one.provider for one in found.left_out} == {"gemini", "ollama", "openai"}


def test_ollama_is_asked_what_it_holds(find: Callable[..., Available], serve: Callable[..., Server]) -> None:
    server = serve("llama3.1:8b", "nomic-embed-text:latest", "qwen2.5-coder:7b", "gpt-oss:120b-cloud")
    found = find(Keys(), server.url)
    assert server.asked == ["/api/tags", "/api/ps"]
    (passed_on,) = (model for model in found.models if model.provider != "ollama")
    here = [model for model in found.models if model is not passed_on]
    assert [model.id for model in here] == ["qwen2.5-coder:7b", "llama3.1:8b"]
    assert all(model.local and (model.tier, model.label) == ("local", "Local") for model in here)
    assert (passed_on.provider, passed_on.local, passed_on.price_ref) == ("ollama-cloud", False, "")
    assert passed_on.tier not in UNCHARGED_TIERS
    unfit = {one.model: one.reason for one in found.left_out if one.model}
    assert set(unfit) == {"nomic-embed-text:latest"}
    assert all(isinstance(reason, Unfit) for reason in unfit.values())
    assert unfit["nomic-embed-text:latest"] == Unfit(CATALOGUE.unfit("nomic-embed-text:latest", "ollama"))


def test_a_compatible_server_on_loopback_is_local_and_costs_nothing(
    find: Callable[..., Available], serve: Callable[..., Server]
) -> None:
    found = find(Keys(), openai=serve("gpt-oss-20b").url)
    model: Model = found.models[0]
    assert (model.id, model.provider, model.tier, model.local, model.price_ref) == (
        "gpt-oss-20b",
        "openai",
        "local",
        True,
        "",
    )


def test_an_empty_ollama(find: Callable[..., Available], serve: Callable[..., Server]) -> None:
    found = left(find(Keys(), serve().url), "ollama")
    assert isinstance(found.reason, HoldsNothing) and found.reason.pull == CATALOGUE.suggested_local


def test_a_server_that_fails_is_left_out_with_what_it_said(
    find: Callable[..., Available], serve: Callable[..., Server]
) -> None:
    found = left(find(Keys(), serve("a", status=500).url), "ollama")
    assert isinstance(found.reason, ServerFailed) and "500" in found.reason.message and found.reason.hint


def test_a_port_that_accepts_and_says_nothing_is_left_out_soon(
    find: Callable[..., Available], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimizer.models.available.LIST_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = find(Keys(), f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert found.models == ()
    assert isinstance(left(found, "ollama").reason, NoAnswer | ServerFailed)


def test_a_remote_ollama_needs_consent_before_a_byte_is_sent(find: Callable[..., Available], tmp_path: Path) -> None:
    found = left(find(Keys(), "http://ollama.invalid:11434"), "ollama")
    assert found.reason is Why.CONSENT


def test_a_remote_compatible_server_needs_consent(find: Callable[..., Available]) -> None:
    found = left(find(ALL_KEYS, openai="https://gateway.invalid/v1"), "openai")
    assert (found.tier, found.reason) == ("premium", Why.CONSENT)


def test_with_consent_a_remote_server_that_is_not_there_is_told(find: Callable[..., Available], tmp_path: Path) -> None:
    consent.grant(tmp_path / "state", str(tmp_path / "repo"), "ollama", "ollama.invalid:11434, unencrypted")
    found = left(find(Keys(), "http://ollama.invalid:11434"), "ollama")
    assert isinstance(found.reason, ServerFailed)


def test_local_models_can_be_switched_off(find: Callable[..., Available], serve: Callable[..., Server]) -> None:
    server = serve("qwen2.5-coder:7b")
    found = find(ALL_KEYS, server.url, ON._replace(local_models=False))
    assert not any(model.local for model in found.models)
    assert server.asked == []
    assert left(found, "ollama").reason is Why.LOCAL_OFF


def test_only_what_is_wanted_is_asked(find: Callable[..., Available], serve: Callable[..., Server]) -> None:
    server = serve("qwen2.5-coder:7b")
    assert {model.provider for model in find(ollama=server.url, provider="groq").models} == {"groq"}
    assert typed(left(find(ollama=server.url, tier="free"), "ollama").reason) == typed(OtherTier("free"))
    assert server.asked == []


def test_context_size_narrows_local_windows_only(find: Callable[..., Available], serve: Callable[..., Server]) -> None:
    found = find(ollama=serve("qwen2.5-coder:7b").url, context_size=4096)
    windows = {model.id: model.window for model in found.models}
    assert windows["qwen2.5-coder:7b"] == 4096
    assert windows["claude-sonnet-5-5"] == 1_000_000


def test_deepseek_through_its_compatible_endpoint(find: Callable[..., Available]) -> None:
    found = find(Keys({"openai": "k"}), openai="https://api.deepseek.com")
    assert ids(found) == ["deepseek-flash"]


def test_a_named_cloud_model_without_a_row_of_its_own(find: Callable[..., Available]) -> None:
    assert ids(find(model="claude-opus-4-8"))[-1] == "claude-opus-4-8"
    assert ids(find(model="qwen/qwen3.8-27b", provider="groq"))[-1] == "qwen/qwen3.8-27b"


def test_a_named_model_whose_key_is_missing_is_known_all_the_same(find: Callable[..., Available]) -> None:
    found = find(Keys(), model="claude-sonnet-5-5")
    missing = left(found, "anthropic").reason
    assert isinstance(missing, NoKey) and missing.variable == "ANTHROPIC_API_KEY"


def test_a_named_local_model_that_is_not_pulled(find: Callable[..., Available], serve: Callable[..., Server]) -> None:
    found = find(ollama=serve("llama3.1:8b").url, model="qwen2.5-coder:14b")
    pulled = next(one for one in found.left_out if one.model)
    assert (pulled.model, *typed(pulled.reason)) == ("qwen2.5-coder:14b", *typed(NotHeld("Ollama", True)))
    named = find(ollama=serve("llama3.1:8b").url, model="anything", provider="ollama")
    assert (named.left_out[-1].model, *typed(named.left_out[-1].reason)) == (
        "anything",
        *typed(NotHeld("Ollama", True)),
    )


def test_a_named_local_model_while_ollama_is_down(find: Callable[..., Available]) -> None:
    found = find(model="qwen2.5-coder:14b")
    (named,) = (one for one in found.left_out if one.model)
    assert (named.model, named.provider) == ("qwen2.5-coder:14b", "ollama")
    assert isinstance(named.reason, NoAnswer)
    assert isinstance(left(found, "ollama").reason, NoAnswer)


def test_a_held_model_may_be_named_without_its_tag(
    find: Callable[..., Available], serve: Callable[..., Server]
) -> None:
    found = find(Keys(), ollama=serve("mymodel:latest").url, model="mymodel")
    assert ids(found) == ["mymodel:latest"]
    assert not any(one.model for one in found.left_out)


def test_an_unknown_model_is_an_error_that_guesses(
    find: Callable[..., Available], serve: Callable[..., Server]
) -> None:
    with pytest.raises(InputError) as caught:
        find(model="sonnet-5-5")
    assert caught.value.exit_code == 2
    assert "'claude-sonnet-5-5'" in caught.value.hint
    with pytest.raises(InputError) as caught:
        find(Keys(), serve("mymodel:7b").url, model="mymodle:7b")
    assert "'mymodel:7b'" in caught.value.hint
