"""Addresses as users write them become what the SDKs need, and what is local is decided without DNS."""

from __future__ import annotations

import pytest

from optimizer.errors import ConfigError, InputError
from optimizer.providers.endpoints import endpoint, is_loopback
from optimizer.vendors import VENDORS


@pytest.mark.parametrize(
    ("provider", "given", "url", "host"),
    [
        ("anthropic", "", "https://api.anthropic.com", "api.anthropic.com"),
        ("anthropic", "https://api.anthropic.com/v1/", "https://api.anthropic.com", "api.anthropic.com"),
        ("gemini", "https://g.example/v1beta", "https://g.example", "g.example"),
        ("groq", "https://api.groq.com/openai/v1", "https://api.groq.com", "api.groq.com"),
        ("groq", "http://127.0.0.1:4000", "http://127.0.0.1:4000", "127.0.0.1:4000"),
        ("openai", "http://127.0.0.1:8080", "http://127.0.0.1:8080/v1", "127.0.0.1:8080"),
        ("openai", "https://api.deepseek.com/v1", "https://api.deepseek.com/v1", "api.deepseek.com"),
        ("openai", "localhost:1234", "http://localhost:1234/v1", "localhost:1234"),
        ("openai", "HTTPS://API.OpenAI.com:443/v1", "https://api.openai.com/v1", "api.openai.com"),
        ("ollama", "", "http://127.0.0.1:11434", "127.0.0.1:11434"),
        ("ollama", "0.0.0.0", "http://127.0.0.1:11434", "127.0.0.1:11434"),
        ("ollama", "gpu-box", "http://gpu-box:11434", "gpu-box:11434"),
        ("ollama", "http://gpu-box:1/api", "http://gpu-box:1", "gpu-box:1"),
        ("ollama", "http://[::1]:11434", "http://[::1]:11434", "[::1]:11434"),
    ],
)
def test_the_plain_root_is_enough(provider: str, given: str, url: str, host: str) -> None:
    made = endpoint(provider, given)
    assert (made.base_url, made.host) == (url, host)
    assert endpoint(provider, made.base_url) == made


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://", "https://user:pw@host", "https://host/?key=1", "http://host:99999", "http://[::1"]
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        endpoint("openai", url)
    assert "pw" not in caught.value.message


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(InputError, match="'clippy'"):
        endpoint("clippy")


@pytest.mark.parametrize("key", ["line\nbreak", "sp ace", "ünicode", "nul\x00"])
def test_a_key_that_is_none_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        endpoint("groq", "", key)
    assert key not in caught.value.message


def test_only_ollama_and_compatible_servers_on_loopback_are_local() -> None:
    assert endpoint("ollama").local and endpoint("openai", "http://localhost:8080").local
    assert not endpoint("openai").local and not endpoint("ollama", "http://10.0.0.2").local
    for provider in VENDORS.keys() - {"ollama", "openai"}:
        assert not endpoint(provider, "http://127.0.0.1:9").local


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("a.localhost", False),
        ("localhost.", False),
        ("::1%lo", False),
        ("127.1", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("0.0.0.0", False),
        ("192.168.1.2", False),
        ("", False),
    ],
)
def test_what_loopback_is(host: str, local: bool) -> None:
    assert is_loopback(host) is local
