"""What the environment says of the network: the proxy of an address, and the certificates to trust."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib.parse import SplitResult

FILE_AND_DIRECTORY = ("SSL_CERT_FILE", "SSL_CERT_DIR")
BUNDLE = "REQUESTS_CA_BUNDLE"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that a variable of the environment names, and whether the configuration lets requests go through it."""

    variable: str
    url: str = field(repr=False)  # it may hold a password
    used: bool

    @property
    def parts(self) -> SplitResult:
        """The address in parts; a bare `host:port` is an HTTP proxy. Empty where it cannot be read."""
        from urllib.parse import urlsplit

        try:
            parts = urlsplit(self.url if "://" in self.url else f"http://{self.url}")
            _ = parts.port  # raises for what is no number
            return parts if parts.hostname else urlsplit("")
        except ValueError:
            return urlsplit("")

    @property
    def host(self) -> str:
        """Host and port, without user and password."""
        return self.parts.netloc.rpartition("@")[2].lower() or "an address that cannot be read"


# Files and directories of certificates to trust, each with the variable that names it; empty: those of the system.
Certificates = tuple[tuple[str, str], ...]


def proxy_for(url: str, env: Mapping[str, str], used: bool) -> Proxy | None:
    """The proxy that the environment names for an address, by HTTPS_PROXY or HTTP_PROXY, else ALL_PROXY; None for none.

    Small letters take precedence over capitals. What NO_PROXY lists goes without.
    """
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if _exempt(parts, _value(env, "no_proxy")[1]):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        variable, value = _value(env, name)
        if value:
            return Proxy(variable, value, used)
    return None


def certificates(env: Mapping[str, str]) -> Certificates:
    """What SSL_CERT_FILE and SSL_CERT_DIR name, else REQUESTS_CA_BUNDLE."""
    named = [(name, env[name]) for name in FILE_AND_DIRECTORY if env.get(name)]
    if not named and env.get(BUNDLE):
        named = [(BUNDLE, env[BUNDLE])]
    return tuple(named)


def _value(env: Mapping[str, str], name: str) -> tuple[str, str]:
    """The variable that is set, in small letters or capitals, and its value; both empty where neither is."""
    for variable in (name, name.upper()):
        if value := env.get(variable, "").strip():
            return variable, value
    return "", ""


def _exempt(parts: SplitResult, listed: str) -> bool:
    """Whether NO_PROXY lists an address: names with all below them, addresses and networks, with a port or without."""
    host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    for entry in re.split(r"[,\s]+", listed.lower()):
        name, at = _name_and_port(entry)
        if name and (not at or at == str(port)) and (name == "*" or _covers(name, host)):
            return True
    return False


def _name_and_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.lstrip(":")
    if entry.count(":") == 1:
        name, _, at = entry.partition(":")
        return name, at
    return entry, ""


def _covers(name: str, host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False)
    except ValueError:
        name = name.removeprefix("*").removeprefix(".")
        return host == name or host.endswith(f".{name}")
