"""What commands share: flags, groups with a default subcommand, and the services that flags ask for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from optimizer.errors import InputError, SafetyRefused
from optimizer.tiers import TIERS

if TYPE_CHECKING:
    from optimizer.cli.live import Live
    from optimizer.config.load import Config
    from optimizer.engine.services import Services
    from optimizer.images import Image
    from optimizer.retrieval import Query
    from optimizer.wiring.models import Stock
    from optimizer.wiring.workspace import Project, Start

if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:
    _Choice = click.Choice  # no generic before click 8.2

Command = TypeVar("Command", bound=Callable[..., Any])

WITHOUT_PROJECT_CONFIG = "optimizer.without_project_config"
MODEL_FLAGS = ("model", "provider", "tier", "max_tier", "profile", "temperature", "top_p", "max_tokens")
PROVIDER_MEANT = "Provider, or server of your own, when several serve the model."
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
quiet = click.option("--quiet", "-q", is_flag=True, help="Print the answer and errors only.")
verbose = click.option("--verbose", "-v", is_flag=True, help="Print each step, check and call.")
images = click.option(
    "--image",
    "images",
    multiple=True,
    metavar="FILE",
    help="Send this image too (png, jpeg, gif or webp); up to 5.",
)
profile = click.option("--profile", metavar="NAME", help="Use this profile (optimize profile list), or auto.")


class NotAChoice(click.BadParameter):
    """A value that is none of an option's choices; `near` are those that it may mean."""

    near: tuple[str, ...] = ()


class Choice(_Choice):
    """One of several texts; a misspelt one is met with the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            import difflib

            missed = NotAChoice(error.message, ctx, param)
            missed.near = tuple(difflib.get_close_matches(str(value), list(map(str, self.choices)), n=2))
            raise missed from error


class Group(click.Group):
    """A group of subcommands; without one, `default` runs, or the help is shown where there is none."""

    def __init__(self, *args: Any, default: str = "", **kwargs: Any) -> None:
        if default:
            kwargs.setdefault("subcommand_metavar", "[COMMAND] [ARGS]...")
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not self.default:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(InputError.exit_code)
        if self.default and (not args or args[0].startswith("-")) and not {"-h", "--help"} & set(args[:1]):
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def add_alias(self, alias: str, name: str) -> None:
        """Let a subcommand be called by another name too, which the help does not list."""
        command = copy(self.commands[name])
        command.hidden = True
        self.add_command(command, alias)


def project(command: Command) -> Command:
    """Add the flags that choose the repository."""
    for option in (
        click.option(
            "--no-project-config",
            is_flag=True,
            expose_value=False,
            callback=_without_project_config,
            help="Ignore the project's .optimizer.toml.",
        ),
        click.option(
            "--project",
            "-p",
            type=click.Path(file_okay=False, path_type=Path),
            help="Work in this repository instead of the current one.",
        ),
    ):
        command = option(command)
    return command


def _without_project_config(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.meta[WITHOUT_PROJECT_CONFIG] = value


def model_flags(command: Command) -> Command:
    """Add the flags that choose a model."""
    for option in (
        click.option("--max-tokens", metavar="N", help="Answer budget of the first request, in tokens."),
        click.option("--top-p", metavar="SHARE", help="Share of the likeliest tokens to sample from, 0 to 1."),
        click.option("--temperature", metavar="T", help="Sampling temperature, 0 to 2."),
        profile,
        click.option("--max-tier", type=Choice(TIERS), help="Most expensive tier to use."),
        click.option("--tier", type=Choice(TIERS), help="Use this tier only."),
        click.option("--provider", metavar="NAME", help="Ask this provider, or server of your own, only."),
        click.option("--model", metavar="ID", help="Ask this model only."),
    ):
        command = option(command)
    return command


# ── services ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def open_services(
    project: Path | None,
    given: dict[str, object],
    *,
    looks: bool = False,
    query: Query | None = None,
    live: Live | None = None,
    may_walk: Callable[[Path, int], bool] | None = None,
) -> Iterator[Services]:
    """The services of a run in `project` (default: here), closed on leaving; `looks`: the index is refreshed at once.

    `query` is the request, where there is one, `live` shows the progress of the index where it is entered already,
    `may_walk` decides whether a huge folder outside git is indexed (None: the user).
    """
    from optimizer.cli import terminal
    from optimizer.cli.live import Live
    from optimizer.wiring.services import services

    begun = start(project, given, looks)._replace(query=query)
    tell = _silent if click.get_current_context().params.get("quiet") else terminal.notice
    with nullcontext(live) if live else Live() as shown:
        ask = partial(_passphrase, shown) if begun.passphrase else None
        begun = begun._replace(may_walk=may_walk or partial(_may_walk, shown), passphrase=ask)
        with services(begun, shown.progress, tell) as opened:
            yield opened


def _may_walk(live: Live, folder: Path, most: int) -> bool:
    from optimizer.cli import terminal
    from optimizer.report.progress import many_files

    if not terminal.interactive():
        return False
    with live.paused():
        return terminal.confirm(f"{many_files(str(folder), most)}.\nIndex all of them?")


def _passphrase(live: Live | None, again: bool) -> str:
    """Ask for the passphrase of the stored keys, `again` after a wrong one."""
    from optimizer.cli import terminal

    with live.paused() if live else nullcontext():
        if again:
            terminal.warn("that passphrase does not open the stored keys")
        return terminal.hidden("Passphrase of your stored keys")


def _silent(text: str) -> None:
    """Say nothing."""


@contextmanager
def open_refreshed(project: Path | None) -> Iterator[Services]:
    """The services of a run in `project` (default: here) with its index up to date."""
    from optimizer.cli import terminal
    from optimizer.engine import prepare

    with open_services(project, {}, looks=True) as services:
        refreshed = prepare.refresh(services.workspace)
        if refreshed.notice:
            terminal.notice(refreshed.notice)
        yield services


def open_project(project: Path | None) -> Project:
    """The repository at `project` (default: here) and its configuration, where no index or model is needed."""
    from optimizer.cli import terminal
    from optimizer.wiring.workspace import project as at

    return at(start(project, {}), terminal.notice)


def open_stock(project: Path | None) -> AbstractContextManager[Stock]:
    """The models available at `project` (default: here), closed on leaving; it need not be a repository."""
    from optimizer.cli import terminal
    from optimizer.wiring.models import stock

    return stock(start(project, {}), terminal.notice)


def configuration(project: Path | None, given: Mapping[str, object] | None = None) -> Config:
    """The settings in force at `project` (default: here); it need not be a repository."""
    from optimizer.cli import terminal
    from optimizer.index.files import find_root
    from optimizer.wiring.workspace import settings_at

    return settings_at(find_root(project or Path.cwd()), start(project, dict(given or {})), terminal.notice)


def root(project: Path | None) -> Path:
    """The top of the project at `project` (default: here)."""
    from optimizer.index.files import find_root

    return find_root(project or Path.cwd()).path


def start(project: Path | None, given: dict[str, object] | None = None, looks: bool = False) -> Start:
    """Where a run at `project` (default: here) starts, with settings `given` by flags."""
    from optimizer.wiring.workspace import Start

    without = bool(click.get_current_context().meta.get(WITHOUT_PROJECT_CONFIG))
    from optimizer.cli.terminal import interactive

    ask = partial(_passphrase, None) if interactive() else None
    return Start(
        project or Path.cwd(), os.environ, given or {}, project_config=not without, looks=looks, passphrase=ask
    )


# ── values of flags ──────────────────────────────────────────────────────────────────────────────


def words(request: tuple[str, ...]) -> str:
    """A request as text, also where the locale is not that of the terminal; bytes that are no text become escapes."""
    text = " ".join(request)
    return text if not _has_bytes(text) else os.fsencode(text).decode("utf-8", "backslashreplace")


def _has_bytes(text: str) -> bool:
    """Whether some of it could not be read as text, which Python marks with surrogates."""
    return any("\udc80" <= letter <= "\udcff" for letter in text)


def attached(paths: tuple[str, ...]) -> tuple[Image, ...]:
    """The images that `--image` names, in order; raises InputError for too many, and for one that cannot be sent."""
    if not paths:
        return ()
    from optimizer.images import MOST_IMAGES

    if len(paths) > MOST_IMAGES:
        raise InputError(f"too many images: {len(paths)}", f"send at most {MOST_IMAGES}")
    return tuple(_image(Path(path)) for path in paths)


def _image(path: Path) -> Image:
    from optimizer.git_folders import lies_in_git_folder
    from optimizer.images import LARGEST_BYTES, NotAnImage, read, without_metadata
    from optimizer.report.figures import size

    if not path.exists():
        raise InputError(f"no file {str(path)!r}", "check the path after --image")
    if not path.is_file():
        raise InputError(f"{str(path)!r} is not a file", "name a png, jpeg, gif or webp after --image")
    if lies_in_git_folder(path):
        raise SafetyRefused(f"{str(path)!r} belongs to git: it is never sent", "copy it to another place first")
    with path.open("rb") as file:
        data = file.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{str(path)!r} is larger than {size(LARGEST_BYTES)}", "send a smaller image, or a part of it")
    try:
        return without_metadata(read(data, path.name))
    except NotAnImage as error:
        raise InputError(f"{str(path)!r} cannot be sent as an image: {error}", "save it as png and try again") from None


def feature_flags(given: tuple[str, ...]) -> dict[str, object]:
    """`NAME=on|off` flags as settings by key; raises a usage error for any other form."""
    values = {"on": True, "true": True, "off": False, "false": False}
    result: dict[str, object] = {}
    for flag in given:
        name, _, value = flag.partition("=")
        if value.lower() not in values:
            raise click.BadParameter(f"{flag!r} is not NAME=on or NAME=off", param_hint="--feature")
        result[f"features.{name}"] = values[value.lower()]
    return result
