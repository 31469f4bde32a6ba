"""What reaches a terminal: colours, JSON lines, progress, remarks and errors, and questions to a person."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, TextIO

import click

from optimizer.cli.output import as_json
from optimizer.report.layout import inert, wrapped
from optimizer.retrieval import Progress

QUIET_SECONDS = 0.8
YES_NO = " [y/N]: "


def coloured(stream: TextIO) -> bool:
    """Whether to colour what goes to `stream`: a terminal, and neither NO_COLOR nor TERM=dumb."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def interactive() -> bool:
    """Whether a person can be asked: both ends are a terminal, and this is not CI."""
    return sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")


def paint(text: str, err: bool = False, **style: Any) -> str:
    """`text` styled as `click.style` does, where stdout (with `err`: stderr) shows colours."""
    if not coloured(sys.stderr if err else sys.stdout):
        return text
    return click.style(text, **style)


def width(err: bool = False) -> int | None:
    """The columns of the terminal that stdout (with `err`: stderr) is; None where it is none: nothing is cut then."""
    if not (sys.stderr if err else sys.stdout).isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns


def emit(record: Mapping[str, Any]) -> None:
    """Print a wire object as a line of JSON."""
    click.echo(as_json(record))


def progress(stream: TextIO) -> Callable[[Progress], None]:
    """A sink for progress: one line that rewrites itself on a terminal, a line for each quarter elsewhere.

    Nothing is shown for work that is over within a second.
    """
    begun = monotonic()
    last = {"quarter": 0}

    def show(step: Progress) -> None:
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

    return show


def failure(message: str, hint: str = "") -> None:
    """Print an error and its hint on stderr, a line each; further lines are indented."""
    for mark, text, style in (("error: ", message, {"fg": "red", "bold": True}), ("try:   ", hint, {"fg": "cyan"})):
        if text:
            lines = wrapped(mark + inert(text), width(err=True), len(mark))
            click.echo(paint(mark, err=True, **style) + lines.removeprefix(mark), err=True)


def notice(text: str) -> None:
    """Print a remark on stderr; further lines are indented."""
    lines = inert(text.rstrip("\n")).replace("\n", "\n  ")
    click.echo(paint(wrapped(lines, width(err=True)), err=True, dim=True), err=True)


def confirm(question: str, default: bool = False) -> bool:
    """Ask a yes-or-no question on stderr; `default` is the answer of Enter."""
    return click.confirm(_fitting(question, len(YES_NO)), default=default, err=True)


def pick(question: str, answers: Mapping[str, str], default: str) -> str:
    """Ask for one of `answers`, letter → meaning; `default` is the answer of Enter."""
    click.echo(_fitting(question, 0), err=True)
    choices = ", ".join(f"{letter} = {meaning}" for letter, meaning in answers.items())
    kind = click.Choice(list(answers), case_sensitive=False)
    return str(click.prompt(choices, type=kind, default=default, show_choices=False, err=True))


def _fitting(question: str, space: int) -> str:
    columns = width(err=True)
    return wrapped(inert(question), columns and columns - space)
