"""The care of an Ollama server's models goes through the same door as requests, and survives what servers say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.errors import BadAnswer, ConsentMissing, ModelMissing, Unreachable
from optimizer.privacy import egress
from optimizer.providers.door import Gate
from optimizer.providers.endpoints import endpoint
from optimizer.providers.ollama import Card, LoadedModel, OllamaShelf, PullStep, open_shelf
from tests.loopback.server import Loopback


@pytest.fixture
def shelf(loopback: Loopback, tmp_path: Path) -> Iterator[OllamaShelf]:
    """A server that holds one model."""
    loopback.served["ollama"] = ("a:7b",)
    with open_shelf(endpoint("ollama", loopback.url), Gate("/repo", tmp_path), pulls=True) as opened:
        yield opened


def test_what_is_held_loaded_and_known_is_read(loopback: Loopback, shelf: OllamaShelf) -> None:
    loopback.sizes["a:7b"] = 5
    loopback.loaded["a:7b"] = {"size": 6, "size_vram": 3, "context_length": 4096}
    assert [(one.id, one.size, one.family) for one in shelf.held()] == [("a:7b", 5, "stub")]
    assert shelf.running() == (LoadedModel("a:7b", 6, 3, 4096),)
    assert shelf.card("a:7b") == Card("a:7b", "stub", "7B", "Q4_K_M", ("completion", "tools"), 32768)
    with pytest.raises(ModelMissing):
        shelf.card("b:7b")
    with pytest.raises(ModelMissing):
        shelf.remove("b:7b")


def test_all_of_it_is_in_the_log_of_what_was_sent(shelf: OllamaShelf, tmp_path: Path) -> None:
    shelf.held()
    shelf.remove("a:7b")
    assert [(entry.destination, entry.model, entry.allowed) for entry in egress.entries(tmp_path)] == [
        ("ollama", "", True),
        ("ollama", "a:7b", True),
    ]


def test_a_server_elsewhere_is_asked_after_a_yes_only(tmp_path: Path) -> None:
    with open_shelf(endpoint("ollama", "http://192.0.2.1:11434"), Gate("/repo", tmp_path)) as opened:
        with pytest.raises(ConsentMissing):
            opened.held()
        with pytest.raises(ConsentMissing):
            list(opened.pull("a:7b"))


def test_bytes_of_all_layers_are_added_up(loopback: Loopback, shelf: OllamaShelf) -> None:
    loopback.pulls["b:7b"] = [
        {"status": "pulling one", "digest": "one", "total": 100, "completed": 40},
        {"status": "pulling two", "digest": "two", "total": 10},
        {"status": "pulling one", "digest": "one", "total": 100, "completed": 100},
        {"status": "success"},
    ]
    steps = list(shelf.pull("b:7b"))
    assert [(step.done, step.total) for step in steps] == [(40, 100), (40, 110), (100, 110), (100, 110)]
    assert steps[-1] == PullStep("success", 100, 110)


@pytest.mark.parametrize("line", [["no", "object"], {"digest": "one", "total": "many"}, "text", None])
def test_progress_that_cannot_be_read_ends_the_pull(loopback: Loopback, shelf: OllamaShelf, line: object) -> None:
    loopback.pulls["b:7b"] = [{"status": "pulling manifest"}, line]  # type: ignore[list-item]
    with pytest.raises(BadAnswer):
        list(shelf.pull("b:7b"))


def test_a_server_that_is_not_there_says_how_to_start_it(tmp_path: Path) -> None:
    with open_shelf(endpoint("ollama", "http://127.0.0.1:1"), Gate("/repo", tmp_path)) as opened:
        with pytest.raises(Unreachable) as caught:
            list(opened.pull("a:7b"))
        assert "ollama serve" in caught.value.hint
