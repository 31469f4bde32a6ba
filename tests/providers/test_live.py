"""One small question to each real provider; run with --live and keys in the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from optimizer.privacy import consent
from optimizer.providers import base, endpoints
from optimizer.providers.door import Gate
from optimizer.types import Completion, Message, Model, Prompt

MODELS = {
    "anthropic": "claude-haiku-5-5",
    "gemini": "gemini-2.5-flash-lite",
    "groq": "openai/gpt-oss-20b",
    "ollama": os.environ.get("OPTIMIZER_LIVE_OLLAMA_MODEL", ""),
    "openai": os.environ.get("OPTIMIZER_LIVE_OPENAI_MODEL", ""),
}


@pytest.mark.live
@pytest.mark.parametrize("provider", MODELS)
def test_a_real_provider_answers(tmp_path: Path, provider: str) -> None:
    key = os.environ.get(f"{provider.upper()}_API_KEY", "")
    if not MODELS[provider] or (provider != "ollama" and not key):
        pytest.skip(f"no key or model for {provider}")
    endpoint = endpoints.endpoint(provider, "", key)
    consent.grant(tmp_path, "/live", provider, endpoint.host)
    opened = base.open_provider(endpoint, Gate("/live", tmp_path))
    model = Model(MODELS[provider], provider, "budget", 8192, 1024, False, "text", frozenset(), "", provider)
    prompt = Prompt("Answer in one word.", (Message("user", "What is the capital of France?"),), (), 512, 40)
    *_, done = opened.stream(model, prompt)
    assert isinstance(done, Completion)
    assert "paris" in done.text.lower()
    assert done.usage.input > 0 and done.usage.output > 0 and not done.usage.estimated
    opened.close()
