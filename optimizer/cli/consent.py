"""`optimize consent`: which services may see this repository's code."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.cli.terminal import width
from optimizer.errors import InputError
from optimizer.report.layout import inert, table

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.privacy.egress import Egress
    from optimizer.providers.endpoints import Endpoint


@click.group("consent", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Say which services may see this repository's code; without a command: what was granted.

    Nothing leaves this machine before a yes for that service and that repository.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_command, project=None, as_json=False)


@command.command("grant")
@click.argument("destination")
@options.project
def grant_command(destination: str, project: Path | None) -> int:
    """Let DESTINATION see this repository's code.

    It is anthropic, gemini, groq, openai, ollama, or an [[endpoint]] of your own.
    """
    with options.open_services(project, {}) as services:
        host = give(services, destination)
        click.echo(f"{destination} ({host}) may now see code of {services.workspace.root}")
        click.echo(f"take it back with: optimize consent revoke {destination}")
    return 0


@command.command("revoke")
@click.argument("destination")
@options.project
def revoke_command(destination: str, project: Path | None) -> int:
    """Take the consent for DESTINATION back."""
    from optimizer.privacy import consent

    with options.open_services(project, {}) as services:
        endpoint_of(services, destination)
        gone = consent.revoke(services.workspace.places.state, services.workspace.repository, destination)
    click.echo(f"{destination} may no longer see this repository" if gone else f"{destination} had no consent here")
    return 0


@command.command("list")
@options.project
@options.as_json
def list_command(project: Path | None, as_json: bool) -> int:
    """List what was granted, in all repositories."""
    from optimizer.privacy import consent

    with options.open_services(project, {}) as services:
        grants = consent.grants(services.workspace.places.state)
    if as_json:
        for grant in grants:
            row = {"destination": grant.destination, "host": grant.host, "repository": grant.repository, "at": grant.at}
            click.echo(json.dumps(row))
        return 0
    rows = [(one.destination, one.host, f"since {_when(one.at):%Y-%m-%d %H:%M}", one.repository) for one in grants]
    for line in table(rows, width(), ""):
        click.echo(inert(line))
    if not grants:
        click.echo("nothing was granted: no code leaves this machine")
    return 0


@command.command("log")
@click.option("--last", default=20, show_default=True, type=click.IntRange(1), help="How many requests to show.")
@options.project
@options.as_json
def log_command(last: int, project: Path | None, as_json: bool) -> int:
    """Show what was sent, where, and what was stopped."""
    from optimizer.cli.show import plain
    from optimizer.privacy import egress

    with options.open_services(project, {}) as services:
        entries = egress.entries(services.workspace.places.state)[-last:]
    if as_json:
        for entry in entries:
            click.echo(json.dumps(plain(entry)))
        return 0
    for line in table(list(map(_row, entries)), width(), ""):
        click.echo(inert(line))
    if not entries:
        click.echo("nothing was sent yet")
    return 0


def _row(entry: Egress) -> tuple[str, ...]:
    verdict = "sent" if entry.allowed else "stopped"
    what = (entry.model or "(no code)") + _pictured(entry)
    where = f"{entry.destination} ({entry.host})"
    return f"{_when(entry.at):%Y-%m-%d %H:%M:%S}", f"{verdict:<7} {entry.bytes:>9,} bytes", where, what


def _when(at: str) -> datetime:
    """A time that was kept in UTC, as a clock here shows it."""
    return datetime.fromisoformat(at).astimezone()


def _pictured(entry: Egress) -> str:
    count = len(entry.images)
    return f", with {count} image{'s' if count > 1 else ''} of {entry.image_bytes:,} bytes" if count else ""


def give(services: Services, destination: str) -> str:
    """Remember a yes for `destination` in this repository; returns the host it holds for."""
    from optimizer.privacy import consent

    host = endpoint_of(services, destination).host
    consent.grant(services.workspace.places.state, services.workspace.repository, destination, host)
    return host


def endpoint_of(services: Services, destination: str) -> Endpoint:
    """The endpoint of a provider by name; raises InputError for an unknown one."""
    endpoints = services.models.endpoints()
    return endpoints[known_provider(endpoints, destination)]


def known_provider(endpoints: Mapping[str, Endpoint], destination: str) -> str:
    """The name of a provider as given, when there is one of that name; raises InputError."""
    if destination not in endpoints:
        near = difflib.get_close_matches(destination, endpoints, n=1)
        raise InputError(
            f"no provider is named {destination!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            f"choose one of {', '.join(endpoints)}",
        )
    return destination
