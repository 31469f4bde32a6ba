"""`optimize run`: one request from question to landed change."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import consent, options, show, terminal
from optimizer.errors import ConsentMissing, UnusableOutput
from optimizer.events import Event, Finished, Judged
from optimizer.retrieval import Query
from optimizer.types import Outcome

if TYPE_CHECKING:
    from optimizer.engine.parts import Parts


MAX_PIPED = 2_000_000  # bytes of standard input that are read; a prompt holds far less


@click.command("run")
@click.argument("request", nargs=-1, required=True)
@options.model_flags
@click.option("--dry-run", is_flag=True, help="Show context, route and price; ask no model.")
@click.option("--feature", "features", multiple=True, metavar="NAME=on|off", help="Switch a feature for this run.")
@options.yes
@options.project
@options.as_json
def command(request: tuple[str, ...], features: tuple[str, ...], **given: Any) -> int:
    """Answer REQUEST or change the code.

    Questions that the index can answer cost nothing: where is X, show X, list functions in F, who calls X,
    what imports F, what does F import, rename X to Y. Piped input is taken as extra context.
    """
    from optimizer.engine import run as engine

    settings = {key: given[key] for key in ("model", "provider", "tier", "max_tier")} | options.feature_flags(features)
    query = Query(" ".join(request), piped_in())
    screen = show.screen(given["as_json"])
    with options.open_parts(given["project"], settings) as parts:
        outcome = _watch(engine.run(query, parts, given["dry_run"]), screen)
        if _ask_consent(outcome, parts):
            outcome = _watch(engine.run(query, parts, given["dry_run"]), screen)
        return _land(outcome, parts, screen, given["yes"])


def piped_in() -> str:
    """All of standard input when something was piped or redirected into it, else ''."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return ""
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode)):
        return ""
    return sys.stdin.buffer.read(MAX_PIPED).decode("utf-8", "replace")


def _watch(events: Iterator[Event], screen: show.Screen) -> Outcome:
    outcome: Outcome | None = None
    for event in events:
        if isinstance(event, Finished):
            outcome = event.outcome
        else:
            screen.event(event)
    if outcome is None:
        raise UnusableOutput("the run ended without an outcome")
    return outcome


def _ask_consent(outcome: Outcome, parts: Parts) -> bool:
    """Offer to give the missing consent when a person is there; a flag never answers for them."""
    if outcome.exit_code != ConsentMissing.exit_code or not terminal.interactive():
        return False
    destination = outcome.hint.rpartition(" ")[2]
    question = f"May code of {parts.root} be sent to {destination}? (remembered for this repository)"
    if not click.confirm(question, default=False, err=True):
        return False
    consent.give(parts, destination)
    return True


def _land(outcome: Outcome, parts: Parts, screen: show.Screen, yes: bool) -> int:
    from optimizer.engine.commit import commit, decline

    if outcome.patch is None or outcome.exit_code:
        screen.result(outcome, "")
        return outcome.exit_code
    if not yes and not terminal.interactive():
        screen.result(outcome, "not written: run again with --yes to write it")
        return 0
    outcome = _check_further(outcome, parts, screen, yes)
    if outcome.patch is None:
        return outcome.exit_code
    if not yes and not click.confirm(_question(outcome), default=False, err=True):
        decline(outcome, parts)
        screen.result(outcome, "declined; nothing was written")
        return 0
    entry = commit(outcome, parts)
    screen.result(outcome, f"written as {entry}; take it back with: optimize undo")
    return 0


def _check_further(outcome: Outcome, parts: Parts, screen: show.Screen, yes: bool) -> Outcome:
    """Offer a person to run the commands that nobody was asked about yet; the change is dropped when they fail."""
    from optimizer.cli import trust
    from optimizer.verify import prove

    if yes or outcome.patch is None or not terminal.interactive() or not trust.offer(outcome, parts):
        return outcome
    patch, means = outcome.patch, parts.means()
    verdict = prove.prove(prove.at_once(patch, parts.index), prove.plan(patch, parts.index, means), patch, means)
    screen.event(Judged(verdict))
    if verdict.ok:
        return replace(outcome, verdict=verdict)
    failed = replace(outcome, patch=None, verdict=verdict, exit_code=UnusableOutput.exit_code)
    screen.result(failed, "nothing was written: a check failed")
    return failed


def _question(outcome: Outcome) -> str:
    count = len(outcome.patch.changes) if outcome.patch else 0
    return f"Write this change to {count} file{'s' if count != 1 else ''}?"
