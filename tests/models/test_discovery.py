"""What servers said they hold is taken as it was for a while, by account, and never stands in the way."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from optimizer.errors import ProviderError
from optimizer.models import available as discovery
from optimizer.models.available import discover, forget, last_known
from optimizer.providers.door import Gate
from optimizer.providers.endpoints import endpoint
from tests.loopback.server import Json, Loopback


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate("/repo", tmp_path / "state")


def asked(loopback: Loopback) -> int:
    return sum(one.path in ("/api/tags", "/v1/models") for one in loopback.requests)


def test_a_server_is_asked_once_in_a_while(loopback: Loopback, gate: Gate) -> None:
    ollama = endpoint("ollama", loopback.url)
    loopback.served["ollama"] = ("a:7b", "b:7b")
    loopback.sizes["a:7b"] = 5_000
    loopback.loaded["b:7b"] = {"size": 1}
    first = discover(ollama, gate, 30.0)
    assert (first.ids, first.sizes["a:7b"], first.resident) == (("a:7b", "b:7b"), 5_000, ("b:7b",))
    loopback.served["ollama"] = ("c:7b",)
    assert discover(ollama, gate, 30.0) == first and asked(loopback) == 1
    assert discover(ollama, gate, 0.0).ids == ("c:7b",)
    assert asked(loopback) == 2


def test_a_change_makes_it_asked_anew_and_others_stay(loopback: Loopback, gate: Gate) -> None:
    ollama, other = endpoint("ollama", loopback.url), endpoint("openai", loopback.url + "/v1")
    loopback.served |= {"ollama": ("a:7b",), "openai": ("tiny",)}
    assert discover(ollama, gate, 30.0).ids == ("a:7b",)
    assert discover(other, gate, 30.0).ids == ("tiny",)
    forget(ollama, gate.state)
    assert last_known(ollama, gate.state) is None
    assert discover(other, gate, 30.0).ids == ("tiny",) and asked(loopback) == 2
    assert discover(ollama, gate, 30.0).ids == ("a:7b",) and asked(loopback) == 3


@pytest.mark.parametrize(
    ("row", "page", "window", "sees"),
    [
        ({"meta": {"n_ctx": 4096, "n_ctx_train": 32768}}, {}, 4096, False),
        ({"max_model_len": 8192, "architecture": {"input_modalities": ["text", "image"]}}, {}, 8192, True),
        ({"meta": None}, {"default_generation_settings": {"n_ctx": 2048}, "modalities": {"vision": True}}, 2048, True),
        ({"max_model_len": "many"}, {"default_generation_settings": []}, 0, False),
        ({"n_ctx": True, "architecture": {"input_modalities": 1}}, {}, 0, False),
        ({}, b"[" * 200_000, 0, False),
        ({}, None, 0, False),
    ],
    ids=["llama.cpp", "vLLM", "props", "misshapen", "of other types", "nested without end", "nothing"],
)  # fmt: skip
def test_what_a_server_says_of_its_models_is_known(
    loopback: Loopback, gate: Gate, row: Json, page: Json | bytes | None, window: int, sees: bool
) -> None:
    loopback.served["openai"] = ("tiny",)
    loopback.listed["tiny"] = row
    loopback.props = page
    server = endpoint("openai", loopback.url + "/v1")
    found = discover(server, gate, 30.0)
    assert (found.windows.get("tiny", 0), "tiny" in found.seeing) == (window, sees)
    assert last_known(server, gate.state) == found


def test_the_page_of_a_model_is_read_once_as_long_as_it_is_the_same(loopback: Loopback, gate: Gate) -> None:
    ollama = endpoint("ollama", loopback.url)
    loopback.served["ollama"] = ("a:7b",)
    loopback.windows["a:7b"] = 5000
    assert [discover(ollama, gate, 0.0).windows for _ in range(2)] == [{"a:7b": 5000}] * 2
    loopback.sizes["a:7b"] = 2
    discover(ollama, gate, 0.0)
    assert sum(one.path == "/api/show" for one in loopback.requests) == 2


def test_another_key_is_another_account(loopback: Loopback, gate: Gate) -> None:
    loopback.served["openai"] = ("tiny",)
    discover(endpoint("openai", loopback.url + "/v1", "one"), gate, 30.0)
    discover(endpoint("openai", loopback.url + "/v1", "two"), gate, 30.0)
    assert asked(loopback) == 2


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"ollama x": 1}', "\udcff"])
def test_a_damaged_record_is_no_record(loopback: Loopback, gate: Gate, text: str) -> None:
    loopback.served["ollama"] = ("a:7b",)
    ollama = endpoint("ollama", loopback.url)
    gate.state.mkdir()
    (gate.state / discovery.FILE).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert last_known(ollama, gate.state) is None
    assert discover(ollama, gate, 30.0).ids == ("a:7b",)
    assert discover(ollama, gate, 30.0).ids == ("a:7b",) and asked(loopback) == 1


def test_a_clock_set_back_makes_no_record_eternal(
    loopback: Loopback, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback.served["ollama"] = ("a:7b",)
    ollama = endpoint("ollama", loopback.url)
    discover(ollama, gate, 30.0)
    now = time.time() - 3600
    monkeypatch.setattr("optimizer.models.available.time.time", lambda: now)
    discover(ollama, gate, 30.0)
    assert asked(loopback) == 2


def test_a_server_that_is_gone_is_an_error_once_its_word_is_old(gate: Gate) -> None:
    with pytest.raises(ProviderError):
        discover(endpoint("ollama", "http://127.0.0.1:1"), gate, 30.0)
