"""`optimize log`: the changes that were written, and how far back they can be told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.cli.terminal import notice, paint, width
from optimizer.humanize import size
from optimizer.report.layout import cut, inert

if TYPE_CHECKING:
    from optimizer.edits.journal import Entry
    from optimizer.settings import Settings

WORDS = {
    "done": "written",
    "undone": "undone",
    "begun": "in doubt",
    "undoing": "in doubt",
    "redoing": "in doubt",
    "damaged": "damaged",
}
COLOURS = {"written": "green", "undone": "yellow", "in doubt": "red", "damaged": "red"}
MOST_FILES = 3


@click.command("log")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="List no more than so many.")
@click.option("--transcript", metavar="N", help="Show the prompts and answers behind change N (or a request's id).")
@options.project
@options.as_json
def command(limit: int, transcript: str | None, project: Path | None, as_json: bool) -> int:
    """List the changes that were written in this repository, the newest first.

    Each with its number, when, whether it still is written, the request and its files. A change is in doubt while
    another optimize is at work on it.
    """
    from optimizer.edits.journal import entries

    stands = options.stand(project)
    found = entries(stands.journal, stands.root.path)
    if transcript is not None:
        from optimizer.cli.transcript import show

        return show(transcript, found, stands, as_json)
    shown = found[:limit]
    for entry in shown:
        click.echo(_object(entry) if as_json else _line(entry))
    if not as_json:
        notice(_reach(found, len(shown), stands.config.settings))
    return 0


def _object(entry: Entry) -> str:
    fields = {
        "event": "change",
        "id": entry.id,
        "at": entry.at,
        "state": WORDS[entry.state],
        "label": entry.label,
        "request": entry.request,
        "files": list(entry.paths),
        "bytes": entry.size,
        "merged": entry.merged,
    }
    return json.dumps(fields, ensure_ascii=False)


def _line(entry: Entry) -> str:
    word = WORDS[entry.state]
    state = paint(f"{word:<8}", fg=COLOURS[word])
    head = f"{entry.id.lstrip('0'):>4}  {when(entry.at):<16}  "
    label = " ".join(entry.label.split()) or "(no request is known)"
    more = len(entry.paths) - MOST_FILES
    files = ", ".join(entry.paths[:MOST_FILES]) + (f" and {more} more" if more > 0 else "")
    merged = " (merged)" if entry.merged else ""
    room = width()
    first = cut(inert(label) + merged, room - len(head) - 10 if room else None)
    return f"{head}{state}  {first}\n{'':>24}{cut(inert(files), room - 24 if room else None)}"


def when(at: str) -> str:
    """A time of the journal as a clock here shows it; '' for none."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M") if at else ""


def _reach(found: Sequence[Entry], shown: int, settings: Settings) -> str:
    """How far back the journal reaches beyond what was shown, and for how long changes are kept."""
    if not found:
        return "no change was written here yet"
    oldest = min((entry.at for entry in found if entry.at), default="")
    beside = f"{shown:,} of {len(found):,} changes, the oldest of {when(oldest)}; " if shown < len(found) else ""
    room = size(settings.journal_bytes)
    return f"{beside}changes are kept for {settings.journal_days:,} days, and no more than {room} of them"
