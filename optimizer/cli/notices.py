"""What a person is told while a command works: progress, and lines of note, on stderr."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TextIO

import click

from optimizer.cli.terminal import inert, paint, width, wrapped
from optimizer.retrieval import Progress

QUIET_SECONDS = 0.8


def progress(stream: TextIO) -> Callable[[Progress], None]:
    """A sink for progress: one line that rewrites itself on a terminal, a line per quarter elsewhere.

    Nothing is shown for work that is over within a second.
    """
    begun = monotonic()
    last = {"quarter": 0}

    def tell(step: Progress) -> None:
        share = step.done / step.total if step.total else 0.0
        if stream.isatty():
            if step.done >= step.total:
                stream.write("\r\033[K")
            elif monotonic() - begun > QUIET_SECONDS:
                stream.write(f"\r{step.what} {'█' * int(share * 24):<24} {step.done:,}/{step.total:,} ")
            stream.flush()
        elif int(share * 4) != last["quarter"] and monotonic() - begun > QUIET_SECONDS:
            last["quarter"] = int(share * 4)
            stream.write(f"{step.what}: {step.done:,}/{step.total:,}\n")

    return tell


def failure(message: str, hint: str = "") -> None:
    """What went wrong and the cure, each a line on stderr; what is too wide is set in below itself."""
    for mark, text, style in (("error: ", message, {"fg": "red", "bold": True}), ("try:   ", hint, {"fg": "cyan"})):
        if text:
            lines = wrapped(mark + inert(text), width(err=True), len(mark))
            click.echo(paint(mark, err=True, **style) + lines.removeprefix(mark), err=True)


def notice(text: str) -> None:
    """A remark for a person, on stderr; its further lines, and what is too wide, are set in."""
    lines = inert(text.rstrip("\n")).replace("\n", "\n  ")
    click.echo(paint(wrapped(lines, width(err=True)), err=True, dim=True), err=True)
