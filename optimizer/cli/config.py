"""`optimize config`: the settings in force, where each comes from, and whether the files are sound."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import options
from optimizer.cli.terminal import width
from optimizer.errors import ConfigError
from optimizer.report.layout import cells, inert, table, wrapped

if TYPE_CHECKING:
    from optimizer.config.load import Config


MOST_VALUE = 24  # characters of a value beyond which those beside it are not moved


@click.group("config")
def command() -> None:
    """Show the settings in force and where each comes from; check the files."""


@command.command("show")
@click.argument("key", required=False)
@click.option("--origin", is_flag=True, help="Say where each value comes from: file and line, variable or flag.")
@options.profile
@options.project
@options.as_json
def show_command(key: str | None, origin: bool, profile: str | None, project: Path | None, as_json: bool) -> int:
    """Show all settings in force, or those of KEY.

    KEY is a setting or a section. Keys of providers are no settings, and are never shown.
    """
    config = configuration(project, {"profile": profile})
    values = {name: value for name, value in _values(config).items() if _within(name, key)}
    if not values:
        from optimizer.config.given import unknown

        raise unknown("", str(key), "")
    if as_json:
        found = {name: {"value": one, "origin": config.origins[name]} for name, one in values.items()}
        click.echo(json.dumps({"event": "config", "settings": found if origin else values}, ensure_ascii=False))
    else:
        click.echo(inert(_table(values, config.origins if origin else {})))
    return 0


def configuration(project: Path | None, flags: Mapping[str, object]) -> Config:
    """The settings in force for who stands at `project` (default: here); it need not be a repository."""
    from optimizer.cli.terminal import notice
    from optimizer.config.load import load

    without = bool(click.get_current_context().meta.get(options.WITHOUT_PROJECT_CONFIG))
    config = load(None if without else root(project), os.environ, flags)
    for line in config.notices:
        notice(line)
    return config


def root(project: Path | None) -> Path:
    """The top of the project at `project` (default: here)."""
    from optimizer.index.files import find_root

    return find_root(project or Path.cwd()).path


def _within(name: str, key: str | None) -> bool:
    return key is None or name == key or name.startswith(f"{key}.")


def _values(config: Config) -> dict[str, Any]:
    """Every setting in force by its dotted key; endpoints that nobody set are left out."""
    from optimizer.settings import knobs

    found: dict[str, Any] = {}
    for knob in knobs():
        key, value = knob.metadata["key"], getattr(config.settings, knob.name)
        found |= {f"{key}.{name}": one for name, one in value.items()} if isinstance(value, dict) else {key: value}
    return found


def _table(values: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    written = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    wide = max(map(len, written))
    if not origins:
        return "\n".join(f"{name:<{wide}} = {text}" for name, text in written.items())
    room = max((len(text) for text in written.values() if len(text) <= MOST_VALUE), default=0)
    rows = [(f"{name:<{wide}} = {text:<{room}}", origin_text(origins[name])) for name, text in written.items()]
    front, columns = wide + 3 + room, width()
    return "\n".join(
        line
        for value, origin in rows
        for line in (table([(value, origin)], columns, "") if len(value) <= front else _apart(value, origin, columns))
    )


def _apart(value: str, origin: str, columns: int | None) -> list[str]:
    """A value that is longer than others, with its origin behind it where it fits, else below it."""
    line = f"{value}  {origin}"
    return [line] if columns is None or cells(line) < columns else [value, f"    {origin}"]


def origin_text(origin: str) -> str:
    """Where a value comes from, for people: `profile (PATH:LINE)`."""
    layer, _, place = origin.partition(":")
    return f"{layer} ({place})" if place else layer


@command.command("path")
@options.project
@options.as_json
def path_command(project: Path | None, as_json: bool) -> int:
    """Say where settings, models and state are kept.

    Profiles and cache too, and which of these files there are.
    """
    from optimizer.config.load import PROJECT_FILE
    from optimizer.config.paths import places

    where = places(os.environ)
    found = {
        "config": where.config_file,
        "models": where.models_file,
        "profiles": where.profiles,
        "project": root(project) / PROJECT_FILE,
        "state": where.state,
        "cache": where.cache,
    }
    if as_json:
        rows = {name: {"path": str(path), "exists": path.exists()} for name, path in found.items()}
        click.echo(json.dumps({"event": "paths", **rows}, ensure_ascii=False))
    else:
        named = [(name, f"{path}{'' if path.exists() else '  (not there)'}") for name, path in found.items()]
        for line in table(named, width(), ""):
            click.echo(inert(line))
    return 0


@command.command("schema")
def schema_command() -> int:
    """Print the JSON Schema of the settings.

    Profiles are in it under $defs.
    """
    from optimizer.config.schema import schema

    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0


@command.command("validate")
@options.project
@options.as_json
def validate_command(project: Path | None, as_json: bool) -> int:
    """Check all files of settings, models and profiles.

    Each fault is told with its line and a cure. Ends with 2 if there is any.
    """
    from optimizer.config.paths import places
    from optimizer.config.validate import faults, files

    where = places(os.environ)
    found = {path: list(faults(path, where)) for path in files(where, root(project))}
    if where.models_file.exists():
        found[where.models_file] = _in_models(where.models_file)
    for path, wrong in found.items():
        if as_json:
            rows = [{"error": error.message, "hint": error.hint} for error in wrong]
            click.echo(json.dumps({"event": "file", "path": str(path), "faults": rows}, ensure_ascii=False))
            continue
        if not wrong:
            click.echo(inert(f"{path}: sound"))
        for error in wrong:
            click.echo(wrapped(inert(f"{error.message}\n    {error.hint}".rstrip()), width()))
    if not found and not as_json:
        click.echo("no files: everything is as shipped")
    return ConfigError.exit_code if any(found.values()) else 0


def _in_models(path: Path) -> list[ConfigError]:
    from optimizer.models.catalogue import load_catalogue

    try:
        load_catalogue(path)
    except ConfigError as error:
        return [error]
    return []
