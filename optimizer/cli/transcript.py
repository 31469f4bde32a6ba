"""`optimize log --transcript N`: the prompts and answers behind a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from optimizer.cli import output
from optimizer.cli.terminal import paint
from optimizer.errors import InputError
from optimizer.report.layout import inert

if TYPE_CHECKING:
    from optimizer.edits.journal import Entry
    from optimizer.ledger.transcripts import Call, Turn
    from optimizer.wiring.workspace import Project


def show(given: str, changes: Sequence[Entry], stands: Project, as_json: bool) -> int:
    """Print the calls of a request: `given` is the number of a change, or the id of a request.

    Raises InputError where none is kept, StorageError.
    """
    from optimizer.ledger import transcripts

    change = next((one for one in changes if one.id.lstrip("0") == given.lstrip("0")), None)
    calls = transcripts.read(stands.config.places.state, change.request if change else given)
    if not calls:
        if change is None:
            raise InputError(f"no transcript of {given}", "optimize log lists the changes with their numbers")
        settings = stands.config.settings
        kept = f"for {settings.transcripts_days:,} days" if settings.transcripts_keep else "only with transcripts.keep"
        raise InputError(f"no transcript of change {given}: no model was asked, or it is gone", f"they are kept {kept}")
    for number, call in enumerate(calls, 1):
        click.echo(output.as_json({"event": "call", **asdict(call)}) if as_json else _text(number, call))
    return 0


def _text(number: int, call: Call) -> str:
    ended = call.error or f"{call.outcome} after {call.seconds:.1f} s"
    head = paint(f"{number}. {call.model} ({call.provider}), {call.task}: {ended}", bold=True)
    return "\n\n".join([head, *map(_turn, call.sent), *(_turn(turn, back=True) for turn in call.received)]) + "\n"


def _turn(turn: Turn, back: bool = False) -> str:
    arrow = "<" if back else ">"
    return f"{paint(f'{arrow} {turn.role}', fg='green' if back else 'cyan')}\n{inert(turn.text)}"
