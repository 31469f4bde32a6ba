"""The command table, loaded one command at a time, and the one error boundary."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import click

from optimizer.cli import ending, output
from optimizer.cli.commands import COMMANDS, takes
from optimizer.errors import InputError, OptimizerError, StorageError

PLAIN = {"a valid integer range": "a whole number", "a valid integer": "a whole number", "'%Y-%m-%d'": "YYYY-MM-DD"}
BROKEN_OFF = "interrupted; nothing is half-written"
MOST_WORDS_OF_A_TYPO = 3
LEAST_LIKENESS = 0.8
DETAILS = frozenset({"-q", "-v", "--quiet", "--verbose"})  # flags that may stand before a command

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
        row = COMMANDS[cmd_name]
        module, _, attribute = row.target.partition(":")
        command: click.Command = getattr(importlib.import_module(f"optimizer.cli.{module}"), attribute)
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in row.examples)
        if not row.quick:
            gc.enable()
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise ending.Interrupted(str(error)) from error
        except BrokenPipeError as error:  # a pipe of our own, to a child: click would exit with 1 and say nothing
            raise OSError(error.errno, "a program that was started ended too early") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, rows in groupby(COMMANDS.items(), key=lambda item: item[1].section):
            with formatter.section(title):
                formatter.write_dl([(name, row.summary) for name, row in rows])


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    options_metavar="[OPTIONS]",
    subcommand_metavar='"REQUEST" | COMMAND [ARGS]...',
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="optimizer", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, expose_value=False, help="Log decisions and calls to stderr.")
def optimize() -> None:
    """Find the code that matters, ask the cheapest model that can do the job, check the answer, record every cent.

    Run it inside a repository, with a request in quotes. Without one, at a terminal, it opens a conversation.
    """


class Failure(NamedTuple):
    """How a run failed: message, hint, exit code and the name of the error's class."""

    message: str
    hint: str
    code: int
    kind: str


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; a failure is a message and a hint on stderr."""
    argv = sys.argv[1:] if arguments is None else arguments
    streams = output.Streams()
    if arguments is None:
        ending.listen()
    gc.disable()
    if "--debug" in argv:
        argv = _with_debug_log(argv)
    try:
        result = _run(argv, streams)
    finally:
        gc.freeze()  # otherwise the end of the process collects garbage among all that was loaded
        gc.enable()
    if isinstance(result, Failure):
        _complain(result, "--json" in argv)
        streams.flush()
    ending.end(result.code if isinstance(result, Failure) else result)


def _lost(error: OSError, kept: str) -> Failure:
    """The failure to write the output of a command that did its work."""
    hint = f"the answer is kept: {kept}" if kept else "free some space, or write to another place, and run it again"
    message = f"the output could not be written: {error.strerror}"
    return Failure(message, hint, StorageError.exit_code, StorageError.__name__)


def _with_debug_log(argv: list[str]) -> list[str]:
    from optimizer.cli import debug

    argv, wanted = debug.taken_out(argv)
    if wanted:
        debug.start(os.environ)
    return argv


def _run(argv: list[str], streams: output.Streams) -> int | Failure:
    try:
        argv = with_default(argv)
        if argv == ["login"]:
            from optimizer.cli import terminal, words

            click.echo(words.keys(terminal.width()))
            return 0
        code = optimize.main(args=argv, prog_name="optimize", standalone_mode=False, obj=streams)
        lost = streams.flush()
        code = code if isinstance(code, int) else 0
        return _lost(lost, streams.kept) if lost and not code else code
    except OptimizerError as error:
        return Failure(error.message, error.hint, error.exit_code, type(error).__name__)
    except click.UsageError as error:
        return _misused(error, argv)
    except (KeyboardInterrupt, ending.Interrupted, click.Abort) as error:
        return Failure(str(error), "", ending.INTERRUPTED, "Interrupted")
    except OSError as error:
        what = f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
        return Failure(what, "check the disk and its permissions", StorageError.exit_code, StorageError.__name__)
    except Exception as error:
        if os.environ.get("OPTIMIZER_DEBUG"):
            raise
        import traceback

        from optimizer.debug import debug

        debug("cli", "%s", "".join(traceback.format_exception(error)))
        hint = "this is a bug in optimizer: please report it with the traceback that --debug shows"
        hint += f"; what a model answered is kept: {streams.kept}" if streams.kept else ""
        name = type(error).__name__
        return Failure(f"internal error: {name}: {error}", hint, OptimizerError.exit_code, name)


def _misused(error: click.UsageError, argv: Sequence[str]) -> Failure:
    """A command line that click cannot read, with what may have been meant."""
    message = error.format_message()
    near: Sequence[str] = getattr(error, "near", ())
    if isinstance(error, click.NoSuchOption):
        message, near = f"no such option: {error.option_name}", error.possibilities or ()
    for clicks, plain in PLAIN.items():
        message = message.replace(clicks, plain)
    command = error.ctx.command_path if error.ctx else " ".join(["optimize", *argv[:1]])
    hint = f"did you mean {' or '.join(near[:2])}?" if near else f"{command} --help"
    return Failure(" ".join(message.split()), hint, InputError.exit_code, InputError.__name__)


def with_default(argv: list[str]) -> list[str]:
    """`argv` with `run` before it if it is a request; raises InputError for a misspelt command.

    A request does not begin with a command, or has more words than that command takes: `find bugs in the parser`.
    """
    if not argv:
        from optimizer.cli import terminal

        return ["chat"] if terminal.interactive() and sys.stdout.isatty() else ["--help"]
    if argv[0] in ("-h", "--help", "--version"):
        return argv
    first = argv[0]
    if first in DETAILS and argv[1:2] and argv[1] in COMMANDS:
        return with_default([*argv[1:], first])
    words = next((number for number, word in enumerate(argv) if word.startswith("-")), len(argv))
    if first not in COMMANDS:
        from optimizer.cli import words as no_requests

        if (meant := no_requests.as_command(argv)) is not None:
            return meant
    if first in COMMANDS:
        return argv if takes(first, argv[1:words]) else ["run", *argv]
    if 0 < words <= MOST_WORDS_OF_A_TYPO and " " not in first:
        import difflib

        swapped = [first[:at] + first[at + 1] + first[at] + first[at + 2 :] for at in range(len(first) - 1)]
        near = [word for word in swapped if word in COMMANDS]
        near = near or difflib.get_close_matches(first, COMMANDS, n=1, cutoff=LEAST_LIKENESS)
        if near and takes(near[0], argv[1:words]):
            raise InputError(f"no command {first!r}; did you mean {near[0]!r}?", f"as a request: optimize run {first}")
    return ["run", *argv]


def _complain(failure: Failure, as_json: bool) -> None:
    from optimizer.cli import terminal
    from optimizer.report import wire

    if as_json:
        terminal.emit(wire.failure(failure.code, failure.kind, failure.message or BROKEN_OFF, failure.hint))
    if failure.code != ending.INTERRUPTED:
        terminal.failure(failure.message, failure.hint)
        return
    if sys.stderr.isatty() and not failure.message:
        click.echo(err=True)  # end the line with the ^C in it
    terminal.notice(failure.message or BROKEN_OFF)
