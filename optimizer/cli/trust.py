"""`optimize trust`: which of a repository's commands may run to check changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.cli.terminal import emit, notice, width
from optimizer.errors import InputError
from optimizer.report import checks, wire
from optimizer.report.figures import count
from optimizer.report.layout import inert, table

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.events import ProjectCommand
    from optimizer.verify.commands import Command

KINDS = options.Choice(("tests", "lint", "types", "unconfined"))
PURPOSES: Mapping[str, str] = {"lint": "linter", "types": "type checker", "tests": "tests"}
ALL = "Allow them to run here, now and from now on?"


@click.group("trust", cls=options.Group, default="list")
def command() -> None:
    """Manage which of this repository's commands may run to check changes; without a subcommand, list them.

    Running tests runs the repository's code. A command found in a repository runs only after you allowed exactly that
    command; those you configured yourself (verify.test, verify.lint, verify.types) need no permission.
    """


@command.command("list")
@options.project
@options.as_json
def list_command(project: Path | None, as_json: bool) -> int:
    """List the commands found here, and whether each is allowed."""
    from optimizer.privacy import trust
    from optimizer.verify.commands import commands
    from optimizer.verify.trusted import allowed

    with options.open_services(project, {}) as services:
        means = services.workspace.means()
        rows = [(found, allowed(found, means)) for found in commands(means)]
        unconfined = trust.decision(means.state, services.workspace.repository, trust.UNCONFINED, look=means.look)
    words = {True: "allowed", False: "refused", None: "not asked yet"}
    if as_json:
        for found, answer in rows:
            emit(wire.trusted(found, answer))
        return 0
    cells = [(found.kind, found.text, words[answer], checks.found_by(found.by)) for found, answer in rows]
    for line in table(cells, width(), ""):
        click.echo(inert(line))
    if unconfined:
        notice("commands may run unconfined here, where nothing can confine them")
    if any(answer is None for _, answer in rows):
        notice("allow them with: optimize trust grant")
    if not rows:
        click.echo(checks.NO_COMMAND)
    return 0


@command.command("grant")
@click.argument("kinds", nargs=-1, type=KINDS)
@options.project
def grant_command(kinds: tuple[str, ...], project: Path | None) -> int:
    """Allow the commands found here.

    KINDS are tests, lint and types; without any, these three. `unconfined` lets commands run here on a machine where
    nothing can confine them: they can then read and change whatever you can.
    """
    from optimizer.privacy import trust
    from optimizer.verify.trusted import decide

    with options.open_services(project, {}) as services:
        state, repository = services.workspace.places.state, services.workspace.repository
        if "unconfined" in kinds:
            trust.decide(state, repository, trust.UNCONFINED, True, look=services.workspace.look)
            click.echo(f"commands may now run unconfined in {inert(repository)}, where nothing can confine them")
        found = list(_found(services, kinds))
        for one in found:
            decide(one, services.workspace.means(), True)
            click.echo(f"{inert(one.text)} may now run to check changes of {inert(repository)}")
    if not found and "unconfined" not in kinds:
        raise InputError("no such command was found here", "configure one: verify.test in your config.toml")
    click.echo("revoke it with: optimize trust revoke")
    return 0


@command.command("revoke")
@click.argument("kinds", nargs=-1, type=KINDS)
@options.project
def revoke_command(kinds: tuple[str, ...], project: Path | None) -> int:
    """Forget your answers for the commands here.

    KINDS are tests, lint, types and unconfined; without any, all of them.
    """
    from optimizer.privacy import trust

    with options.open_services(project, {}) as services:
        state, repository = services.workspace.places.state, services.workspace.repository
        if kinds:
            gone = trust.revoke(state, repository, trust.UNCONFINED) if "unconfined" in kinds else 0
            gone += sum(trust.revoke(state, repository, one.text) for one in _found(services, kinds))
        else:
            gone = trust.revoke(state, repository)
    click.echo(f"forgot {count(gone, 'answer')}" if gone else "no answers to forget")
    return 0


def _found(services: Services, kinds: tuple[str, ...]) -> Iterator[Command]:
    from optimizer.verify.commands import commands

    for one in commands(services.workspace.means()):
        if one.source == "found" and (not kinds or one.kind in kinds):
            yield one


def ask(commands: Sequence[ProjectCommand]) -> tuple[bool, ...]:
    """A yes or no for each command: one question for all of them, and one each only where that is preferred."""
    from optimizer.cli.terminal import confirm, pick

    if len(commands) == 1:
        what = f"{commands[0].text!r} would check this; it runs code of this repository."
        return (confirm(f"{what}\nAllow it to run here, now and from now on?"),)
    lines = table([(one.text, f"({PURPOSES[one.kind]})") for one in commands], width(err=True))
    question = "\n".join(["These would check this; they run code of this repository:", *lines, ALL])
    choice = pick(question, {"y": "yes to all", "c": "choose one by one", "n": "no"}, "n")
    if choice != "c":
        return (choice == "y",) * len(commands)
    return tuple(confirm(f"  Allow {one.text!r} to run?") for one in commands)
