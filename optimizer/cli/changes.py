"""`optimize log`, `show`, `undo` and `redo`: the changes that were written, and going back and forth between them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import click

from optimizer.cli import options, show
from optimizer.cli.terminal import emit, notice, paint, width
from optimizer.errors import NotFound
from optimizer.report import wire
from optimizer.report.figures import count as counted
from optimizer.report.figures import size
from optimizer.report.layout import cut, inert

if TYPE_CHECKING:
    from optimizer.edits.journal import Entry
    from optimizer.edits.write import Restored
    from optimizer.settings import Settings

STATES: Mapping[str, str] = {
    "done": "written",
    "undone": "undone",
    "begun": "in doubt",
    "undoing": "in doubt",
    "redoing": "in doubt",
    "damaged": "damaged",
}
COLOURS: Mapping[str, str] = {"written": "green", "undone": "yellow", "in doubt": "red", "damaged": "red"}
MOST_FILES = 3
merge_flag = click.option("--merge", is_flag=True, help="Keep later edits of the files where both fit (needs git).")


# ── log and show ─────────────────────────────────────────────────────────────────────────────────


@click.command("log")
@click.option(
    "--limit", metavar="N", default=20, show_default=True, type=click.IntRange(1), help="Number of changes to list."
)
@click.option("--transcript", metavar="N", help="Show the prompts and answers behind change N (or a request's id).")
@options.project
@options.as_json
def log(limit: int, transcript: str | None, project: Path | None, as_json: bool) -> int:
    """List the changes written in this repository, newest first.

    Each with its number, time, state, request and files. A change is in doubt while another optimize is writing it.
    """
    from optimizer.edits.journal import entries

    here = options.open_project(project)
    found = entries(here.journal, here.root.path)
    if transcript is not None:
        from optimizer.cli.transcript import show as show_transcript

        return show_transcript(transcript, found, here, as_json)
    shown = found[:limit]
    for entry in shown:
        if as_json:
            emit(wire.change(entry, STATES[entry.state]))
        else:
            click.echo(_line(entry))
    if not as_json:
        notice(_reach(found, len(shown), here.config.settings))
    return 0


def _line(entry: Entry) -> str:
    state = STATES[entry.state]
    head = f"{entry.id.lstrip('0'):>4}  {_when(entry.at):<16}  "
    label = " ".join(entry.label.split()) or "(request unknown)"
    more = len(entry.paths) - MOST_FILES
    files = ", ".join(entry.paths[:MOST_FILES]) + (f" and {more} more" if more > 0 else "")
    merged = " (merged)" if entry.merged else ""
    columns = width()
    first = cut(inert(label) + merged, columns - len(head) - 10 if columns else None)
    painted = paint(f"{state:<8}", fg=COLOURS[state])
    return f"{head}{painted}  {first}\n{'':>24}{cut(inert(files), columns - 24 if columns else None)}"


def _when(at: str) -> str:
    """A time of the journal in local time; '' for none."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M") if at else ""


def _reach(found: Sequence[Entry], shown: int, settings: Settings) -> str:
    """How far back the journal reaches beyond what was shown, and how long changes are kept."""
    if not found:
        return "no changes yet"
    oldest = min((entry.at for entry in found if entry.at), default="")
    part = f"{shown:,} of {len(found):,} changes, the oldest from {_when(oldest)}; " if shown < len(found) else ""
    return f"{part}changes are kept for {settings.journal_days:,} days, {size(settings.journal_bytes)} at most"


@click.command("show")
@click.argument("id", required=False, type=click.IntRange(1))
@click.option("--as-written", is_flag=True, help="For a change that was merged later: what was written first.")
@options.project
@options.as_json
def show_change(id: int | None, as_written: bool, project: Path | None, as_json: bool) -> int:
    """Show change ID as a diff; without ID, the newest. `optimize log` lists them."""
    from optimizer.edits.journal import entries, load, place_of
    from optimizer.report.diff import unified
    from optimizer.types import FileChange, Patch

    here = options.open_project(project)
    entry = _chosen(entries(here.journal, here.root.path), id)
    place = place_of(here.journal, os.path.realpath(here.root.path))
    record = load(place, entry.id, "first" if as_written and entry.merged else entry.state)
    patch = Patch(tuple(FileChange(kept.path, kept.before, kept.after) for kept in record.files))
    if as_json:
        emit(wire.shown_change(entry, STATES[entry.state], record.merged, unified(patch)))
        return 0
    merged = f", merged with later edits {_when(record.merged)}" if record.merged else ""
    head = f"change {entry.id.lstrip('0')}, {_when(entry.at)}, {STATES[entry.state]}{merged}"
    click.echo(paint(head, err=True, bold=True), err=True)
    if entry.label:
        click.echo(inert(entry.label), err=True)
    click.echo(show.diff_text(patch))
    return 0


def _chosen(found: Sequence[Entry], number: int | None) -> Entry:
    if not found:
        raise NotFound("no changes yet", 'optimize "REQUEST" writes one')
    for entry in found:
        if number is None or int(entry.id) == number:
            return entry
    raise NotFound(f"no change {number}", "optimize log lists the changes")


# ── undo and redo ────────────────────────────────────────────────────────────────────────────────


class Direction(NamedTuple):
    """Undo or redo: its event, its words, and what the ledger records of the requests."""

    event: Literal["undone", "redone"]
    done: str
    nothing: str
    outcome: str


UNDO = Direction("undone", "undone", "nothing to undo", "declined")
REDO = Direction("redone", "redone", "nothing to redo", "accepted")


@click.command("undo")
@click.argument("count", default=1, type=click.IntRange(1))
@merge_flag
@options.project
@options.as_json
def undo(count: int, merge: bool, project: Path | None, as_json: bool) -> int:
    """Undo the last applied change, or the last COUNT changes.

    Files are restored byte for byte. If a file was edited since, nothing is restored, unless --merge can keep both.
    `optimize redo` applies the change again.
    """
    return _go(UNDO, count, merge, project, as_json)


@click.command("redo")
@click.argument("count", default=1, type=click.IntRange(1))
@merge_flag
@options.project
@options.as_json
def redo(count: int, merge: bool, project: Path | None, as_json: bool) -> int:
    """Apply the last undone change again, or the last COUNT of them.

    If a file was edited since the undo, nothing is written, unless --merge can keep both. A new change clears what
    could be redone.
    """
    return _go(REDO, count, merge, project, as_json)


def _go(direction: Direction, count: int, merge: bool, project: Path | None, as_json: bool) -> int:
    from optimizer.edits.write import redo, undo
    from optimizer.git.merge import three_way

    here = options.open_project(project)
    root, state = here.root.path, here.config.places.state
    go = undo if direction is UNDO else redo
    restored = go(root, here.journal, count, three_way(root, state) if merge else None)
    for item in restored:
        if as_json:
            emit(wire.restored(direction.event, item))
        else:
            click.echo(f"{item.what:<10} {inert(item.path)}")
    if not as_json:
        click.echo(_summary(direction, restored, count), err=True)
    _reconsider(restored, direction.outcome, state)
    return 0


def _summary(direction: Direction, restored: Sequence[Restored], count: int) -> str:
    """The changes that were undone or redone, and whether there were fewer than asked for."""
    changes = list(dict.fromkeys(item.entry for item in restored))
    if not changes:
        return f"{direction.nothing}; optimize log lists the changes"
    numbers = ", ".join(change.lstrip("0") for change in changes)
    fewer = f"; there {'was' if len(changes) == 1 else 'were'} only {counted(len(changes), 'change')}"
    return f"{direction.done}: change{'s' if len(changes) > 1 else ''} {numbers}{fewer if len(changes) < count else ''}"


def _reconsider(restored: Sequence[Restored], outcome: str, state: Path) -> None:
    """Record in the ledger what became of the changes. Raises StorageError."""
    from optimizer.ledger.store import open_ledger

    with closing(open_ledger(state, notice)) as ledger:
        for request in dict.fromkeys(item.request for item in restored if item.request):
            ledger.reconsider(request, outcome)
