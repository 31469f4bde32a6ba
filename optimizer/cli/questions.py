"""Questions to a person at a terminal; what is too wide is broken between words."""

from __future__ import annotations

from collections.abc import Mapping

import click

from optimizer.cli.terminal import inert, width, wrapped

YES_NO = " [y/N]: "


def confirm(question: str, default: bool = False) -> bool:
    """A yes or no to `question`, on stderr; `default` is what Enter says."""
    return click.confirm(_fitting(question, len(YES_NO)), default=default, err=True)


def pick(question: str, answers: Mapping[str, str], default: str) -> str:
    """One of `answers`, letter → what it stands for; `default` is what Enter says."""
    click.echo(_fitting(question, 0), err=True)
    said = ", ".join(f"{letter} = {meaning}" for letter, meaning in answers.items())
    kind = click.Choice(list(answers), case_sensitive=False)
    return str(click.prompt(said, type=kind, default=default, show_choices=False, err=True))


def _fitting(question: str, room: int) -> str:
    columns = width(err=True)
    return wrapped(inert(question), columns and columns - room)
