"""Base URLs as users write them: checked, and OLLAMA_HOST read the way Ollama reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib.parse import SplitResult

OLLAMA_PORT = 11434
_HINT = "write it like http://127.0.0.1:8080/v1"


class BadValue(ValueError):
    """A value that a setting cannot have, and a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def check_url(text: str) -> str:
    """A base URL without its trailing slash. Raises BadValue unless it is http(s) with a host and nothing odd in it."""
    text = text.strip()
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadValue("expected a URL that begins with http:// or https://", _HINT)
    return text.rstrip("/")


def ollama_url(text: str) -> str:
    """The URL that Ollama's own client would ask for this OLLAMA_HOST: scheme, host and port filled in.

    A server's listening address (0.0.0.0 or ::) becomes the loopback address of its family. Raises BadValue.
    """
    text = text.strip().strip("\"'")
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest, port = "http", text, OLLAMA_PORT
    else:
        port = {"http": 80, "https": 443}.get(scheme, 0)
    if not port:
        raise BadValue("expected host, host:port or a URL that begins with http:// or https://", _HINT)
    parts = _split(f"{scheme}://{rest}")
    host = _bracketed(parts.hostname or "127.0.0.1")
    path = parts.path.strip("/")
    return f"{scheme}://{host}:{parts.port or port}" + (f"/{path}" if path else "")


def _split(url: str) -> SplitResult:
    from urllib.parse import urlsplit

    if not url.isprintable() or not url.isascii() or " " in url:
        raise BadValue("expected a URL without spaces, control or non-ASCII characters", _HINT)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise BadValue(f"not a URL: {error}", _HINT) from error
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise BadValue("expected a URL without user name, query or fragment", _HINT)
    return parts


def _bracketed(host: str) -> str:
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return host if address.version == 4 else f"[{host}]"
