"""`optimize profile`: named sets of settings and model preferences."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import options
from optimizer.cli.config import origin_text
from optimizer.cli.output import as_json
from optimizer.cli.terminal import emit, notice, width
from optimizer.errors import ConfigError, InputError
from optimizer.report import reasons
from optimizer.report.layout import inert, table, wrapped

if TYPE_CHECKING:
    from optimizer.config.paths import Places
    from optimizer.config.profiles import Profile

NO_PROFILE = "none"
CHOOSES = "Selects fast, general, code or creative by the kind of work."


@click.group("profile", cls=options.Group)
def command() -> None:
    """List, create and select profiles: sets of settings and model preferences (docs/guides/profiles.md)."""


def _places() -> Places:
    from optimizer.config.paths import places

    return places(os.environ, options.root(None))


def _print(text: str, event: Mapping[str, Any], as_json: bool) -> int:
    if as_json:
        emit(event)
    else:
        click.echo(wrapped(inert(text), width()))
    return 0


@command.command("list")
@options.project
@options.as_json
def list_command(project: Path | None, as_json: bool) -> int:
    """List all profiles; `*` marks the one in use here."""
    from optimizer.config.profiles import AUTO, is_shipped, names, resolve

    used, broken = "", ""
    try:
        used = options.configuration(project).settings.profile
    except ConfigError as error:
        broken = f"{error.message}; {error.hint}"
    folder, rows = _places().profiles, list[tuple[str, str, str]]()
    for name in (*names(folder), AUTO):
        try:
            about = CHOOSES if name == AUTO else resolve(name, folder).about
        except ConfigError as error:
            about = f"broken: {error.message}"
        origin = "shipped" if is_shipped(name) else "own"
        fields = {"name": name, "origin": origin, "about": about, "used": used == name}
        if as_json:
            emit({"event": "profile", **fields})
        rows.append((f"{'*' if used == name else ' '} {name}", origin, about))
    if not as_json:
        click.echo(inert("\n".join(table(rows, width(), ""))))
    if broken:
        notice(broken)
    return 0


@command.command("show")
@click.argument("name")
@options.as_json
def show_command(name: str, as_json: bool) -> int:
    """Show the profile NAME with all that it inherits.

    Each setting with its file and line.
    """
    from optimizer.config.own_profiles import whole
    from optimizer.config.profiles import resolve

    profile = resolve(name, _places().profiles)
    if as_json:
        settings = {one.key: {"value": one.value, "origin": str(one.origin)} for one in profile.settings}
        fields = {**whole(profile), "settings": settings}
        return _print("", {"event": "profile", "name": name, "chain": profile.chain, **fields}, True)
    click.echo(inert("\n".join(_lines(profile))))
    return 0


def _lines(profile: Profile) -> list[str]:
    wanted = profile.wanted
    rows = [
        ("profile", profile.name + (f": {profile.about}" if profile.about else "")),
        ("file", str(profile.path)),
        ("builds on", " -> ".join(profile.chain[1:])),
        ("prefers", ", ".join((*wanted.models, *wanted.families, "models that suit it by the catalogue"))),
        ("requires", ", ".join(sorted(wanted.requires))),
        ("window", f"{wanted.window:,} tokens at least" if wanted.window else ""),
        ("fallback", profile.fallback),
    ]
    lines = table([row for row in rows if row[1]], width(), "")
    settings = [(f"{one.key} = {json.dumps(one.value)}", origin_text(one.origin)) for one in profile.settings]
    lines += table(settings, width(), "")
    lines += [
        f"{reasons.title(role.by)}: {', '.join((*role.models, *role.families))}" for role in profile.roles.values()
    ]
    return lines


@command.command("use")
@click.argument("name")
@options.as_json
def use_command(name: str, as_json: bool) -> int:
    """Use the profile NAME from now on, in all projects.

    `none` selects no profile. With `auto`, the kind of work selects the profile of each request. The choice
    is written to your configuration; --profile, OPTIMIZER_PROFILE and a project's file override it.
    """
    from optimizer.config.edit import set_value
    from optimizer.config.profiles import AUTO, resolve

    places = _places()
    chosen = "" if name == NO_PROFILE else AUTO if name == AUTO else resolve(name, places.profiles).name
    set_value(places.config_file, "profile", chosen)
    line = f"using profile {chosen} ({places.config_file})" if chosen else "using no profile"
    return _print(line, {"event": "use", "profile": chosen, "path": str(places.config_file)}, as_json)


@command.command("create")
@click.argument("name")
@click.option("--extends", metavar="NAME", help="Profile to inherit unset values from.")
@click.option("--about", help="One-line description.")
@click.option(
    "--family", "families", metavar="FAMILY", multiple=True, help="A preferred model family; the first ranks highest."
)
@click.option("--prefer", "models", multiple=True, metavar="MODEL", help="A preferred model, by id or glob.")
@click.option("--window", metavar="N", type=click.IntRange(0), help="Smallest acceptable window, in tokens.")
@click.option("--requires", multiple=True, metavar="CAPABILITY", help="tools, vision, streaming, json or thinking.")
@click.option("--fallback", metavar="NAME", help="Profile to use when no model fits this one.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting, such as max_tokens=900.")
@options.as_json
def create_command(name: str, settings: tuple[str, ...], as_json: bool, **preferences: Any) -> int:
    """Create the profile NAME."""
    from optimizer.config.convert import nested
    from optimizer.config.document import Document
    from optimizer.config.own_profiles import add

    folder = _places().profiles
    table = {key: list(value) if isinstance(value, tuple) else value for key, value in preferences.items() if value}
    if settings:
        table["settings"] = nested(dict(_setting(one) for one in settings))
    path = add(name, Document(folder / f"{name}.toml", table, {}), folder)
    return _print(f"wrote {path}; use it with: optimize profile use {name}", _made("create", name, path), as_json)


def _setting(text: str) -> tuple[str, Any]:
    """A setting from `KEY=VALUE`. Raises ConfigError for an unknown key or a value that it cannot hold."""
    from optimizer.config.values import BadValue, from_text, type_of, unknown

    key, sign, value = text.partition("=")
    if not sign:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--set")
    if type_of(key) is None:
        raise unknown("", key, "")
    try:
        return key, from_text(key, value)
    except BadValue as error:
        raise ConfigError(f"{key}: {error}", error.hint or "correct the value") from error


def _made(event: str, name: str, path: Path) -> dict[str, Any]:
    return {"event": event, "profile": name, "path": str(path)}


@command.command("copy")
@click.argument("name")
@click.argument("new")
@options.as_json
def copy_command(name: str, new: str, as_json: bool) -> int:
    """Copy the profile NAME to NEW, a file of your own to edit."""
    from optimizer.config.document import Document
    from optimizer.config.own_profiles import add
    from optimizer.config.profiles import written

    folder = _places().profiles
    path = add(new, Document(folder / f"{new}.toml", written(name, folder), {}), folder)
    return _print(f"wrote {path}", _made("copy", new, path), as_json)


@command.command("delete")
@click.argument("name")
@options.project
@options.as_json
def delete_command(name: str, project: Path | None, as_json: bool) -> int:
    """Delete the profile NAME.

    One that is in use, or that others build on, is not deleted.
    """
    from optimizer.config.own_profiles import remove

    used = options.configuration(project).profile
    if used and name in used.chain:
        raise InputError(f"{name!r} is in use", "select another first: optimize profile use NAME, or none")
    path = remove(name, _places().profiles)
    return _print(f"deleted {path}", _made("delete", name, path), as_json)


@command.command("export")
@click.argument("name")
@click.option("--format", "form", type=options.Choice(("toml", "json")), default="toml", show_default=True)
@click.option("--whole", "is_whole", is_flag=True, help="Include all that it inherits.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this new file.")
def export_command(name: str, form: str, is_whole: bool, output: Path | None) -> int:
    """Print the profile NAME, to `import` it elsewhere."""
    from optimizer.config import profiles
    from optimizer.config.convert import to_toml
    from optimizer.config.own_profiles import whole

    folder = _places().profiles
    profile = profiles.resolve(name, folder)
    table = whole(profile) if is_whole else profiles.written(name, folder)
    text = to_toml(table) if form == "toml" else as_json(table, indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return 0
    if output.exists():
        raise InputError(f"{output} exists", "name a new file")
    output.write_text(text, encoding="utf-8")
    return 0


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the profile; default: the name of the file.")
@click.option("--replace", is_flag=True, help="Overwrite an existing profile.")
@click.option(
    "--allow-user-only", is_flag=True, help="Accept settings that only you may set: endpoints, commands, caps."
)
@options.as_json
def import_command(file: Path, name: str | None, replace: bool, allow_user_only: bool, as_json: bool) -> int:
    """Import a profile from FILE after checking it.

    FILE is TOML, JSON or YAML, by its suffix.
    """
    from optimizer.config.convert import read_any
    from optimizer.config.own_profiles import add, refuse_user_only

    document = read_any(file)
    if not allow_user_only:
        refuse_user_only(document, "settings")
    path = add(name or file.stem, document, _places().profiles, replace)
    return _print(f"wrote {path}", _made("import", path.stem, path), as_json)


@command.command("validate")
@click.argument("name", required=False)
@options.as_json
def validate_command(name: str | None, as_json: bool) -> int:
    """Check the profile or file NAME, or all of your own.

    Exits with 2 if one is broken.
    """
    from optimizer.config import profiles
    from optimizer.config.convert import read_any

    folder = _places().profiles
    own = [one for one in profiles.names(folder) if not profiles.is_shipped(one)]
    broken = False
    for one in [name] if name else own:
        wrong: ConfigError | None = None
        try:
            if Path(one).suffix:
                profiles.check(read_any(Path(one)), Path(one).stem, folder)
            else:
                profiles.resolve(one, folder)
        except ConfigError as error:
            broken, wrong = True, error
        row = {
            "event": "profile",
            "name": one,
            "error": wrong.message if wrong else "",
            "hint": wrong.hint if wrong else "",
        }
        line = f"{wrong.message}\n    {wrong.hint}" if wrong else f"{one}: ok"
        _print(wrapped(line, width()), row, as_json)
    if not (name or own):
        _print("no profiles of your own", {"event": "profile"}, as_json)
    return ConfigError.exit_code if broken else 0
