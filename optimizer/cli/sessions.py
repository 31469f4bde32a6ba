"""`optimize sessions`: list, show, export, draw and remove conversations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options, terminal
from optimizer.errors import InputError
from optimizer.report import talk as report
from optimizer.report.layout import inert

if TYPE_CHECKING:
    from optimizer.session.store import Sessions


TITLE = 120  # characters of the request that names a session


@click.group("sessions", cls=options.Group, default="list")
def command() -> None:
    """List, show, export, draw and remove the conversations of optimize chat."""


@command.command("list")
@click.option("--all", "everywhere", is_flag=True, help="Those of all repositories.")
@options.project
@options.as_json
def list_(everywhere: bool, project: Path | None, as_json: bool) -> None:
    """List the sessions of this repository, the one used last first."""
    with _store(project) as (store, repository):
        rows = store.listing("" if everywhere else repository)
    if as_json:
        for row in rows:
            terminal.emit(row._asdict())
        return
    click.echo(report.listed([report.Row(one.id, _local(one.last), one.turns, one.title) for one in rows]))


@command.command("show")
@click.argument("session")
@options.project
def show(session: str, project: Path | None) -> None:
    """Show a session, named by its id or the beginning of it."""
    from optimizer.session.conversation import told
    from optimizer.session.export import markdown

    with _store(project) as (store, _):
        click.echo(inert(markdown(told(store.load(session)))))


@command.command("export")
@click.argument("session")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@options.project
@options.as_json
def export(session: str, output: Path | None, project: Path | None, as_json: bool) -> None:
    """Print a session as Markdown, or with --json as its log, an entry a line."""
    from optimizer.cli.output import as_json as line
    from optimizer.session.conversation import told
    from optimizer.session.export import markdown

    with _store(project) as (store, _):
        log = store.load(session)
    text = "\n".join(line(one._asdict()) for one in log.entries) if as_json else markdown(told(log))
    if output is None:
        click.echo(inert(text))
    else:
        output.write_text(text + "\n", encoding="utf-8")
        terminal.notice(f"written to {output}")


@command.command("graph")
@click.argument("session")
@click.option("--remove", multiple=True, type=int, metavar="N", help="What removing block N would do; repeatable.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Draw it as a page in this file.")
@options.project
def graph(session: str, remove: tuple[int, ...], html: Path | None, project: Path | None) -> None:
    """Show what the blocks of a session take from one another, and what removing some would do."""
    from optimizer.report import dependencies, graph_page
    from optimizer.session import removal
    from optimizer.session.conversation import told
    from optimizer.session.graph import graph_of

    with _store(project) as (store, _):
        now = told(store.load(session))
    found = graph_of(now.blocks)
    removed = tuple(dict.fromkeys(remove))
    if missing := [str(id) for id in removed if id not in found.blocks]:
        raise InputError(f"session {now.id} has no block {', '.join(missing)}", f"optimize sessions graph {now.id}")
    if html is not None:
        title = " ".join(now.turns[0].text.split())[:TITLE] if now.turns else now.id
        html.write_text(graph_page.page(removal.drawn(found, title, removed)), encoding="utf-8")
        terminal.notice(f"written to {html}")
    elif removed:
        click.echo(dependencies.effect(removal.effect(found, removed)))
    else:
        drawn = removal.drawn(found, now.id)
        click.echo(dependencies.listed(drawn.blocks, drawn.links, removal.order(found)))


@command.command("rm")
@click.argument("sessions", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Remove them without asking.")
@options.project
def remove(sessions: tuple[str, ...], yes: bool, project: Path | None) -> None:
    """Remove sessions and all their messages."""
    with _store(project) as (store, _):
        for session in sessions:
            log = store.load(session)
            if yes or (terminal.interactive() and terminal.confirm(f"Remove session {log.id} for good?")):
                terminal.notice(f"removed {store.remove(log.id)}")
            else:
                terminal.notice(f"kept {log.id}: to remove it, optimize sessions rm {log.id} --yes")


@contextmanager
def _store(project: Path | None) -> Iterator[tuple[Sessions, str]]:
    """The sessions of the user, and the name of the repository."""
    from optimizer.session.store import Sessions

    opened = options.open_project(project)
    store = Sessions(opened.config.places.state, terminal.notice)
    try:
        yield store, str(opened.root.path)
    finally:
        store.close()


def _local(stamp: str) -> str:
    """A time of the log as the user's clock shows it."""
    return datetime.fromisoformat(stamp).astimezone().strftime("%Y-%m-%d %H:%M")
