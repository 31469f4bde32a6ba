"""The command table, loaded one command at a time, and the one error boundary."""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from typing import Any, NamedTuple

import click

from optimizer.errors import InputError, OptimizerError, StorageError

COMMANDS = {
    "run": ("optimizer.cli.run", "Answer a request or change the code (the default command)."),
    "route": ("optimizer.cli.route", "Show which models would be asked for a request, and why."),
    "context": ("optimizer.cli.context", "Show what would be sent for a request, and why."),
    "find": ("optimizer.cli.find", "Say where a symbol or a file is."),
    "refs": ("optimizer.cli.refs", "List the uses of a symbol."),
    "deps": ("optimizer.cli.deps", "List what a file imports, or what imports it."),
    "map": ("optimizer.cli.map", "Outline the repository, most important files first."),
    "index": ("optimizer.cli.index", "Bring the index up to date, watch it, or show what it holds."),
    "bench": ("optimizer.cli.bench", "Measure the choice of context on this repository's own commits."),
    "verify": ("optimizer.cli.verify", "Prove the changes that are not committed yet."),
    "trust": ("optimizer.cli.trust", "Say which commands may be run to check changes."),
    "undo": ("optimizer.cli.undo", "Take back the last change, byte for byte."),
    "redo": ("optimizer.cli.redo", "Write again what was taken back."),
    "log": ("optimizer.cli.log", "List the changes that were written."),
    "show": ("optimizer.cli.change", "Show one of them as a diff."),
    "models": ("optimizer.cli.models", "List, fetch, test and choose models."),
    "profile": ("optimizer.cli.profile", "List, make and choose profiles."),
    "config": ("optimizer.cli.config", "Show the settings in force and where each comes from."),
    "budget": ("optimizer.cli.budget", "Show what today has cost, the caps, and what is left."),
    "metrics": ("optimizer.cli.metrics", "Show requests, success and cost of a day."),
    "consent": ("optimizer.cli.consent", "Say which services may see this repository's code."),
}
SECTIONS = {
    "Ask and change": ("run", "undo", "redo", "log", "show"),
    "Look, with no model": ("context", "find", "refs", "deps", "map", "index", "bench"),
    "Check": ("verify", "trust"),
    "Models and money": ("route", "models", "budget", "metrics"),
    "Settings and privacy": ("profile", "config", "consent"),
}
EXAMPLES = {
    "run": (
        'optimize "make parse_response skip empty parts"',
        'optimize "rename total to sum_of" --yes --commit',
        'optimize "why does this dialog look wrong" --image shot.png',
    ),
    "route": ('optimize route "refactor parse_response" --explain',),
    "context": ('optimize context "why does login fail"', 'optimize context "why does login fail" --copy'),
    "find": ("optimize find parse_response", "optimize find Parser.parse --in src"),
    "refs": ("optimize refs parse_response",),
    "deps": ("optimize deps src/parser.py", "optimize deps src/parser.py --reverse"),
    "map": ("optimize map", "optimize map src --tokens 500"),
    "index": ("optimize index --stats", "optimize index --watch"),
    "bench": ("optimize bench retrieval --commits 20",),
    "verify": ("optimize verify", "optimize verify --explain"),
    "trust": ("optimize trust list", "optimize trust grant tests"),
    "undo": ("optimize undo", "optimize undo 3", "optimize undo --merge"),
    "redo": ("optimize redo",),
    "log": ("optimize log --limit 5", "optimize log --transcript 3"),
    "show": ("optimize show", "optimize show 3"),
    "models": ("optimize models list", "optimize models pull qwen2.5-coder:7b"),
    "profile": ("optimize profile list",),
    "config": ("optimize config show",),
    "budget": ("optimize budget", "optimize budget set day 2"),
    "metrics": ("optimize metrics", "optimize metrics --date 2026-11-20"),
    "consent": ("optimize consent grant groq", "optimize consent log"),
}
# Commands that answer and end: looking for garbage takes a tenth of their time, and finds none.
SHORT = frozenset({"context", "find", "refs", "deps"})
INTERRUPTED = 130
PLAIN = {"a valid integer range": "a whole number", "a valid integer": "a whole number", "'%Y-%m-%d'": "YYYY-MM-DD"}
BROKEN_OFF = "interrupted; nothing is half-written"
# Commands whose names are also the first words of requests: how many words they take at most.
VERBS = {
    "find": 1,
    "map": 1,
    "index": 0,
    "bench": 1,
    "verify": 0,
    "budget": 3,
    "models": 2,
    "undo": 1,
    "redo": 1,
    "log": 0,
}
# Groups whose names begin requests too, with the commands in them: `profile the parser` is a request.
GROUPS = {
    "profile": {"list", "show", "use", "create", "copy", "delete", "export", "import", "validate"},
    "config": {"show", "path", "schema", "validate"},
}
MOST_WORDS_OF_A_TYPO = 3
LEAST_LIKENESS = 0.8

EPILOG = """\b
Examples:
  optimize "where is parse_response"
  optimize "refactor parse_response"
  optimize context "why does login fail" --format md
  pytest 2>&1 | optimize "fix the failing test"
"""


class Interrupted(Exception):
    """Ctrl-C while a command was at work; its text says what became of it, where that is known."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        if command.epilog is None and cmd_name in EXAMPLES:
            command.epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in EXAMPLES[cmd_name])
        if cmd_name not in SHORT:
            gc.enable()
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Interrupted(str(error)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, COMMANDS[name][1]) for name in names])


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    options_metavar="[OPTIONS]",
    subcommand_metavar='"REQUEST" | COMMAND [ARGS]...',
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="optimizer", message="%(prog)s %(version)s")
@click.option("-v", "--debug", is_flag=True, expose_value=False, help="Log decisions and calls to stderr.")
def optimize() -> None:
    """Find the code that matters, ask the cheapest model that can do the job, prove the answer, book every cent.

    Standing in a repository, type a request in quotes.
    """


class Failure(NamedTuple):
    """How a run went wrong: what happened, the cure, and the exit code."""

    message: str
    hint: str
    code: int


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with a code of its own kind; a failure is one line and a cure on stderr."""
    argv = sys.argv[1:] if arguments is None else arguments
    gc.disable()
    if "--debug" in argv or "-v" in argv:
        argv = _with_debug_log(argv)
    try:
        result = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        result = 0
    finally:
        gc.freeze()  # else the end of the process looks for garbage among all that was loaded
        gc.enable()
    if isinstance(result, Failure):
        _complain(result, "--json" in argv)
        sys.exit(result.code)
    sys.exit(result)


def _with_debug_log(argv: list[str]) -> list[str]:
    from optimizer.cli import debug

    argv, wanted = debug.taken_out(argv)
    if wanted:
        debug.start(os.environ)
    return argv


def _run(argv: list[str]) -> int | Failure:
    try:
        code = optimize.main(args=with_default(argv), prog_name="optimize", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except OptimizerError as error:
        return Failure(error.message, error.hint, error.exit_code)
    except click.UsageError as error:
        return _misused(error)
    except (KeyboardInterrupt, Interrupted, click.Abort) as error:
        return Failure(str(error), "", INTERRUPTED)
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
        return Failure(what, "check the disk and its permissions", StorageError.exit_code)
    except Exception as error:
        if os.environ.get("OPTIMIZER_DEBUG"):
            raise
        hint = "this is a fault of optimizer; OPTIMIZER_DEBUG=1 shows where, please report it"
        return Failure(f"internal error: {type(error).__name__}: {error}", hint, OptimizerError.exit_code)


def _misused(error: click.UsageError) -> int | Failure:
    """A command line that click cannot read, with what may have been meant."""
    message = error.format_message()
    if message.startswith("Usage: "):  # a group without a command: its help
        click.echo(message, err=True)
        return InputError.exit_code
    near: list[str] = []
    if isinstance(error, click.NoSuchOption):
        message, near = f"there is no option {error.option_name}", sorted(error.possibilities or (), key=len)
    elif isinstance(error, click.BadParameter) and error.param and isinstance(error.param.type, click.Choice):
        import difflib

        said = "".join(error.message.split("'")[1:2])
        near = difflib.get_close_matches(said, list(map(str, error.param.type.choices)), n=2)
    for stiff, plain in PLAIN.items():
        message = message.replace(stiff, plain)
    command = error.ctx.command_path if error.ctx else "optimize"
    hint = f"did you mean {' or '.join(near[:2])}?" if near else f"{command} --help"
    return Failure(" ".join(message.split()), hint, InputError.exit_code)


def with_default(argv: list[str]) -> list[str]:
    """`argv` with `run` put before it when it is a request; raises InputError on a near miss of a command.

    A request begins with no command, or goes on with more words than that command takes: `find bugs in the parser`.
    """
    if not argv or argv[0] in ("-h", "--help", "--version"):
        return argv or ["--help"]
    first = argv[0]
    words = next((number for number, word in enumerate(argv) if word.startswith("-")), len(argv))
    if first in COMMANDS:
        return argv if _fits(first, argv[1:words]) else ["run", *argv]
    if 0 < words <= MOST_WORDS_OF_A_TYPO and " " not in first:
        import difflib

        near = difflib.get_close_matches(first, COMMANDS, n=1, cutoff=LEAST_LIKENESS)
        if near and _fits(near[0], argv[1:words]):
            raise InputError(
                f"no command is named {first!r}; did you mean {near[0]!r}?", f"as a request: optimize run {first}"
            )
    return ["run", *argv]


def _fits(command: str, words: list[str]) -> bool:
    """Whether words are what a command takes; `show parse_reply` is a question, `show 3` is not."""
    if command == "show":
        return len(words) <= 1 and all(word.isdigit() for word in words)
    if command in GROUPS and len(words) > 1:
        return words[0] in GROUPS[command]
    return len(words) <= VERBS.get(command, len(words))


def _complain(failure: Failure, as_json: bool) -> None:
    from optimizer.cli import terminal

    if as_json:
        fields = {"exit_code": failure.code, "error": failure.message or BROKEN_OFF, "hint": failure.hint}
        click.echo(json.dumps({"event": "result", **fields}, ensure_ascii=False))
    if failure.code != INTERRUPTED:
        terminal.failure(failure.message, failure.hint)
        return
    if sys.stderr.isatty() and not failure.message:
        click.echo(err=True)  # the line of the question, of the answer or of the bar, with the ^C in it
    terminal.notice(failure.message or BROKEN_OFF)
