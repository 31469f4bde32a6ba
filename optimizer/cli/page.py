"""The page of all commands, made from their own help texts; `python -m optimizer.cli.page` prints it."""

from __future__ import annotations

import click

from optimizer.cli.commands import COMMANDS
from optimizer.cli.main import optimize

INTRO = """# Commands

Made from the commands' own help texts with `python -m optimizer.cli.page > docs/reference/commands.md`.
"""


def commands_page() -> str:
    """Markdown with the help of every command and subcommand."""
    top = click.Context(optimize, info_name="optimize", terminal_width=100, help_option_names=["-h", "--help"])
    parts = [INTRO, _section(optimize, top)]
    for name in COMMANDS:
        command = optimize.get_command(top, name)
        if command is None:
            raise LookupError(name)
        context = click.Context(command, info_name=name, parent=top)
        parts.append(_section(command, context))
        if isinstance(command, click.Group):
            parts += [
                _section(inner, click.Context(inner, info_name=inner_name, parent=context))
                for inner_name, inner in command.commands.items()
                if not inner.hidden
            ]
    return "\n".join(parts)


def _section(command: click.Command, context: click.Context) -> str:
    return f"## `{context.command_path}`\n\n```\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    click.echo(commands_page(), nl=False)
