"""`optimize consent`: which services may receive this repository's code."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options
from optimizer.cli.terminal import emit, width
from optimizer.errors import InputError
from optimizer.report import wire
from optimizer.report.figures import count
from optimizer.report.layout import inert, table

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.privacy.consent import Grant
    from optimizer.privacy.egress import Egress
    from optimizer.providers.endpoints import Endpoint


@click.group("consent", cls=options.Group, default="list")
def command() -> None:
    """Manage which services may receive this repository's code; without a subcommand, list what was granted.

    No code leaves this machine without consent for that service and that repository.
    """


@command.command("grant")
@click.argument("destination")
@options.project
def grant_command(destination: str, project: Path | None) -> int:
    """Allow DESTINATION to receive this repository's code.

    DESTINATION is a provider, such as groq, or an [[endpoint]] of your own.
    """
    with options.open_services(project, {}) as services:
        if endpoint_of(services, destination).local:
            click.echo(f"{destination} is on this machine: it needs no consent")
            return 0
        host = give(services, destination)
        click.echo(inert(f"{destination} ({host}) may now receive code of {services.workspace.root}"))
        click.echo(f"revoke it with: optimize consent revoke {destination}")
    return 0


@command.command("revoke")
@click.argument("destination")
@options.project
def revoke_command(destination: str, project: Path | None) -> int:
    """Revoke the consent for DESTINATION."""
    from optimizer.privacy import consent

    with options.open_services(project, {}) as services:
        endpoint_of(services, destination)
        gone = consent.revoke(services.workspace.places.state, services.workspace.repository, destination)
    click.echo(
        f"{destination} may no longer receive code of this repository" if gone else f"{destination} had no consent here"
    )
    return 0


@command.command("list")
@options.project
@options.as_json
def list_command(project: Path | None, as_json: bool) -> int:
    """List all consents, in all repositories."""
    from optimizer.privacy import consent

    grants = consent.grants(options.configuration(project).places.state)
    if as_json:
        for grant in grants:
            emit(wire.grant(grant))
        return 0
    rows = [(one.destination, one.host, f"since {_when(one.at):%Y-%m-%d %H:%M}", _where(one)) for one in grants]
    for line in table(rows, width(), ""):
        click.echo(inert(line))
    if not grants:
        click.echo("no consent yet: no code leaves this machine")
    return 0


@command.command("log")
@click.option(
    "--last", metavar="N", default=20, show_default=True, type=click.IntRange(1), help="Number of requests to show."
)
@options.project
@options.as_json
def log_command(last: int, project: Path | None, as_json: bool) -> int:
    """Show what was sent where, and what was stopped."""
    from optimizer.privacy import egress

    entries = egress.entries(options.configuration(project).places.state)[-last:]
    if as_json:
        for entry in entries:
            emit(wire.plain(entry))
        return 0
    for line in table(list(map(_row, entries)), width(), ""):
        click.echo(inert(line))
    if not entries:
        click.echo("nothing sent yet")
    return 0


def _where(one: Grant) -> str:
    return one.repository if one.identity else f"{one.repository} (recorded by an older version: asked once more)"


def _row(entry: Egress) -> tuple[str, ...]:
    verdict = "sent" if entry.allowed else "stopped"
    images = f", with {count(len(entry.images), 'image')} of {entry.image_bytes:,} bytes" if entry.images else ""
    what = (entry.model or "(no code)") + images
    where = f"{entry.destination} ({entry.host})"
    return f"{_when(entry.at):%Y-%m-%d %H:%M:%S}", f"{verdict:<7} {entry.bytes:>9,} bytes", where, what


def _when(at: str) -> datetime:
    """A time kept in UTC, in local time."""
    return datetime.fromisoformat(at).astimezone()


def give(services: Services, destination: str) -> str:
    """Grant consent for `destination` in this repository; returns the host it holds for."""
    from optimizer.privacy import consent

    host = endpoint_of(services, destination).destination
    consent.grant(
        services.workspace.places.state, services.workspace.repository, destination, host, services.workspace.look
    )
    return host


def endpoint_of(services: Services, destination: str) -> Endpoint:
    """The endpoint of a provider by name; raises InputError for an unknown one."""
    endpoints = services.models.endpoints()
    return endpoints[known_provider(endpoints, destination)]


def known_provider(endpoints: Mapping[str, Endpoint], destination: str) -> str:
    """The name as given, if a provider has it; raises InputError."""
    if destination not in endpoints:
        near = difflib.get_close_matches(destination, endpoints, n=1)
        raise InputError(
            f"no provider is named {destination!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            f"choose one of {', '.join(endpoints)}",
        )
    return destination
