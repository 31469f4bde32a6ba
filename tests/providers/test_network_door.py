"""The door: nothing goes out without consent, with a secret, to another host or unlogged; and no key comes out."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest

from optimizer.errors import (
    AuthFailed,
    BadCertificate,
    ConsentMissing,
    NoConnection,
    OptimizerError,
    SafetyRefused,
    SecretFound,
    StorageError,
)
from optimizer.privacy import consent, egress
from optimizer.providers import base, endpoints
from optimizer.providers.door import Door, Gate, gate_for
from optimizer.settings import Settings
from tests.loopback.clients import KEY, QUICK, a_model, a_prompt, connect, hear
from tests.loopback.replies import WIRES, Reply, Wire, refuse
from tests.loopback.server import Loopback

every_wire = pytest.mark.parametrize("wire", WIRES)
CLOUD: tuple[Wire, ...] = ("anthropic", "gemini", "groq")
GITHUB = "a GitHub token"
SECRET = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@pytest.mark.parametrize("wire", CLOUD)
def test_without_consent_nothing_is_sent(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path, consented=False)
    with pytest.raises(ConsentMissing) as caught:
        list(provider.stream(a_model(wire), a_prompt()))
    with pytest.raises(ConsentMissing):
        provider.models()
    assert caught.value.exit_code == 5
    assert f"optimize consent grant {wire}" in caught.value.hint
    assert loopback.requests == []
    entries = egress.entries(tmp_path)
    assert [(one.destination, one.allowed, one.reason) for one in entries] == [(wire, False, "ConsentMissing")] * 2


def test_consent_for_one_is_no_consent_for_another(loopback: Loopback, tmp_path: Path) -> None:
    host = loopback.url.removeprefix("http://")
    consent.grant(tmp_path, "/repo", "groq", host)
    consent.grant(tmp_path, "/other", "anthropic", host)
    consent.grant(tmp_path, "/repo", "anthropic", "api.anthropic.com")
    with pytest.raises(ConsentMissing):
        list(connect(loopback, "anthropic", tmp_path, consented=False).stream(a_model("anthropic"), a_prompt()))
    assert loopback.requests == []


def test_the_path_of_an_address_is_not_in_the_debug_log(
    loopback: Loopback, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = "t0ken1n2the3path"
    endpoint = endpoints.endpoint("openai", f"{loopback.url}/{token}/v1")
    with (
        caplog.at_level(logging.DEBUG, "optimizer"),
        contextlib.closing(base.open_provider(endpoint, Gate("/repo", tmp_path))) as provider,
        contextlib.suppress(OptimizerError),
    ):
        list(provider.stream(a_model("openai"), a_prompt()))
    assert [entry.allowed for entry in egress.entries(tmp_path)] == [True]
    assert "/chat/completions" in caplog.text and token not in caplog.text


def test_a_local_server_needs_no_consent_but_is_logged(loopback: Loopback, tmp_path: Path) -> None:
    for wire in ("ollama", "openai"):
        heard = hear(loopback, wire, connect(loopback, wire, tmp_path, consented=False), Reply("fine"))
        assert heard.completion is not None
    assert [one.allowed for one in egress.entries(tmp_path)] == [True, True]


@pytest.mark.parametrize("wire", ["ollama", "openai"])
def test_a_local_kind_of_server_elsewhere_is_external(tmp_path: Path, wire: Wire) -> None:
    endpoint = endpoints.endpoint(wire, "http://192.0.2.7:11434")
    assert not endpoint.local
    with pytest.raises(ConsentMissing):
        list(base.open_provider(endpoint, Gate("/repo", tmp_path, QUICK)).stream(a_model(wire), a_prompt()))


@every_wire
def test_a_secret_in_any_part_of_the_prompt_stops_it(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    provider = connect(loopback, wire, tmp_path)
    file = f'# src/app/config.py\nimport os\nTOKEN = "{SECRET}"\n'
    for prompt in (a_prompt(file), a_prompt(system=file), a_prompt(json.dumps({"output": file}))):
        with pytest.raises(SecretFound) as caught:
            list(provider.stream(a_model(wire), prompt))
        assert caught.value.exit_code == 5
        assert GITHUB in caught.value.message
        assert SECRET not in caught.value.message and SECRET[4:12] not in caught.value.message
    assert loopback.requests == []
    assert {one.reason for one in egress.entries(tmp_path)} == {"SecretFound"}


def test_the_place_of_a_secret_is_named(loopback: Loopback, tmp_path: Path) -> None:
    provider = connect(loopback, "groq", tmp_path)
    with pytest.raises(SecretFound, match=r"src/app/config\.py:40"):
        list(
            provider.stream(
                a_model("groq"), a_prompt(f"Look:\n\n## src/app/config.py\n39\timport os\n40\tT = '{SECRET}'\n")
            )
        )


@pytest.mark.parametrize("generation", ["httpx", "httpx2"])
def test_only_the_endpoints_own_host_is_asked(loopback: Loopback, tmp_path: Path, generation: str) -> None:
    endpoint = endpoints.endpoint("openai", loopback.url)
    port = loopback.url.rsplit(":", 1)[1]
    with Door(generation, Gate("/repo", tmp_path, QUICK), endpoint) as door:  # type: ignore[arg-type]
        for url in (
            f"http://localhost:{port}/v1/models",
            "http://192.0.2.1/",
            "https://127.0.0.1/v1",
            "http://127.0.0.1:1/",
        ):
            with pytest.raises(SafetyRefused):
                door.client.get(url)
        assert loopback.requests == []
        loopback.served["openai"] = ("a",)
        assert door.client.get(f"{loopback.url}/v1/models").json()["data"][0]["id"] == "a"
    assert [one.allowed for one in egress.entries(tmp_path)] == [False] * 4 + [True]


def test_proxies_of_the_environment_are_not_used(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    for wire in WIRES:
        assert hear(loopback, wire, connect(loopback, wire, tmp_path), Reply("direct")).completion is not None


def test_what_is_sent_is_logged_before_it_is_sent(loopback: Loopback, tmp_path: Path) -> None:
    provider = connect(loopback, "gemini", tmp_path)
    hear(loopback, "gemini", provider, refuse("gemini", 500, "no"))
    (entry,) = egress.entries(tmp_path)
    (request,) = loopback.requests
    assert (entry.destination, entry.model, entry.bytes) == ("gemini", "stub-1", len(request.raw))
    assert entry.host == loopback.url.removeprefix("http://") and entry.repository == "/repo" and entry.allowed
    (tmp_path / egress.FILE).unlink()
    (tmp_path / egress.FILE).mkdir()
    with pytest.raises(StorageError):
        list(provider.stream(a_model("gemini"), a_prompt()))
    assert len(loopback.requests) == 1


def test_a_damaged_record_of_consent_lets_nothing_out(loopback: Loopback, tmp_path: Path) -> None:
    provider = connect(loopback, "anthropic", tmp_path)
    (tmp_path / consent.FILE).write_text("{")
    with pytest.raises(StorageError):
        list(provider.stream(a_model("anthropic"), a_prompt()))
    assert loopback.requests == []
    assert [(one.allowed, one.reason) for one in egress.entries(tmp_path)] == [(False, "StorageError")]


@every_wire
def test_the_key_is_in_no_log_error_or_traceback(
    loopback: Loopback, tmp_path: Path, wire: Wire, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    provider = connect(loopback, wire, tmp_path)
    told: list[str] = []
    echo = refuse(wire, 401, f"Incorrect API key provided: {KEY}.")
    for reply in (Reply("fine"), echo, Reply("half", cut_at=1, cut="rst"), Reply("half", error_at=1), Reply(body=b"?")):
        loopback.queue(wire, reply)
        try:
            list(provider.stream(a_model(wire), a_prompt()))
        except OptimizerError as error:
            told += [traceback.format_exc(), repr(error), str(error.__dict__)]
    told += [repr(provider), repr(endpoints.endpoint(wire, loopback.url, KEY)), caplog.text, *capfd.readouterr()]
    told += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(told) > 8
    assert not [text for text in told if KEY in text]
    assert any(KEY in value for value in loopback.requests[0].headers.values())


@every_wire
def test_the_environment_diverts_nothing(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wire: Wire
) -> None:
    elsewhere = "http://192.0.2.1:9"
    for name in ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "GROQ_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.setenv(name, elsewhere)
    for name in ("GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_API_USE_CLIENT_CERTIFICATE"):
        monkeypatch.setenv(name, "true")
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "GROQ_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, "another")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "l")
    assert hear(loopback, wire, connect(loopback, wire, tmp_path), Reply("fine")).completion is not None
    (request,) = loopback.requests
    assert not [value for value in request.headers.values() if "another" in value]


def test_a_server_that_speaks_no_tls_gets_no_key(loopback: Loopback, tmp_path: Path) -> None:
    for wire in ("ollama", "openai"):
        endpoint = endpoints.endpoint(wire, loopback.url.replace("http:", "https:"), KEY)
        provider = base.open_provider(endpoint, Gate("/repo", tmp_path, QUICK))
        with pytest.raises(NoConnection, match="SSL"):
            list(provider.stream(a_model("ollama"), a_prompt()))
    assert loopback.requests == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_that_nobody_vouches_for_gets_no_key(tmp_path: Path) -> None:
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    subprocess.run([*make.split(), "-keyout", "key", "-out", "cert"], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    received: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            raw, _address = listener.accept()
            with raw, contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True) as safe:
                received.append(safe.recv(1000))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        for wire in ("ollama", "openai"):
            endpoint = endpoints.endpoint(wire, f"https://localhost:{listener.getsockname()[1]}", KEY)
            provider = base.open_provider(endpoint, Gate("/repo", tmp_path, QUICK))
            with pytest.raises(BadCertificate):
                provider.models()
        thread.join(5)
    assert not any(received)


def test_an_endpoint_without_key_says_which_to_set(tmp_path: Path) -> None:
    for provider in ("anthropic", "gemini", "groq", "openai"):
        with pytest.raises(AuthFailed) as caught:
            base.open_provider(endpoints.endpoint(provider), Gate("/repo", tmp_path))
        assert caught.value.hint == f"optimize keys set {provider}"


def test_a_server_without_key_gets_no_authorization(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OLLAMA_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, KEY)
    for wire in ("ollama", "openai"):
        provider = base.open_provider(endpoints.endpoint(wire, loopback.url), Gate("/repo", tmp_path, QUICK))
        assert hear(loopback, wire, provider, Reply("fine")).completion is not None
    assert all("authorization" not in request.headers for request in loopback.requests)


def test_settings_become_limits(tmp_path: Path) -> None:
    limits = gate_for("/repo", tmp_path, Settings(stall_seconds=7, context_size=4096)).limits
    assert (limits.stall, limits.context_size, limits.answer_bytes) == (7, 4096, 20_000_000)


def test_the_seam_and_the_door_import_nothing_heavy() -> None:
    code = (
        "import sys, optimizer.providers.base, optimizer.providers.door, optimizer.providers.ollama\n"
        "heavy = set('anthropic google groq ollama openai httpx httpx2 httpcore httpcore2 numpy pydantic'.split())\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
