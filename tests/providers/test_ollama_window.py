"""Ollama's window: asked for in a few sizes, and a prompt that was cut all the same is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.errors import PromptTooLong
from optimizer.providers.door import ExchangeLimits
from optimizer.providers.ollama import window_for
from optimizer.types import Completion
from tests.loopback.clients import a_model, a_prompt, connect, hear
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback


@pytest.mark.parametrize(
    ("tokens", "window", "asked", "size"),
    [
        (100, 32768, 0, 4096),
        (3400, 32768, 0, 8192),
        (9000, 32768, 0, 16384),
        (20000, 24000, 0, 24000),
        (10, 0, 0, 4096),
    ],
)
def test_the_window_holds_prompt_and_answer(tokens: int, window: int, asked: int, size: int) -> None:
    assert window_for(a_model("ollama", window=window), a_prompt(tokens=tokens), asked) == size


def test_a_window_set_by_the_user_is_kept(loopback: Loopback, tmp_path: Path) -> None:
    provider = connect(loopback, "ollama", tmp_path, limits=ExchangeLimits(context_size=12000))
    assert hear(loopback, "ollama", provider, Reply("fine")).completion is not None
    assert loopback.asked("ollama")[0].body["options"]["num_ctx"] == 12000


@pytest.mark.parametrize(("loaded", "size"), [(16384, 16384), (4096, 8192), (65536, 8192), (None, 8192)])
def test_a_loaded_model_keeps_a_window_that_is_large_enough(
    loopback: Loopback, tmp_path: Path, loaded: int | None, size: int
) -> None:
    if loaded:
        loopback.loaded["stub-1"] = {"context_length": loaded}
    loopback.queue("ollama", Reply("fine", tokens=Tokens(3400, 5)))
    model = a_model("ollama")._replace(resident=True)
    provider = connect(loopback, "ollama", tmp_path)
    *_, done = provider.stream(model, a_prompt(tokens=3400))
    assert isinstance(done, Completion)
    assert loopback.asked("ollama")[0].body["options"]["num_ctx"] == size
    provider.close()


def test_what_cannot_fit_is_not_sent(loopback: Loopback, tmp_path: Path) -> None:
    heard = hear(loopback, "ollama", connect(loopback, "ollama", tmp_path), Reply("x"), a_prompt(tokens=40_000))
    assert isinstance(heard.error, PromptTooLong) and heard.error.usage is None
    assert loopback.requests == []


@pytest.mark.parametrize(
    ("estimate", "counted", "cut"),
    [
        (3000, 2900, False),
        (3000, 3900, False),
        (3000, 1600, False),
        (3000, 1200, True),
        (3000, 4096, True),
        (200, 60, False),
    ],
)
def test_a_cut_prompt_is_noticed_by_the_servers_own_count(
    loopback: Loopback, tmp_path: Path, estimate: int, counted: int, cut: bool
) -> None:
    provider = connect(loopback, "ollama", tmp_path)
    heard = hear(loopback, "ollama", provider, Reply("answer", tokens=Tokens(counted, 5)), a_prompt(tokens=estimate))
    assert isinstance(heard.error, PromptTooLong) == cut
    assert (heard.completion is None) == cut
    if heard.error:
        assert heard.error.usage is not None and heard.error.usage.input == counted
