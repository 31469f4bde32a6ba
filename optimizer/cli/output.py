"""Standard input, output and errors as they really are: closed, full, no longer read, or unable to show a letter.

What cannot be encoded is written in ASCII, and what cannot be written is dropped: output never stops the work. How it
failed is known at the end.
"""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, TextIO

from optimizer.characters import escaped_json

_PLAIN, _BYTES, _ASCII = "optimizer.plain", "optimizer.bytes", "optimizer_ascii"
# Our own signs in ASCII; each stands for a range of letters that begins with it.
_SIGNS = (
    (0x00B7, 0x00B7, "-"),
    (0x00D7, 0x00D7, "x"),
    (0x2022, 0x2022, "*"),
    (0x2026, 0x2026, "..."),
    (0x2192, 0x2192, "->"),
    (0x2500, 0x257F, "-"),
    (0x2580, 0x259F, "#"),
    (0x2800, 0x28FF, "*"),
)


class Sink(io.RawIOBase):
    """A file descriptor to write to; after the first failure, `failure`, everything is dropped.

    `aside` is entered while something is written, `ended` says whether that ended a line.
    """

    aside: Callable[[], AbstractContextManager[object]] = nullcontext

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.failure: OSError | None = None
        self.ended = True

    def write(self, data: Any) -> int:
        with self.aside():
            if len(data):
                self.ended = data[-1] == ord("\n")
            return self.put(data)

    def put(self, data: Any) -> int:
        """Write at once, whatever is drawn there."""
        while self.failure is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                import select

                select.select((), (self._descriptor,), ())
            except OSError as error:
                self.failure = error
        return len(data)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)


class Streams:
    """The standard streams of the process; `kept` is the command that shows again what a model answered."""

    def __init__(self) -> None:
        """Open what is closed as the null device, so that no file gets its number, and let nothing fail for it.

        Streams that the process has replaced are left alone.
        """
        self.kept = ""
        self._out: Sink | None = None
        self._err: Sink | None = None
        closed = [number for number in (0, 1, 2) if _is_closed(number)]
        for number in closed:  # in this order: each gets the lowest number that is free
            os.open(os.devnull, os.O_WRONLY if number else os.O_RDONLY)
            os.set_inheritable(number, True)
        if sys.stdin is None or 0 in closed:
            sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the stream of the process
        if sys.stdout is sys.__stdout__:
            self._out, sys.stdout = _stream(1, sys.stdout)
        if sys.stderr is sys.__stderr__:
            self._err, sys.stderr = _stream(2, sys.stderr)

    @property
    def sinks(self) -> tuple[Sink, ...]:
        """Those of output and errors that are the process's own."""
        return tuple(one for one in (self._out, self._err) if one is not None)

    @property
    def lost(self) -> bool:
        """Whether output is dropped: nothing more need be done for it alone."""
        return self._out is not None and self._out.failure is not None

    def flush(self) -> OSError | None:
        """Write what is left; returns why output was lost, None where all of it was written or none was wanted."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        failure = self._out.failure if self._out else None
        return None if failure is None or failure.errno == errno.EPIPE else failure


def as_json(value: Any, indent: int | None = None) -> str:
    """JSON that stdout can show: letters as they are in Unicode, else as escapes, as is all that is not seen."""
    unicode = codecs.lookup(sys.stdout.encoding or "utf-8").name.startswith("utf")
    return escaped_json(json.dumps(value, ensure_ascii=not unicode, indent=indent))


def _is_closed(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return True
    return False


def _stream(number: Literal[1, 2], given: TextIO | None) -> tuple[Sink, TextIO]:
    """A stream to a descriptor with the encoding of the one that the process has."""
    codecs.register_error(_PLAIN, _plain)
    codecs.register_error(_BYTES, _as_bytes)
    encoding = given.encoding if given else "utf-8"
    errors = (given.errors if given else None) or "strict"
    if codecs.lookup(encoding).name == "ascii":  # click writes UTF-8 where a stream says that it is ASCII
        codecs.register(_ascii)
        encoding = _ASCII
    errors = _BYTES if errors == "surrogateescape" else _PLAIN
    sink = Sink(number)
    live = os.isatty(number) or number == 2
    return sink, io.TextIOWrapper(io.BufferedWriter(sink), encoding, errors, line_buffering=live)


def _ascii(name: str) -> codecs.CodecInfo | None:
    if name != _ASCII:
        return None
    real = codecs.lookup("ascii")
    whole, pieces = (real.encode, real.decode), (real.incrementalencoder, real.incrementaldecoder)
    return codecs.CodecInfo(*whole, None, None, *pieces, name=_ASCII)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace a letter that cannot be encoded: our own signs by others, the rest by escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    sign = next((plain for first, last, plain in _SIGNS if first <= ord(letter) <= last), "")
    return sign or letter.encode("ascii", "backslashreplace").decode("ascii"), error.start + 1


def _as_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """As `_plain`, but a byte that came in as one, as in the name of a file, goes out as one."""
    if isinstance(error, UnicodeEncodeError) and 0xDC80 <= (code := ord(error.object[error.start])) <= 0xDCFF:
        return bytes([code - 0xDC00]), error.start + 1
    return _plain(error)
