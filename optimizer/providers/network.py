"""Deadlines and size limits of one exchange, kept below the HTTP library so that they hold for every read."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from optimizer.errors import BadAnswer, NoConnection, ProviderError, TimedOut, Unreachable

PIECE = 1 << 20


class Clock:
    """Deadlines of one exchange, in seconds: until the first byte (and the setting of it), between bytes, in all."""

    def __init__(self, provider: str, patience: tuple[float, str], stall: float, whole: float) -> None:
        self.provider = provider
        self.first, self.first_knob = patience
        self.stall, self.whole = stall, whole
        self.begin = time.monotonic()
        self.answering: float | None = None

    def answered(self) -> None:
        """The first byte of the answer's body is here."""
        if self.answering is None:
            self.answering = time.monotonic()

    def left(self) -> float:
        """Seconds that the next read may take; raises TimedOut when there are none."""
        now = time.monotonic()
        end = self.begin + self.first if self.answering is None else min(now + self.stall, self.answering + self.whole)
        if end <= now:
            raise self.overdue()
        return end - now

    def overdue(self) -> TimedOut:
        """The error that tells which deadline passed."""
        cure = "ask again, ask another provider, or raise {} in the configuration"
        if self.answering is None:
            text, knob = f"{self.provider} did not begin to answer within {self.first:g} s", self.first_knob
        elif time.monotonic() >= self.answering + self.whole:
            text, knob = f"{self.provider} did not finish its answer within {self.whole:g} s", "network.answer_seconds"
        else:
            text, knob = f"{self.provider} fell silent for {self.stall:g} s", "network.stall_seconds"
        return TimedOut(text, cure.format(knob))


class _TimedStream:
    """A socket whose reads obey the clock handed down as their timeout."""

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
        self.inner = core.SyncBackend()

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _TimedStream:
        return _TimedStream(self.inner.connect_tcp(host, port, timeout=timeout, **options))

    def sleep(self, seconds: float) -> None:
        self.inner.sleep(seconds)


def pool_errors(core: Any) -> tuple[type[Exception], ...]:
    """What a connection pool raises when the network fails."""
    return (core.TimeoutException, core.NetworkError, core.ProtocolError, core.UnsupportedProtocol)


def broken(provider: str, core: Any, error: Exception, clock: Clock) -> ProviderError:
    """The error for an exception of the connection pool."""
    if isinstance(error, core.ReadTimeout):
        return clock.overdue()
    if isinstance(error, core.TimeoutException):
        return TimedOut(f"no connection to {provider} in time", "check the network, or use another provider")
    said = re.sub(r"\[Errno -?\d+\] ", "", str(error))
    if isinstance(error, core.ConnectError):
        if "CERTIFICATE" in said.upper() or "SSL" in said.upper():
            return NoConnection(f"{provider}: no safe connection ({said[:120]})", "check the address, and the clock")
        return NoConnection(f"no connection to {provider}: {said[:120]}", _start_cure(provider))
    return Unreachable(f"the connection to {provider} broke", "ask again, or ask another provider")


def _start_cure(provider: str) -> str:
    return (
        "start it: ollama serve"
        if provider == "ollama"
        else f"check the network, and the address of {provider} if you set one"
    )


class Body:
    """The bytes of an answer: decoded, counted against the cap, timed; `tail` keeps the last 64."""

    def __init__(self, response: Any, clock: Clock, cap: int, core: Any) -> None:
        named = {name.lower(): value.decode("latin-1").strip().lower() for name, value in response.headers}
        self.raw, self.clock, self.cap, self.core = response.stream, clock, cap, core
        self.decode = _decoder(named.get(b"content-encoding", ""), clock.provider)
        events = named.get(b"content-type", "").startswith("text/event-stream")
        self.clean = _without_comments() if events else None
        self.tail = b""

    def __iter__(self) -> Iterator[bytes]:
        provider, size = self.clock.provider, 0
        try:
            for chunk in self.raw:
                self.clock.answered()
                for piece in self.decode(chunk):
                    size += len(piece)
                    if size > self.cap:
                        raise BadAnswer(f"{provider} sent more than {self.cap:,} bytes", "ask again, or another model")
                    self.tail = (self.tail + piece)[-64:]
                    yield self.clean(piece) if self.clean else piece
            if self.clean:
                yield self.clean(b"\n")
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


def _without_comments() -> Callable[[bytes], bytes]:
    """Drop the comment lines of an event stream, which not every SDK can read; a line goes on when it is whole."""
    held = b""

    def clean(piece: bytes) -> bytes:
        nonlocal held
        *lines, held = (held + piece).split(b"\n")
        return b"".join(line + b"\n" for line in lines if not line.startswith(b":"))

    return clean
