"""`optimize trust`: which of a repository's commands may be run to check changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.cli.terminal import notice, width
from optimizer.errors import InputError
from optimizer.report.layout import inert, table

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.events import ProjectCommand
    from optimizer.verify.commands import Command

KINDS = click.Choice(("tests", "lint", "types"))
PURPOSES: Mapping[str, str] = {"lint": "linter", "types": "type checker", "tests": "tests"}
ALL = "May they be run here, now and from now on?"


@click.group("trust", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Say which of this repository's commands may be run to check changes.

    Running its tests runs its code. Nothing of a repository runs before a yes for that command, word by word; what you
    configured yourself (verify.test, verify.lint, verify.types) needs none.
    """
    if ctx.invoked_subcommand is None:
        code = ctx.invoke(list_command)
        return code if isinstance(code, int) else 0
    return 0


@command.command("list")
@options.project
@options.as_json
def list_command(project: Path | None = None, as_json: bool = False) -> int:
    """List the commands found here, with what was said of each."""
    from optimizer.verify.commands import allowed, commands

    with options.open_services(project, {}) as services:
        means = services.workspace.means()
        rows = [(found, allowed(found, means)) for found in commands(means)]
    words = {True: "allowed", False: "refused", None: "not asked yet"}
    if as_json:
        for found, said in rows:
            fields = {"kind": found.kind, "command": found.text, "source": found.source, "why": found.why}
            click.echo(json.dumps(fields | {"allowed": said}, ensure_ascii=False))
        return 0
    for line in table([(found.kind, found.text, words[said], found.why) for found, said in rows], width(), ""):
        click.echo(inert(line))
    if any(said is None for _, said in rows):
        notice("let them be run: optimize trust grant")
    if not rows:
        click.echo("no command for tests, linter or types was found or configured")
    return 0


@command.command("grant")
@click.argument("kinds", nargs=-1, type=KINDS)
@options.project
def grant_command(kinds: tuple[str, ...], project: Path | None) -> int:
    """Let the commands found here be run.

    Tests, lint, types, or all of them where none is named.
    """
    from optimizer.privacy import trust

    with options.open_services(project, {}) as services:
        found = list(_found(services, kinds))
        for one in found:
            trust.decide(services.workspace.places.state, services.workspace.repository, one.text, True)
            click.echo(f"{inert(one.text)} may now be run to check changes of {inert(services.workspace.repository)}")
    if not found:
        raise InputError("there is no such command to allow here", "configure one: verify.test in your config.toml")
    click.echo("take it back with: optimize trust revoke")
    return 0


@command.command("revoke")
@click.argument("kinds", nargs=-1, type=KINDS)
@options.project
def revoke_command(kinds: tuple[str, ...], project: Path | None) -> int:
    """Forget what was said of the commands here.

    Of tests, lint, types, or of all where none is named.
    """
    from optimizer.privacy import trust

    with options.open_services(project, {}) as services:
        state, repository = services.workspace.places.state, services.workspace.repository
        if kinds:
            gone = sum(trust.revoke(state, repository, one.text) for one in _found(services, kinds))
        else:
            gone = trust.revoke(state, repository)
    click.echo(f"{gone} answer{'s' if gone != 1 else ''} forgotten" if gone else "nothing had been said here")
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
        return (confirm(f"{what}\nMay it be run here, now and from now on?"),)
    lines = table([(one.text, f"({PURPOSES[one.kind]})") for one in commands], width(err=True))
    question = "\n".join(["These would check this; they run code of this repository:", *lines, ALL])
    said = pick(question, {"y": "yes to all", "c": "choose one by one", "n": "no"}, "n")
    if said != "c":
        return (said == "y",) * len(commands)
    return tuple(confirm(f"  May {one.text!r} be run?") for one in commands)
