"""The way to servers elsewhere: certificates, proxies, and what to say when either fails."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from optimizer.config.network import Certificates, Proxy
from optimizer.errors import BadCertificate, ConfigError, NoConnection, ProviderError, TimedOut
from optimizer.providers.endpoints import Endpoint

if TYPE_CHECKING:
    import ssl

SETTING = 'network.proxy = "environment"'


@cache
def trusted(certificates: Certificates) -> ssl.SSLContext:
    """The certificates that are trusted: those named, else the system's and certifi's; read once a process.

    Raises ConfigError, with the variable, for a file or directory that cannot be used.
    """
    import ssl

    if not certificates:
        import certifi

        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for variable, place in certificates:
        _load(context, variable, place)
    return context


def _load(context: ssl.SSLContext, variable: str, place: str) -> None:
    from ssl import SSLError

    hint = f"correct {variable}, or unset it to trust the certificates of the system"
    places = place.split(os.pathsep) if variable == "SSL_CERT_DIR" else [place]
    folders = [one for one in places if Path(one).is_dir()]
    try:
        for one in folders:
            context.load_verify_locations(capath=one)
        if not folders:
            context.load_verify_locations(cafile=place)
    except SSLError:
        raise ConfigError(f"{variable} names {place}, which holds no certificates that can be read", hint) from None
    except OSError as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise ConfigError(f"{variable} names {place}, which {why}", hint) from None


def open_proxied(core: Any, proxy: Proxy, certificates: Certificates, options: dict[str, Any]) -> Any:
    """A pool of connections through a proxy; `core` is httpcore or httpcore2, `options` those of any pool.

    Raises ConfigError for an address that cannot be used, and for SOCKS without the package for it.
    """
    parts = proxy.parts
    if parts.scheme not in ("http", "https", "socks5", "socks5h"):
        hint = f'write {proxy.variable} as http://host:port or socks5://host:port, or set network.proxy = "none"'
        raise ConfigError(f"{proxy.variable} names no proxy that can be used", hint)
    socks = parts.scheme.startswith("socks")
    if socks and importlib.util.find_spec("socksio") is None:
        hint = f"name an HTTP proxy in {proxy.variable}, or install socksio: pipx inject optimizer socksio"
        raise ConfigError(f"{proxy.variable} names a SOCKS proxy, which needs the package socksio", hint)
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    url = f"{parts.scheme}://{name}:{parts.port or (1080 if socks else 443 if parts.scheme == 'https' else 80)}"
    auth = (unquote(parts.username).encode(), unquote(parts.password or "").encode()) if parts.username else None
    if socks:
        return core.SOCKSProxy(url, proxy_auth=auth, **options)
    if parts.scheme == "https":
        options["proxy_ssl_context"] = trusted(certificates)
    return core.HTTPProxy(url, proxy_auth=auth, **options)


def explained(error: ProviderError, endpoint: Endpoint) -> ProviderError:
    """`error` with the cure that proxies and certificates of the environment suggest, where there is one."""
    proxy, sources = endpoint.proxy, endpoint.certificates
    if isinstance(error, BadCertificate):
        variable, place = sources[0] if sources else ("", "")
        add = f"add it to {place} ({variable})" if sources else "name its file in SSL_CERT_FILE"
        error.hint = f"if this network reads traffic with a certificate of its own, {add}; also check the clock"
    elif proxy and isinstance(error, (NoConnection, TimedOut)):
        if proxy.used:
            error.hint = f"check the proxy {proxy.host} ({proxy.variable}), or use another provider"
        else:
            error.hint = (
                f"{proxy.variable} is set and not used: with {SETTING} in your configuration "
                f"requests go through {proxy.host}"
            )
    return error


def refused(endpoint: Endpoint, text: str) -> NoConnection:
    """The error for a proxy that answers instead of passing on."""
    proxy = endpoint.proxy
    where, variable = (proxy.host, proxy.variable) if proxy else ("", "")
    hint = f"write user and password into {variable}" if text.startswith("407") else f"check {variable}"
    return NoConnection(f"the proxy {where} did not connect to {endpoint.provider}: {text[:120]}", hint)
