"""Who the providers are, where they are asked by default, and which adapter speaks to each."""

from __future__ import annotations

import importlib
import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from optimizer.config.keys import key_name
from optimizer.errors import AuthFailed, ConfigError, InputError
from optimizer.providers.base import Endpoint, Provider
from optimizer.providers.loading import loading

if TYPE_CHECKING:
    from optimizer.providers.door import Gate

DEFAULT_URLS: Mapping[str, str] = {
    "anthropic": "https://api.anthropic.com",
    "gemini": "https://generativelanguage.googleapis.com",
    "groq": "https://api.groq.com",
    "ollama": "http://127.0.0.1:11434",
    "openai": "https://api.openai.com/v1",
}
CAN_BE_LOCAL = frozenset({"ollama", "openai"})
_NEEDLESS_PATHS: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("/v1",),
    "gemini": ("/v1beta", "/v1"),
    "groq": ("/openai/v1", "/openai"),
    "ollama": ("/api", "/v1"),
    "openai": (),
}


def endpoint(provider: str, base_url: str = "", key: str = "", wire: str = "", variable: str = "") -> Endpoint:
    """The endpoint of a provider at `base_url` ('' for its default); the plain root of a server is enough.

    `wire` is the provider whose interface a server of the user's own naming speaks, `variable` holds its key. Raises
    InputError for an unknown provider, ConfigError for an address or key that cannot be used.
    """
    speaks = wire or provider
    if speaks not in DEFAULT_URLS:
        raise InputError(f"unknown provider {provider!r}", f"choose one of {', '.join(sorted(DEFAULT_URLS))}")
    key = key.strip()
    if not all("!" <= letter <= "~" for letter in key):
        cure = f"set {variable or key_name(provider)} again"
        raise ConfigError(f"the key of {provider} holds characters that no key has", cure)
    url = _normal(speaks, base_url.strip() or DEFAULT_URLS[speaks])
    local = speaks in CAN_BE_LOCAL and is_loopback(urlsplit(url).hostname or "")
    return Endpoint(provider, url, key, local, wire, variable)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself, decided without asking DNS."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_provider(endpoint: Endpoint, gate: Gate) -> Provider:
    """A provider that asks this endpoint through this gate; imports the vendor's SDK. Close it after use.

    Raises AuthFailed when the endpoint needs a key and has none.
    """
    if not endpoint.key and not needs_no_key(endpoint):
        raise AuthFailed(f"no key for {endpoint.provider}", f"set {endpoint.key_variable} in the environment")
    with loading():
        adapter = importlib.import_module(f"optimizer.providers.{endpoint.speaks}")
        return cast(Provider, adapter.open_provider(endpoint, gate))


def needs_no_key(endpoint: Endpoint) -> bool:
    """Ollama, and compatible servers that are not OpenAI's own, are asked without a key when none is set."""
    return endpoint.speaks in CAN_BE_LOCAL and endpoint.host != "api.openai.com"


def _normal(provider: str, url: str) -> str:
    """Scheme, host and path as the vendor's SDK wants them."""
    bare = "://" not in url
    if bare:
        guess = urlsplit(f"//{url}").hostname or ""
        plain = provider == "ollama" or is_loopback(guess)
        url = f"{'http' if plain else 'https'}://{url}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password or parts.query:
        raise ConfigError(
            f"the address of {provider} cannot be used",
            f"write it as http(s)://host[:port], without user, password or query, under [endpoints] {provider}",
        )
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    if port is None and bare and provider == "ollama":
        port = 11434
    if port == {"http": 80, "https": 443}[parts.scheme]:
        port = None
    where = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    path = parts.path.rstrip("/")
    for needless in _NEEDLESS_PATHS[provider]:
        if path.endswith(needless):
            path = path[: -len(needless)]
            break
    if provider == "openai" and not path:
        path = "/v1"
    return f"{parts.scheme}://{where}{path}"
