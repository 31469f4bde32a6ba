"""`optimize chat`: a conversation at a terminal, or one turn of it for a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import options, terminal
from optimizer.cli.live import Live
from optimizer.errors import InputError

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.session.conversation import Conversation
    from optimizer.session.store import Sessions

FORMATS = ("text", "json", "stream-json")
MODES = ("ask", "accept-edits", "plan")


@click.command("chat")
@click.option("--continue", "-c", "last", is_flag=True, help="Go on with the last session of this repository.")
@click.option("--resume", metavar="ID", help="Go on with this session (optimize sessions list).")
@click.option("--fork", metavar="ID", help="Go on with this session in a new one, which leaves it as it is.")
@click.option("--prompt", metavar="TEXT", help="Take one turn and leave; for scripts.")
@click.option("--output-format", "form", type=options.Choice(FORMATS), help="How a turn with --prompt is printed.")
@click.option("--mode", type=options.Choice(MODES), help="What becomes of proven changes: ask, write, or only plan.")
@click.option("--plain", is_flag=True, help="Print whole lines only, for screen readers and logs.")
@click.option("--yes", "-y", is_flag=True, help="Write changes and make expensive calls without asking.")
@options.model_flags
@options.project
@options.verbose
@options.quiet
def command(**given: Any) -> int:
    """Talk about this repository, and change it, in a session that is kept.

    Without --prompt it needs a terminal. Piped input is extra context of a turn with --prompt.
    """
    from optimizer.session.store import Sessions

    _exclude(given)
    if given["prompt"] is None and not terminal.interactive():
        raise InputError("a conversation needs a terminal", 'for one turn: optimize chat --prompt "REQUEST"')
    settings = {key: given[key] for key in options.MODEL_FLAGS}
    with Live() as live, options.open_services(given["project"], settings, live=live) as services:
        store = Sessions(services.workspace.places.state, terminal.notice)
        try:
            conversation = _chosen(store, services, given)
            if given["prompt"] is not None:
                from optimizer.cli.headless import one_turn

                return one_turn(store, conversation, services, live, given)
            from optimizer.cli.talk import Talking

            return Talking(store, conversation, services, live, given).run()
        finally:
            store.close()


def _exclude(given: dict[str, Any]) -> None:
    chosen = [name for name, key in (("--continue", "last"), ("--resume", "resume"), ("--fork", "fork")) if given[key]]
    if len(chosen) > 1:
        raise click.UsageError(f"{' and '.join(chosen)} exclude each other")
    if given["form"] and given["prompt"] is None:
        raise click.UsageError("--output-format goes with --prompt")
    if given["prompt"] is not None and not given["prompt"].strip():
        raise click.UsageError("--prompt is empty")


def _chosen(store: Sessions, services: Services, given: dict[str, Any]) -> Conversation:
    """The conversation that the flags name, or a new one. Raises InputError, StorageError."""
    from optimizer.session.conversation import add, here, told

    repository = services.workspace.repository
    wanted = given["resume"] or given["fork"] or ""
    if given["last"]:
        known = store.listing(repository)
        if not known:
            raise InputError("there is no session of this repository yet", "optimize chat begins one")
        wanted = known[0].id
    log = store.load(store.fork(wanted) if given["fork"] else wanted or store.create(repository))
    here(log, repository)
    conversation = told(log)
    held = {"mode": conversation.mode, **conversation.preferences}
    for key in held:
        if given[key] and given[key] != held[key]:
            conversation = add(store, conversation, "set", {key: given[key]})
    return conversation
