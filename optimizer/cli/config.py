"""`optimize config`: the settings in force, their origins, and whether the files are valid."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import options
from optimizer.cli.output import as_json
from optimizer.cli.terminal import emit, width
from optimizer.errors import ConfigError
from optimizer.report.layout import cells, inert, table, wrapped

if TYPE_CHECKING:
    from optimizer.config.load import Config
    from optimizer.config.values import Origin


MOST_VALUE = 24  # characters of a value up to which origins are aligned


@click.group("config", cls=options.Group)
def command() -> None:
    """Show the settings in force and their origins; check the files."""


@command.command("show")
@click.argument("key", required=False)
@click.option("--origin", is_flag=True, help="Show where each value comes from: file and line, variable or flag.")
@options.profile
@options.project
@options.as_json
def show_command(key: str | None, origin: bool, profile: str | None, project: Path | None, as_json: bool) -> int:
    """Show all settings in force, or those of KEY.

    KEY is a setting or a section. API keys are not settings, and are never shown.
    """
    config = options.configuration(project, {"profile": profile})
    values = {name: value for name, value in _values(config).items() if _within(name, key)}
    if not values:
        from optimizer.config.values import unknown

        raise unknown("", str(key), "")
    if as_json:
        found = {name: {"value": one, "origin": str(config.origins[name])} for name, one in values.items()}
        emit({"event": "config", "settings": found if origin else values})
    else:
        click.echo(inert(_table(values, config.origins if origin else {})))
    return 0


def _within(name: str, key: str | None) -> bool:
    return key is None or name == key or name.startswith(f"{key}.")


def _values(config: Config) -> dict[str, Any]:
    """Every setting in force by its dotted key, without endpoints that are not set."""
    from optimizer.settings import rows

    found: dict[str, Any] = {}
    for row in rows():
        key, value = row.key, getattr(config.settings, row.name)
        found |= {f"{key}.{name}": one for name, one in value.items()} if isinstance(value, dict) else {key: value}
    return found


def _table(values: Mapping[str, Any], origins: Mapping[str, Origin]) -> str:
    written = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    wide = max(map(len, written))
    if not origins:
        return "\n".join(f"{name:<{wide}} = {text}" for name, text in written.items())
    widest = max((len(text) for text in written.values() if len(text) <= MOST_VALUE), default=0)
    rows = [(f"{name:<{wide}} = {text:<{widest}}", origin_text(origins[name])) for name, text in written.items()]
    front, columns = wide + 3 + widest, width()
    return "\n".join(
        line
        for value, origin in rows
        for line in (table([(value, origin)], columns, "") if len(value) <= front else _apart(value, origin, columns))
    )


def _apart(value: str, origin: str, columns: int | None) -> list[str]:
    """A value that is longer than others, with its origin behind it where it fits, else below it."""
    line = f"{value}  {origin}"
    return [line] if columns is None or cells(line) < columns else [value, f"    {origin}"]


def origin_text(origin: Origin) -> str:
    """The origin of a value, for people: `profile (PATH:LINE)`."""
    layer, place = origin
    return f"{layer} ({place})" if place else layer


@command.command("path")
@options.project
@options.as_json
def path_command(project: Path | None, as_json: bool) -> int:
    """Show where settings, models and state are kept."""
    from optimizer.config.load import PROJECT_FILE
    from optimizer.config.paths import places

    where = places(os.environ, options.root(project))
    found = {
        "config": where.config_file,
        "models": where.models_file,
        "profiles": where.profiles,
        "project": options.root(project) / PROJECT_FILE,
        "state": where.state,
        "cache": where.cache,
    }
    if as_json:
        rows = {name: {"path": str(path), "exists": path.exists()} for name, path in found.items()}
        emit({"event": "paths", **rows})
    else:
        named = [(name, f"{path}{'' if path.exists() else '  (missing)'}") for name, path in found.items()]
        for line in table(named, width(), ""):
            click.echo(inert(line))
    return 0


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--allow-user-only", is_flag=True, help="Accept settings that only you may set: endpoints, commands, caps."
)
@options.as_json
def import_command(file: Path, allow_user_only: bool, as_json: bool) -> int:
    """Write the settings of FILE into your configuration, all or none.

    FILE is TOML, JSON or YAML, by its suffix. Settings that your configuration has already are replaced.
    """
    from optimizer.config.convert import read_any
    from optimizer.config.edit import take
    from optimizer.config.own_profiles import refuse_user_only
    from optimizer.config.paths import places

    document, where = read_any(file), places(os.environ, options.root(None))
    if not allow_user_only:
        refuse_user_only(document)
    taken = take(document, where.config_file, where.models_file)
    if as_json:
        settings = {one.key: one.value for one in taken}
        emit({"event": "import", "path": str(where.config_file), "settings": settings})
    else:
        click.echo(inert(f"wrote {len(taken):,} settings into {where.config_file}"))
    return 0


@command.command("schema")
def schema_command() -> int:
    """Print the JSON Schema of the settings.

    Profiles are under $defs.
    """
    from optimizer.config.schema import schema

    click.echo(as_json(schema(), indent=2))
    return 0


@command.command("validate")
@options.project
@options.as_json
def validate_command(project: Path | None, as_json: bool) -> int:
    """Check all files of settings, models and profiles.

    Prints each fault with its line and a hint. Exits with 2 if there is any.
    """
    from optimizer.config.paths import places
    from optimizer.config.validate import faults, files

    where = places(os.environ, options.root(project))
    found = {path: list(faults(path, where)) for path in files(where, options.root(project))}
    if where.models_file.exists():
        found[where.models_file] = _in_models(where.models_file)
    for path, wrong in found.items():
        if as_json:
            rows = [{"error": error.message, "hint": error.hint} for error in wrong]
            emit({"event": "file", "path": str(path), "faults": rows})
            continue
        if not wrong:
            click.echo(inert(f"{path}: ok"))
        for error in wrong:
            click.echo(wrapped(inert(f"{error.message}\n    {error.hint}".rstrip()), width()))
    if not found and not as_json:
        click.echo("no files: all settings are defaults")
    return ConfigError.exit_code if any(found.values()) else 0


def _in_models(path: Path) -> list[ConfigError]:
    from optimizer.models.catalogue import load_catalogue

    try:
        load_catalogue(path)
    except ConfigError as error:
        return [error]
    return []
