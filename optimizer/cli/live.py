"""What goes on while nothing is printed: a line that moves at the bottom of a terminal, now and then a line elsewhere.

On a terminal it is erased before anything else is written to it, and not drawn while a line there is unfinished.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from time import monotonic
from typing import TYPE_CHECKING, Literal

import click

from optimizer.cli import terminal
from optimizer.report import status
from optimizer.report.layout import cells, cut, inert
from optimizer.retrieval import Progress

if TYPE_CHECKING:
    import threading

    from optimizer.cli.output import Sink

Mode = Literal["moving", "plain", "silent"]
FRAME, DELAY = 0.1, 0.5  # seconds between two pictures, and before the first of something new
FIRST_LINE = 10.0  # seconds before the first plain line; each further one after twice the time
MARGIN = 3  # columns left free at the end: a ^C is shown there
SPINNER, PLAIN_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"


def mode() -> Mode:
    """How the command that runs shows what goes on: silent with `--json` and `--quiet`."""
    context = click.get_current_context(silent=True)
    given = context.params if context else {}
    if given.get("as_json") or given.get("quiet"):
        return "silent"
    return "moving" if not given.get("plain") and terminal.moves(sys.stderr) and _sinks() else "plain"


def _sinks() -> tuple[Sink, ...]:
    """The process's own streams that are terminals, errors last; none where errors are not."""
    from optimizer.cli.output import Streams

    context = click.get_current_context(silent=True)
    streams = context.find_object(Streams) if context else None
    return tuple(one for one in streams.sinks if one.isatty()) if streams else ()


def nothing(columns: int, rows: int) -> Sequence[str]:
    """No rows."""
    return ()


class Live:
    """Shows what goes on until it is left; `words` make the line of the seconds since `show`, `tail` what is above it.

    A thread draws it, so that it moves while the program waits.
    """

    def __init__(self) -> None:
        self.mode = mode()
        self.tail: Callable[[int, int], Sequence[str]] = nothing
        self._words: Callable[[float], str] | None = None
        self._since = self._due = monotonic()
        self._sinks = _sinks() if self.mode == "moving" else ()
        self._lock: threading.RLock | None = None
        self._thread: threading.Thread | None = None
        self._over: threading.Event | None = None
        self._paused = False
        self._drawn: list[str] = []
        self._columns = 0
        self._quarter = 0

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_: object) -> None:
        self._words = None
        if self._over and self._thread:
            self._over.set()
            self._thread.join()
            with self._aside():
                for sink in self._sinks:
                    del sink.aside

    def show(self, words: Callable[[float], str]) -> None:
        """From now on, this goes on."""
        if self.mode == "silent":
            return
        self._since, self._due = monotonic(), monotonic() + FIRST_LINE
        self._words = words
        if self._thread is None:
            self._start()

    def clear(self) -> None:
        """Nothing goes on any more."""
        self._words = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Draw nothing while a person is asked; they end the line of the question."""
        with self._aside():
            self._paused = True
        try:
            yield
        finally:
            for sink in self._sinks:
                sink.ended = True
            self._paused = False

    def progress(self, step: Progress) -> None:
        """Show progress; without a terminal, a line for each quarter, and none for what is over at once."""
        if self._words is None:
            self.show(lambda seconds: "")
        share = step.done / step.total if step.total else 0.0
        if self.mode == "moving":
            self._words = (lambda seconds: status.progress(step)) if step.done < step.total else None
        elif self.mode == "plain" and int(share * 4) != self._quarter and monotonic() - self._since > DELAY:
            self._quarter = int(share * 4)
            sys.stderr.write(f"{step.what}: {step.done:,}/{step.total:,}\n")

    # ── drawing ──────────────────────────────────────────────────────────────────────────────────

    def _start(self) -> None:
        import threading

        self._lock, self._over = threading.RLock(), threading.Event()
        for sink in self._sinks:
            sink.aside = self._aside
        self._thread = threading.Thread(target=self._run, args=(self._over,), name="live", daemon=True)
        self._thread.start()

    def _run(self, over: threading.Event) -> None:
        while not over.wait(FRAME):
            if self.mode == "plain":
                self._tell()
                continue
            with self._guard():
                if _in_front(self._sinks[-1].fileno()):
                    self._draw(self._rows())
                else:
                    self._drawn = []

    def _tell(self) -> None:
        """A plain line when it is time for one."""
        words, now = self._words, monotonic()
        if words is None or now < self._due or not (line := words(now - self._since)):
            return
        self._due = self._since + 2 * (self._due - self._since)
        sys.stderr.write(f"{inert(line)}\n")

    def _rows(self) -> list[str]:
        if self._paused or not all(sink.ended for sink in self._sinks):
            return []
        columns, lines = terminal.size(sys.stderr)
        rows = list(self.tail(columns, max(1, lines - 2)))
        words, seconds = self._words, monotonic() - self._since
        if words is not None and seconds >= DELAY and (line := words(seconds)):
            unicode = (sys.stderr.encoding or "").lower().startswith("utf")
            signs = SPINNER if unicode else PLAIN_SPINNER
            sign = signs[int(monotonic() / FRAME) % len(signs)]
            rows.append(terminal.paint(cut(f"{sign} {inert(line)}", max(1, columns - MARGIN)), err=True, dim=True))
        return rows

    def _draw(self, rows: list[str]) -> None:
        """Replace what is drawn by `rows`, the first of which stay where they are equal."""
        columns = terminal.size(sys.stderr)[0]
        if rows == self._drawn and columns == self._columns:
            return
        kept = 0
        if columns == self._columns and rows:
            same = takewhile(lambda pair: pair[0] == pair[1], zip(self._drawn, rows[:-1], strict=False))
            kept = min(sum(1 for _ in same), max(0, len(self._drawn) - 1))
        self._put(self._up(kept, columns) + "\r\n".join(rows[kept:]))
        self._drawn, self._columns = rows, columns

    def _up(self, kept: int, columns: int) -> str:
        """What takes the cursor to the first drawn row that is not kept, and erases from there.

        Where the terminal has become narrower, it has broken the rows.
        """
        if not self._drawn:
            return ""
        below = self._drawn[kept:]
        height = sum(max(1, -(-cells(click.unstyle(row)) // max(1, columns))) for row in below)
        return f"\r\033[{height - 1}A\033[J" if height > 1 else "\r\033[K"

    def _put(self, text: str) -> None:
        self._sinks[-1].put(text.encode(sys.stderr.encoding or "utf-8", sys.stderr.errors or "replace"))

    @contextmanager
    def _guard(self) -> Iterator[None]:
        if self._lock is None:
            yield
            return
        with self._lock:
            yield

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Nothing is drawn here, and nothing will be until this is left."""
        with self._guard():
            if self._drawn:
                self._put(self._up(0, terminal.size(sys.stderr)[0]))
                self._drawn = []
            yield


def _in_front(descriptor: int) -> bool:
    """Whether this program has the terminal, and not the shell that has put it into the background."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except (OSError, AttributeError):  # not the terminal of this session; not a system that knows of it
        return True
