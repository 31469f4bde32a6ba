"""Connections with deadlines and size limits, kept below the HTTP library so that they hold for every read."""

from __future__ import annotations

import importlib
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Literal

from optimizer import vendors
from optimizer.errors import BadAnswer, BadCertificate, NoConnection, ProviderError, TimedOut, Unreachable
from optimizer.providers.endpoints import Endpoint, loopback
from optimizer.providers.outside import open_proxied, trusted

PIECE = 1 << 20
Generation = Literal["httpx", "httpx2"]
CORE = {"httpx": "httpcore", "httpx2": "httpcore2"}
_PING = re.compile(rb"ping|heartbeat|keep-?_?alive", re.IGNORECASE)
_NO_ANSWER = re.compile(
    rb'"delta":\s*\{\s*"role":\s*"assistant"\s*(?:,\s*"content":\s*(?:null|"")\s*)?\}|^\{\s*"type":\s*"(?:ping|heartbeat)"'
)
# A count of tokens that is no whole number: SDKs with types would refuse the answer for it. Quotes in text are escaped.
_NO_COUNT = re.compile(
    rb'("\w*(?:_count|TokenCount)":\s*)(?:NaN|-?Infinity|-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+))(?=\s*[,}])'
)
IDLE_SECONDS = 4.0  # servers close idle connections after five seconds and more: never use one that is about to go


class Clock:
    """Deadlines of one exchange, in seconds: until the first byte (and the setting of it), between bytes, in all."""

    def __init__(self, provider: str, patience: tuple[float, str], stall: float, whole: float) -> None:
        self.provider = provider
        self.first, self.first_knob = patience
        self.stall, self.whole = stall, whole
        self.begin = time.monotonic()
        self.answering: float | None = None

    def answered(self) -> None:
        """The first byte of the answer itself is here."""
        if self.answering is None:
            self.answering = time.monotonic()

    @property
    def waited(self) -> float:
        """Seconds until the answer began; 0 as long as it did not."""
        return self.answering - self.begin if self.answering is not None else 0.0

    def left(self) -> float:
        """Seconds that the next read may take; raises TimedOut when there are none."""
        now = time.monotonic()
        end = self.begin + self.first if self.answering is None else min(now + self.stall, self.answering + self.whole)
        if end <= now:
            raise self.overdue()
        return end - now

    def overdue(self) -> TimedOut:
        """The error for the deadline that passed."""
        hint = "ask again, ask another provider, or raise {} in the configuration"
        if self.answering is None:
            text, knob = f"{self.provider} did not begin to answer within {round(self.first, 1):g} s", self.first_knob
        elif time.monotonic() >= self.answering + self.whole:
            text, knob = (
                f"{self.provider} did not finish its answer within {round(self.whole, 1):g} s",
                "network.answer_seconds",
            )
        else:
            text, knob = f"{self.provider} sent nothing for {self.stall:g} s", "network.stall_seconds"
        return TimedOut(text, hint.format(knob))


class _TimedStream:
    """A socket whose reads obey the clock that is passed as their timeout."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        data: bytes = self.inner.read(max_bytes, timeout.left() if isinstance(timeout, Clock) else timeout)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, timeout)

    def close(self) -> None:
        self.inner.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> Any:
        return _TimedStream(self.inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


class TimedBackend:
    """The network backend of a connection pool, with reads that obey a Clock; `core` is httpcore or httpcore2."""

    def __init__(self, core: Any) -> None:
        self.core, self.inner = core, core.SyncBackend()

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _TimedStream:
        *others, last = loopback(host) or (host,)
        for address in others:
            with suppress(self.core.ConnectError):
                return _TimedStream(self.inner.connect_tcp(address, port, timeout=timeout, **options))
        return _TimedStream(self.inner.connect_tcp(last, port, timeout=timeout, **options))

    def sleep(self, seconds: float) -> None:
        self.inner.sleep(seconds)


def pool_errors(core: Any) -> tuple[type[Exception], ...]:
    """What a connection pool raises when the network fails."""
    return (core.TimeoutException, core.NetworkError, core.ProtocolError, core.ProxyError, core.UnsupportedProtocol)


def broken(provider: str, core: Any, error: Exception, clock: Clock) -> ProviderError:
    """The error for an exception of the connection pool."""
    if isinstance(error, core.ReadTimeout):
        return clock.overdue()
    if isinstance(error, core.TimeoutException):
        return TimedOut(f"no connection to {provider} in time", "check the network, or use another provider")
    text = re.sub(r"\[Errno -?\d+\] ", "", str(error))
    if isinstance(error, core.ConnectError):
        if "CERTIFICATE_VERIFY_FAILED" in text:
            why = re.sub(r".*certificate verify failed:?\s*| \(_ssl\.c.*", "", text)
            return BadCertificate(f"{provider}: its certificate was not accepted: no safe connection ({why[:120]})")
        if "CERTIFICATE" in text.upper() or "SSL" in text.upper():
            return NoConnection(f"{provider}: no safe connection ({text[:120]})", "check the address, and the clock")
        return NoConnection(f"no connection to {provider}: {text[:120]}", _start_hint(provider))
    return Unreachable(f"the connection to {provider} broke", "ask again, or ask another provider")


def _start_hint(provider: str) -> str:
    row = vendors.of(provider)
    if row.start:
        return f"start it (from {row.site}): {row.start}"
    return f"check the network, and the address of {provider} if you set one"


class Body:
    """The bytes of an answer: decoded, counted against the cap, timed; `tail` keeps the last 64."""

    def __init__(self, response: Any, clock: Clock, cap: int, core: Any) -> None:
        named = {name.lower(): value.decode("latin-1").strip().lower() for name, value in response.headers}
        self.raw, self.clock, self.cap, self.core = response.stream, clock, cap, core
        self.decode = _decoder(named.get(b"content-encoding", ""), clock.provider)
        events = named.get(b"content-type", "").startswith("text/event-stream")
        self.events = EventLines() if events else None
        self.tail = b""

    def __iter__(self) -> Iterator[bytes]:
        provider, size = self.clock.provider, 0
        try:
            for chunk in self.raw:
                for piece in self.decode(chunk):
                    size += len(piece)
                    if size > self.cap:
                        raise BadAnswer(f"{provider} sent more than {self.cap:,} bytes", "ask again, or another model")
                    self.tail = (self.tail + piece)[-64:]
                    shown = self.events.take(piece) if self.events else piece
                    if self.events.answering if self.events else shown.strip():
                        self.clock.answered()
                    yield _NO_COUNT.sub(rb"\g<1>-1", shown)
            if self.events:
                yield self.events.take(b"\n")
        except pool_errors(self.core) as error:
            raise broken(provider, self.core, error, self.clock) from None

    def close(self) -> None:
        self.raw.close()


def _decoder(encoding: str, provider: str) -> Callable[[bytes], Iterable[bytes]]:
    """Undo a content encoding in pieces of bounded size; the door asks for none, but a server may do it anyway."""
    if encoding in ("", "identity"):
        return lambda chunk: (chunk,)
    if encoding not in ("gzip", "deflate"):
        raise BadAnswer(f"{provider} sent an answer encoded as {encoding[:20]!r}, which was not asked for", "ask again")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | (16 if encoding == "gzip" else 0))

    def unpack(chunk: bytes) -> Iterator[bytes]:
        try:
            while piece := unpacker.decompress(chunk, PIECE):
                yield piece
                chunk = unpacker.unconsumed_tail
        except zlib.error:
            raise BadAnswer(f"{provider} sent an answer that cannot be decompressed", "ask again") from None

    return unpack


class EventLines:
    """The lines of an event stream without what only keeps the connection open: comments, pings, empty data.

    Not every SDK can read those. `answering` is whether anything of an answer has come: the chunk that names the role
    is no part of it, since some servers send it before they have read the prompt. Lines are passed on whole.
    """

    def __init__(self) -> None:
        self.answering = False
        self._held = b""
        self._in_ping = False

    def take(self, piece: bytes) -> bytes:
        """The whole lines up to the end of `piece` that the SDK should see."""
        *lines, self._held = (self._held + piece).split(b"\n")
        return b"".join(line + b"\n" for line in lines if self._shown(line))

    def _shown(self, line: bytes) -> bool:
        name, _, value = line.rstrip(b"\r").partition(b":")
        value = value.strip()
        if not name:  # a comment, or the end of an event
            self._in_ping = self._in_ping and line.startswith(b":")
            return not line.startswith(b":")
        if name == b"event":
            self._in_ping = _PING.fullmatch(value) is not None
        elif name == b"data" and not self._in_ping and value:
            self.answering = self.answering or not _NO_ANSWER.search(value)
        return not self._in_ping and (name != b"data" or bool(value))


class Pools:
    """The pools of a process, each opened when first wanted; threads may share them."""

    def __init__(self) -> None:
        self._open: dict[tuple[object, ...], Any] = {}
        self._lock = threading.Lock()

    def of(self, generation: Generation, endpoint: Endpoint, connections: int) -> Any:
        """The pool for an endpoint, of the HTTP library's own kind; raises ConfigError."""
        wanted = (generation, endpoint.base_url, endpoint.proxy, endpoint.certificates, connections)
        with self._lock:
            if wanted not in self._open:
                self._open[wanted] = open_pool(generation, endpoint, connections)
            return self._open[wanted]

    def close(self) -> None:
        """Close all connections, also those in use."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()


def open_pool(generation: Generation, endpoint: Endpoint, connections: int) -> Any:
    """A pool of at most so many connections, whose reads obey a Clock; the caller closes it.

    Raises ConfigError for certificates or a proxy that cannot be used.
    """
    core = importlib.import_module(CORE[generation])
    options = {
        "ssl_context": trusted(endpoint.certificates) if endpoint.base_url.startswith("https:") else None,
        "max_connections": connections,
        "keepalive_expiry": IDLE_SECONDS,
        "network_backend": TimedBackend(core),
    }
    if endpoint.proxy and endpoint.proxy.used:
        return open_proxied(core, endpoint.proxy, endpoint.certificates, options)
    return core.ConnectionPool(**options)
