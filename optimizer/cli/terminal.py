"""What reaches a terminal: colours, JSON lines, progress, remarks and errors, and questions to a person."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import click

from optimizer.cli.output import as_json
from optimizer.report.layout import inert, wrapped

USUAL = 80, 24  # columns and lines of a terminal that does not say
YES_NO = " [y/N]: "


def moves(stream: TextIO) -> bool:
    """Whether lines may be rewritten on `stream`: a terminal that is not TERM=dumb, and this is not CI."""
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


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
    stream = sys.stderr if err else sys.stdout
    return size(stream)[0] if stream.isatty() else None


def size(stream: TextIO) -> tuple[int, int]:
    """The columns and lines of the terminal that `stream` is; what COLUMNS and LINES say comes first."""
    try:
        seen = tuple(os.get_terminal_size(stream.fileno()))
    except (OSError, ValueError):
        seen = (0, 0)
    said = (int(word) if (word := os.environ.get(name, "")).isdecimal() else 0 for name in ("COLUMNS", "LINES"))
    columns, lines = (one or there or usual for one, there, usual in zip(said, seen, USUAL, strict=True))
    return columns, lines


def emit(record: Mapping[str, Any]) -> None:
    """Print a wire object as a line of JSON."""
    click.echo(as_json(record))


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


def warn(text: str) -> None:
    """Print a remark on stderr that must not be overlooked."""
    click.echo(paint(wrapped(inert(text), width(err=True)), err=True, fg="yellow", bold=True), err=True)


def confirm(question: str, default: bool = False) -> bool:
    """Ask a yes-or-no question on stderr; `default` is the answer of Enter."""
    _forget_typed()
    asked = _fitting(question, len(YES_NO)) + (" [Y/n]: " if default else YES_NO)
    answers = {"": default, "y": True, "yes": True, "n": False, "no": False}
    while (given := _typed(asked)) not in answers:
        warn("answer y or n")
    return answers[given]


def pick(question: str, answers: Mapping[str, str], default: str) -> str:
    """Ask for one of `answers`, letter → meaning; `default` is the answer of Enter."""
    _forget_typed()
    click.echo(_fitting(question, 0), err=True)
    choices = ", ".join(f"{letter} = {meaning}" for letter, meaning in answers.items())
    while (given := _typed(f"{choices} [{default}]: ") or default) not in answers:
        warn(f"answer {', '.join(list(answers)[:-1])} or {list(answers)[-1]}")
    return given


def hidden(question: str, twice: bool = False) -> str:
    """Ask for what is not shown as it is typed; `twice` asks again until both are the same."""
    _forget_typed()
    while True:
        given = str(click.prompt(question, hide_input=True, err=True))
        if not twice or given == click.prompt("The same again", hide_input=True, err=True):
            return given
        warn("the two are not the same")


def _typed(question: str) -> str:
    """What a person types after a question, in small letters."""
    return str(click.prompt(question, default="", show_default=False, prompt_suffix="", err=True)).strip().lower()


def _forget_typed() -> None:
    """Drop what was typed at a terminal before its question is there to be read; a pipe keeps its answers."""
    try:
        import termios
    except ImportError:  # Windows
        return
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def _fitting(question: str, space: int) -> str:
    columns = width(err=True)
    return wrapped(inert(question), columns and columns - space)
