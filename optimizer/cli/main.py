"""The command table, loaded one command at a time, and the one error boundary."""

from __future__ import annotations

import difflib
import importlib
import os
import sys

import click

from optimizer.errors import InputError, OptimizerError

COMMANDS = {
    "run": ("optimizer.cli.run", "Answer a request or change the code (the default command)."),
    "context": ("optimizer.cli.context", "Show what would be sent for a request, and why."),
    "undo": ("optimizer.cli.undo", "Take back the last change, byte for byte."),
    "metrics": ("optimizer.cli.metrics", "Show requests, success and cost of a day."),
    "consent": ("optimizer.cli.consent", "Say which services may see this repository's code."),
}
INTERRUPTED = 130

EPILOG = """\b
Examples:
  optimize "where is parse_response"
  optimize "refactor parse_response"
  optimize context "why does login fail" --format md
  pytest 2>&1 | optimize "fix the failing test"
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    options_metavar="[OPTIONS]",
    subcommand_metavar='"REQUEST" | COMMAND [ARGS]...',
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="optimizer", message="%(prog)s %(version)s")
def optimize() -> None:
    """Find the code that matters, ask the cheapest model that can do the job, prove the answer, book every cent.

    Standing in a repository, type a request in quotes.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code of DESIGN's contract; errors are one line and a cure on stderr."""
    argv = sys.argv[1:] if arguments is None else arguments
    try:
        code = _dispatch(argv)
    except KeyboardInterrupt:
        _complain("interrupted; nothing is half-written", "")
        code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _dispatch(argv: list[str]) -> int:
    try:
        result = optimize.main(args=with_default(argv), prog_name="optimize", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except OptimizerError as error:
        _complain(error.message, error.hint)
        return error.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "optimize"
        _complain(error.format_message(), f"{command} --help")
        return InputError.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        _complain(
            f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), "check the disk and its permissions"
        )
        return 7
    except Exception as error:
        if os.environ.get("OPTIMIZER_DEBUG"):
            raise
        _complain(
            f"internal error: {type(error).__name__}: {error}",
            "this is a fault of optimizer; OPTIMIZER_DEBUG=1 shows where, please report it",
        )
        return OptimizerError.exit_code


def with_default(argv: list[str]) -> list[str]:
    """`argv` with `run` put before it when it does not begin with a command; raises InputError on a near miss."""
    if not argv or argv[0] in COMMANDS or argv[0] in ("-h", "--help", "--version"):
        return argv or ["--help"]
    first = argv[0]
    if not first.startswith("-") and " " not in first:
        near = difflib.get_close_matches(first, COMMANDS, n=1, cutoff=0.75)
        if near:
            raise InputError(
                f"no command is named {first!r}; did you mean {near[0]!r}?", f"as a request: optimize run {first}"
            )
    return ["run", *argv]


def _complain(message: str, hint: str) -> None:
    from optimizer.cli.terminal import inert

    click.echo(click.style("error: ", fg="red", bold=True) + inert(message), err=True)
    if hint:
        click.echo(click.style("try:   ", fg="cyan") + inert(hint), err=True)
