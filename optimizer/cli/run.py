"""`optimize run`: one request from question to landed change."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

import click

from optimizer.cli import consent, landing, options, show, terminal
from optimizer.errors import ConsentMissing, UnusableOutput
from optimizer.events import Event, Finished
from optimizer.retrieval import Query
from optimizer.types import Outcome

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.git.commit import Repository


MAX_PIPED = 4_000_000  # bytes of standard input that are kept, half of them from its end; a prompt holds far less
LONGEST_PIPED = 1_000_000_000  # bytes after which a stream that does not end is taken to


@click.command("run")
@click.argument("request", nargs=-1, required=True)
@options.images
@options.model_flags
@click.option("--dry-run", is_flag=True, help="Show context, route and price; ask no model.")
@click.option("--plan", is_flag=True, help="Let a change be planned by one model (role planner), made by another.")
@click.option("--review/--no-review", default=None, help="Let another model say what is wrong with the change first.")
@click.option("--summarise/--no-summarise", default=None, help="Have too long piped input put in few words, for free.")
@click.option("--no-agent", is_flag=True, help="Give models one shot: they may not look into the repository first.")
@click.option("--feature", "features", multiple=True, metavar="NAME=on|off", help="Switch a feature for this run.")
@options.yes
@click.option("--allow", multiple=True, metavar="PATH", help="Write this CI, hook or editor file without asking too.")
@click.option("--commit", is_flag=True, help="Make a git commit of exactly the files that were written.")
@click.option("--message", metavar="TEXT", help="The message of that commit, instead of the request's first line.")
@options.project
@options.as_json
def command(request: tuple[str, ...], features: tuple[str, ...], **given: Any) -> int:
    """Answer REQUEST or change the code.

    Questions that the index can answer cost nothing: where is X, show X, list functions in F, who calls X,
    what imports F, what does F import, rename X to Y. Piped input is taken as extra context.
    """
    from optimizer.engine import run as engine

    settings = {key: given[key] for key in options.MODEL_FLAGS} | options.feature_flags(features)
    settings |= {"agent.review": given["review"], "agent.summarise": given["summarise"]}
    if given["no_agent"]:
        settings["agent.steps"] = 0
    if given["message"] is not None and not given["commit"]:
        raise click.UsageError("--message goes with --commit")
    query = Query(" ".join(request), piped_in(), options.attached(given["images"]))
    screen = show.screen(given["as_json"], given["dry_run"])
    with options.open_services(given["project"], settings, query=query) as opened:
        repository = _repository(opened) if given["commit"] else None
        services = replace(opened, calls=replace(opened.calls, approve=_approval(given["yes"])))
        outcome = _watch(engine.run(query, services, given["dry_run"], given["plan"]), screen)
        if _ask_consent(outcome, services):
            outcome = _watch(engine.run(query, services, given["dry_run"], given["plan"]), screen)
        wish = landing.Wish(query.text, given["yes"], given["allow"], repository, given["message"] or "")
        return landing.land(outcome, services, screen, wish)


def piped_in() -> str:
    """All of standard input when something was piped or redirected into it, else ''."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return ""
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode)):
        return ""
    first, last, left_out = ends(sys.stdin.buffer, MAX_PIPED // 2)
    if left_out:
        terminal.notice(f"of what was piped in, {left_out:,} bytes in the middle are not read")
        last = f"\n[… {left_out:,} bytes left out here …]\n".encode() + last
    return (first + last).decode("utf-8", "replace")


def ends(stream: IO[bytes], size: int) -> tuple[bytes, bytes, int]:
    """The first and the last bytes of a stream, at most `size` of each, and how many there are between them."""
    first, last, left_out = stream.read(size), b"", 0
    while len(last) + left_out < LONGEST_PIPED and (chunk := stream.read(size)):
        last += chunk
        left_out += max(0, len(last) - size)
        last = last[-size:]
    return first, last, left_out


def _repository(services: Services) -> Repository:
    from optimizer.git.commit import ready

    return ready(services.workspace.root, os.environ)


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


def _approval(yes: bool) -> Callable[[str], bool]:
    """Who says yes to a dear call: the flag, or a person once a run; nobody where there is none."""
    given = {"yes": yes}

    def approve(question: str) -> bool:
        if not given["yes"] and terminal.interactive():
            given["yes"] = terminal.confirm(f"{question} Make such calls in this run?")
        return given["yes"]

    return approve


def _ask_consent(outcome: Outcome, services: Services) -> bool:
    """Offer to give the missing consent when a person is there; a flag never answers for them."""
    if outcome.exit_code != ConsentMissing.exit_code or not terminal.interactive():
        return False
    destination = outcome.hint.rpartition(" ")[2]
    host = services.models.endpoints()[destination].host
    question = (
        f"May code of {services.workspace.root} be sent to {destination} at {host}?\nA yes is kept for this repository."
    )
    if not terminal.confirm(question):
        return False
    consent.give(services, destination)
    return True
