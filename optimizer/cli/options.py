"""Flags that several commands share, and from flags to services."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from optimizer.tiers import TIERS

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.images import Image
    from optimizer.retrieval import Query
    from optimizer.wiring.models import Stock
    from optimizer.wiring.workspace import Project, Start

Command = TypeVar("Command", bound=Callable[..., Any])

WITHOUT_PROJECT_CONFIG = "optimizer.without_project_config"
MODEL_FLAGS = ("model", "provider", "tier", "max_tier", "profile")
PROVIDER_MEANT = "The provider meant, or the server of your own, when several serve the model."
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
yes = click.option(
    "--yes", "-y", is_flag=True, help="Write changes, and make dear calls, without asking (never a consent to send)."
)
images = click.option(
    "--image",
    "images",
    multiple=True,
    metavar="FILE",
    help="Send this picture too (png, jpeg, gif or webp); up to 5 of them.",
)
profile = click.option("--profile", metavar="NAME", help="Work with this profile (optimize profile list), or auto.")


def _leave_out(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.meta[WITHOUT_PROJECT_CONFIG] = value


def project(command: Command) -> Command:
    """Add the flags that say where to work."""
    for option in (
        click.option(
            "--no-project-config",
            is_flag=True,
            expose_value=False,
            callback=_leave_out,
            help="Leave the project's .optimizer.toml unread.",
        ),
        click.option(
            "--project",
            type=click.Path(file_okay=False, path_type=Path),
            help="Work in this repository instead of the current one.",
        ),
    ):
        command = option(command)
    return command


def model_flags(command: Command) -> Command:
    """Add the flags that choose a model."""
    for option in (
        profile,
        click.option("--max-tier", type=click.Choice(TIERS), help="The dearest tier that may be used."),
        click.option("--tier", type=click.Choice(TIERS), help="Use this tier only."),
        click.option("--provider", metavar="NAME", help="Ask this provider only, or this server of your own."),
        click.option("--model", help="Ask this model only."),
    ):
        command = option(command)
    return command


def open_services(
    project: Path | None, given: dict[str, object], *, looks: bool = False, query: Query | None = None
) -> AbstractContextManager[Services]:
    """The services of a run in `project` (default: here), closed on leaving; `looks`: the index is refreshed at once.

    `query` is the request, where there is one.
    """
    from optimizer.cli import terminal
    from optimizer.wiring.services import services

    return services(_start(project, given, looks)._replace(query=query), terminal.progress(sys.stderr), terminal.notice)


def stand(project: Path | None) -> Project:
    """The repository at `project` (default: here) and its configuration, where no index or model is needed."""
    from optimizer.cli import terminal
    from optimizer.wiring.workspace import project as at

    return at(_start(project, {}), terminal.notice)


def open_stock(project: Path | None) -> AbstractContextManager[Stock]:
    """The models of a user who stands at `project` (default: here), closed on leaving; it need not be a repository."""
    from optimizer.cli import terminal
    from optimizer.wiring.models import stock

    return stock(_start(project, {}), terminal.notice)


def _start(project: Path | None, given: dict[str, object], looks: bool = False) -> Start:
    from optimizer.wiring.workspace import Start

    without = bool(click.get_current_context().meta.get(WITHOUT_PROJECT_CONFIG))
    return Start(project or Path.cwd(), os.environ, given, project_config=not without, looks=looks)


def attached(paths: tuple[str, ...]) -> tuple[Image, ...]:
    """The pictures that `--image` names; raises InputError for what cannot be sent."""
    if not paths:
        return ()
    from optimizer.cli.attach import pictures

    return pictures(paths)


def feature_flags(given: tuple[str, ...]) -> dict[str, object]:
    """`NAME=on|off` flags as settings by key; raises a usage error on any other form."""
    values = {"on": True, "true": True, "off": False, "false": False}
    result: dict[str, object] = {}
    for flag in given:
        name, _, value = flag.partition("=")
        if value.lower() not in values:
            raise click.BadParameter(f"{flag!r} is not NAME=on or NAME=off", param_hint="--feature")
        result[f"features.{name}"] = values[value.lower()]
    return result
