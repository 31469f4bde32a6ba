"""Where a provider is asked: endpoints, and the addresses and keys that users give for them."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import urlsplit

from optimizer.config.network import Certificates, Proxy
from optimizer.errors import ConfigError, InputError
from optimizer.vendors import REMOTE, REMOTE_HOST, VENDORS, Vendor, key_variable

LOCALHOST = "localhost"
UNENCRYPTED = "unencrypted"


class Sealed(NamedTuple):
    """A stored key that is read only when the provider is asked; `id` names it without revealing it.

    `read` is None where nothing gives the passphrase.
    """

    id: str
    read: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is asked; `local` means that nothing leaves this machine. Make one with `endpoint`.

    `wire` is the provider whose interface it speaks where the user named the server, '' for its own;
    `variable` is the environment variable of its key where that has a name of the user's own too. `sealed` is a stored
    key, which counts where there is no other. `proxy` is the one that the environment names for it, used or not.
    `remote` is the host that it passes requests on to.
    """

    provider: str
    base_url: str
    key: str = field(default="", repr=False)
    local: bool = False
    wire: str = ""
    variable: str = ""
    proxy: Proxy | None = None
    certificates: Certificates = ()
    sealed: Sealed | None = field(default=None, repr=False, compare=False)
    remote: str = ""
    vendor: Vendor = field(init=False, repr=False, compare=False)
    """The row of the vendor whose interface is used."""
    host: str = field(init=False, repr=False, compare=False)
    """Host, with the port where the URL gives one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "vendor", VENDORS[self.speaks])
        object.__setattr__(self, "host", urlsplit(self.base_url).netloc.lower())

    @property
    def destination(self) -> str:
        """The host, with what is on the way to it: what consent is given for."""
        way = f"{self.remote} via {self.host}" if self.remote else self.host
        if self.is_plain:
            way += f", {UNENCRYPTED}"
        return f"{way} via {self.proxy.host}" if self.proxy and self.proxy.used else way

    @property
    def is_plain(self) -> bool:
        """Whether what is sent, the key included, can be read on the way: http to another machine."""
        parts = urlsplit(self.base_url)
        return parts.scheme == "http" and not is_loopback(parts.hostname or "")

    @property
    def key_variable(self) -> str:
        """The environment variable that holds its key."""
        return self.variable or key_variable(self.provider)

    @property
    def key_name(self) -> str:
        """Where its key comes from, for hints."""
        return f"the stored key (optimize keys set {self.provider})" if self.sealed else self.key_variable

    @property
    def has_key(self) -> bool:
        """Whether a key is there, or can be read."""
        return bool(self.key or (self.sealed and self.sealed.read))

    @property
    def is_locked(self) -> bool:
        """Whether its only key is one that cannot be read here."""
        return bool(self.sealed) and not self.has_key

    def unsealed(self) -> Endpoint:
        """Itself with the stored key, where that is its key. Raises what reading it raises."""
        if self.key or not self.sealed or not self.sealed.read:
            return self
        return replace(self, key=self.sealed.read())

    @property
    def written(self) -> str:
        """Where the user writes its address, for hints."""
        if self.remote:
            return f"[endpoints] {self.wire}"
        return f"the [[endpoint]] {self.provider} in models.toml" if self.wire else f"[endpoints] {self.provider}"

    @property
    def speaks(self) -> str:
        """The provider whose interface and adapter are used."""
        return self.wire or self.provider

    @property
    def needs_key(self) -> bool:
        """Whether it needs a key: servers that may run anywhere are asked without one."""
        return not self.vendor.can_be_local or (bool(self.vendor.keys) and self.host == self.vendor.own_host)

    @property
    def account(self) -> str:
        """A name of this host and key that does not reveal the key."""
        key = self.sealed.id if self.sealed else self.key
        return hashlib.blake2b(f"{self.host} {key}".encode(), digest_size=4).hexdigest()


def endpoint(provider: str, base_url: str = "", key: str = "", wire: str = "", variable: str = "") -> Endpoint:
    """The endpoint of a provider at `base_url` ('' for its default); the plain root of a server is enough.

    `wire` is the provider whose interface a server that the user named speaks, `variable` holds its key. Raises
    InputError for an unknown provider, ConfigError for an address or key that cannot be used.
    """
    speaks = wire or provider
    vendor = VENDORS.get(speaks)
    if vendor is None:
        raise InputError(f"unknown provider {provider!r}", f"choose one of {', '.join(sorted(VENDORS))}")
    key = key.strip()
    if not all("!" <= letter <= "~" for letter in key):
        hint = f"set {variable or key_variable(provider)} again"
        raise ConfigError(f"the key of {provider} has characters that no key has", hint)
    url = _normal(vendor, base_url.strip() or vendor.url)
    local = vendor.can_be_local and is_loopback(urlsplit(url).hostname or "")
    return Endpoint(provider, url, key, local, wire, variable)


def remote_of(server: Endpoint) -> Endpoint:
    """What an Ollama server passes on to its maker: a destination of its own, wherever the server is."""
    return replace(server, provider=REMOTE, wire=server.speaks, local=False, remote=REMOTE_HOST)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself: no name but localhost, which nobody is asked for."""
    return bool(loopback(host))


def loopback(host: str) -> tuple[str, ...]:
    """The addresses of this machine that a host stands for, to be connected to without a look-up; () for none.

    Other names, also those below .localhost, may be answered by DNS with any address.
    """
    if host == LOCALHOST:
        return ("127.0.0.1", "::1")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ()
    return (host,) if address.is_loopback and "%" not in host else ()


def _normal(vendor: Vendor, url: str) -> str:
    """Scheme, host and path as the vendor's SDK wants them."""
    bare = "://" not in url
    if bare:
        guess = urlsplit(f"//{url}").hostname or ""
        plain = vendor.manages_models or is_loopback(guess)
        url = f"{'http' if plain else 'https'}://{url}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password or parts.query:
        raise ConfigError(
            f"the address of {vendor.name} cannot be used",
            f"write it as http(s)://host[:port], without user, password or query, under [endpoints] {vendor.name}",
        )
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    if port is None and bare and vendor.manages_models:
        port = urlsplit(vendor.url).port
    if port == {"http": 80, "https": 443}[parts.scheme]:
        port = None
    where = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    path = parts.path.rstrip("/")
    for needless in vendor.paths:
        if path.endswith(needless):
            path = path[: -len(needless)]
            break
    path = path or vendor.path
    return f"{parts.scheme}://{where}{path}"
