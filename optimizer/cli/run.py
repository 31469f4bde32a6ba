"""`optimize run`: one request from question to landed change."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from contextlib import closing
from typing import IO, Any

import click

from optimizer.cli import options, output, show, terminal
from optimizer.cli.answers import Answers
from optimizer.cli.live import Live
from optimizer.errors import UnusableOutput
from optimizer.events import Finished, Recorded
from optimizer.retrieval import Query
from optimizer.types import UsageRecord

MAX_PIPED = 4_000_000  # bytes of standard input that are kept, half of them from its end; a prompt holds far less
LONGEST_PIPED = 1_000_000_000  # bytes after which a stream without an end counts as ended


@click.command("run")
@click.argument("request", nargs=-1, required=True)
@options.images
@options.model_flags
@click.option("--dry-run", is_flag=True, help="Show context, route and price; ask no model.")
@click.option("--plan", is_flag=True, help="Plan with one model (role planner), edit with another.")
@click.option("--review/--no-review", default=None, help="Let another model review the change first.")
@click.option("--summarise/--no-summarise", default=None, help="Summarise piped input that is too long, for free.")
@click.option("--no-agent", is_flag=True, help="Ask for the answer at once, without tools to look around.")
@click.option("--feature", "features", multiple=True, metavar="NAME=on|off", help="Switch a feature for this run.")
@click.option("--yes", "-y", is_flag=True, help="Write changes and make expensive calls without asking.")
@click.option("--allow", multiple=True, metavar="PATH", help="Write this file too where --yes is not enough.")
@click.option("--docs", is_flag=True, help="Rename in comments, strings and other text too.")
@click.option("--commit", is_flag=True, help="Commit exactly the files that were written.")
@click.option("--message", metavar="TEXT", help="Commit message; default: the first line of the request.")
@options.project
@options.verbose
@options.quiet
@options.as_json
def command(request: tuple[str, ...], features: tuple[str, ...], **given: Any) -> int:
    """Answer REQUEST or change the code.

    Some requests are answered from the index at no cost: where is X, show X, list functions in F, who calls X,
    what imports F, what does F import, rename X to Y. Piped input is extra context.
    """
    from optimizer.engine import run as engine
    from optimizer.engine.landing import LandingOptions
    from optimizer.engine.options import Options
    from optimizer.report.outcome import landed

    settings = {key: given[key] for key in options.MODEL_FLAGS} | options.feature_flags(features)
    settings |= {"agent.review": given["review"], "agent.summarise": given["summarise"]}
    if given["no_agent"]:
        settings["agent.steps"] = 0
    if given["message"] is not None and not given["commit"]:
        raise click.UsageError("--message goes with --commit")
    if given["quiet"] and given["verbose"]:
        raise click.UsageError("--quiet and --verbose exclude each other")
    query = Query(options.words(request), piped_in(), options.attached(given["images"]))
    with Live() as live, options.open_services(given["project"], settings, query=query, live=live) as services:
        screen = _screen(live, given)
        answers = Answers(given["yes"], terminal.interactive(), screen.asking)
        repository = None
        if given["commit"] and not given["dry_run"]:
            from optimizer.git.commit import ready

            repository = ready(services.workspace.root, os.environ)
        landing = LandingOptions(given["yes"], given["allow"], repository, given["message"] or "")
        may_land = landing if answers.yes or answers.asks else None
        wanted = Options(given["dry_run"], given["plan"], may_land, given["docs"])
        with closing(engine.answered(engine.run(query, services, wanted), answers)) as events:
            for event in events:
                if isinstance(event, Finished):
                    screen.result(event.outcome, landed(event.outcome))
                    return event.outcome.exit_code
                if isinstance(event, Recorded) and services.workspace.settings.transcripts_keep:
                    _keep(event.record)
                screen.event(event)
    raise UnusableOutput("the run ended without an outcome")


def _screen(live: Live, given: Mapping[str, Any]) -> show.Screen:
    if given["as_json"]:
        return show.JsonLines()
    return show.Terminal(live, show.detail_of(given), given["dry_run"])


def _keep(record: UsageRecord) -> None:
    """Note where the answer of a model is kept, for the case that it cannot be shown."""
    streams = click.get_current_context().find_object(output.Streams)
    if streams and record.tier != "index":
        streams.kept = f"optimize log --transcript {record.request}"


def piped_in() -> str:
    """All of standard input if it is piped or redirected, else ''."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return ""
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode)):
        return ""
    first, last, left_out = ends(sys.stdin.buffer, MAX_PIPED // 2)
    if left_out:
        terminal.notice(f"piped input is too long: {left_out:,} bytes in the middle are left out")
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
