"""Temperature and top_p on each wire, as far as a model takes them; how long Ollama keeps a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.loopback.clients import QUICK, a_model, a_prompt, connect
from tests.loopback.replies import WIRES, Reply, Wire
from tests.loopback.server import Loopback

BOTH = frozenset({"temperature", "top_p"})


def sent(loopback: Loopback, wire: Wire, state: Path, parameters: frozenset[str]) -> Mapping[str, Any]:
    """What a request sets beyond its prompt, by our names."""
    provider = connect(loopback, wire, state)
    loopback.queue(wire, Reply("fine"))
    list(provider.stream(a_model(wire, parameters=parameters), a_prompt()._replace(temperature=0.2, top_p=0.9)))
    provider.close()
    body = loopback.asked(wire)[-1].body
    where = {"ollama": body.get("options"), "gemini": body.get("generationConfig")}.get(wire, body)
    names = {"topP": "top_p"}
    return {names.get(key, key): value for key, value in where.items() if names.get(key, key) in BOTH}


@pytest.mark.parametrize("wire", WIRES)
def test_both_are_sent_to_a_model_that_takes_both(loopback: Loopback, tmp_path: Path, wire: Wire) -> None:
    both = {"temperature": 0.2} if wire == "anthropic" else {"temperature": 0.2, "top_p": 0.9}
    assert sent(loopback, wire, tmp_path, BOTH) == both
    assert sent(loopback, wire, tmp_path, frozenset({"top_p"})) == {"top_p": 0.9}
    assert sent(loopback, wire, tmp_path, frozenset()) == {}


@pytest.mark.parametrize(("text", "value"), [("10m", "10m"), ("0", 0), ("-1", -1), ("", None)])
def test_ollama_is_asked_to_keep_a_model(loopback: Loopback, tmp_path: Path, text: str, value: object) -> None:
    provider = connect(loopback, "ollama", tmp_path, limits=replace(QUICK, keep_alive=text))
    loopback.queue("ollama", Reply("fine"))
    list(provider.stream(a_model("ollama"), a_prompt()))
    assert loopback.asked("ollama")[-1].body.get("keep_alive") == value
