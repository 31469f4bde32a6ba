"""`optimize context`: what would be sent for a request, and why."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import options
from optimizer.cli.context_table import print_context
from optimizer.cli.terminal import emit, notice, paint, width
from optimizer.errors import InputError
from optimizer.report import wire
from optimizer.report.layout import cells, inert
from optimizer.report.outcome import budget_line, context_line
from optimizer.retrieval import Context, Query

if TYPE_CHECKING:
    from optimizer.context.rank import ExplainedFile
    from optimizer.settings import Settings

FORMATS = ("table", "md", "xml")
CLIPBOARDS = (
    ("pbcopy",),
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("xsel", "--clipboard", "--input"),
    ("clip.exe",),
)
WIDE = 100  # columns of the signals where stdout is no terminal
BETWEEN = "   "


@click.command("context")
@click.argument("request", nargs=-1, required=True)
@click.option(
    "--top", metavar="N", default=20, show_default=True, type=click.IntRange(1), help="Number of ranked files to list."
)
@click.option(
    "--max-tokens", metavar="N", type=click.IntRange(100), help="Tokens of code; default: what a first request leaves."
)
@click.option("--format", "form", type=options.Choice(FORMATS), default="table", help="A table, or text for pasting.")
@click.option("--copy", is_flag=True, help="Copy the text to the clipboard (Markdown unless --format xml).")
@click.option("--explain", is_flag=True, help="Show the ranking signals of each file instead.")
@options.project
@options.as_json
def command(request: tuple[str, ...], max_tokens: int | None, form: str, **given: Any) -> int:
    """Show what would be sent for REQUEST, file by file, with the reasons.

    Below each file are the definitions that would be sent: their lines (+3: and three more pieces), tokens and reason;
    signatures are summed up in one line. Nothing is sent and no model is asked.
    """
    from optimizer.engine import prepare
    from optimizer.engine.prepare import first_budget

    query = Query(options.words(request))
    with options.open_refreshed(given["project"]) as services:
        if given["explain"]:
            _print_signals(prepare.explain(query, services.workspace, given["top"]), given["as_json"])
            return 0
        budget = None if max_tokens else first_budget(query, services.workspace)[1]
        space = budget.code if budget else max_tokens or 0
        context = prepare.choose(query, services.workspace, space, given["top"])
        settings, root = services.workspace.settings, services.workspace.root
        commits = services.workspace.index.history().cut_short()
    if given["as_json"]:
        split = {"budget": wire.plain(budget) | {"code": space}} if budget else {}
        emit(wire.context(context) | split)
    elif given["copy"]:
        _copy(_exported(context, "md" if form == "table" else form, settings), root)
        notice(f"copied; {context_line(context)}")
    elif form == "table":
        print_context(context)
        click.echo(("\n" if context.items else "") + context_line(context))
        if budget and context.items:
            click.echo(budget_line(budget.total, budget.parts()))
    else:
        click.echo(inert(_exported(context, form, settings)))
    if commits is not None:
        from optimizer.report.progress import few_commits

        notice(few_commits(commits))
    return 0


def _exported(context: Context, form: str, settings: Settings) -> str:
    """The context as a text without secrets. Raises SecretFound where the settings say so."""
    from optimizer.privacy.secrets import redact

    return redact.exported(_text(context, form), redact.handling(settings))


def _text(context: Context, form: str) -> str:
    from optimizer.context import render

    return render.as_xml(context) if form == "xml" else render.as_markdown(context)


def _copy(text: str, root: Path) -> None:
    """Copy `text` with whatever program the system has outside `root`; raises InputError when none works."""
    import subprocess

    from optimizer import programs

    env = programs.environment(os.environ)
    for program in CLIPBOARDS:
        found = programs.find(program[0], root, env)
        if found is None:
            continue
        words = [found, *program[1:]]
        done = subprocess.run(words, input=text.encode(), capture_output=True, check=False, timeout=10, env=env)
        if done.returncode == 0:
            return
    raise InputError(
        "no clipboard program works here (tried " + ", ".join(program[0] for program in CLIPBOARDS) + ")",
        "drop --copy and pipe the output, or install xclip or wl-clipboard",
    )


# ── signals ──────────────────────────────────────────────────────────────────────────────────────


def _print_signals(files: Sequence[ExplainedFile], as_json: bool) -> None:
    """Print the ranked files, best first, each with its strongest signals first."""
    from optimizer.context.weights import FILE_WEIGHTS

    if not files and not as_json:
        click.echo("nothing here matches the request")
    for place, file in enumerate(files, 1):
        if as_json:
            emit(wire.ranked(file))
            continue
        click.echo(f"{place:>3}. {paint(inert(file.path), fg='cyan')}  {file.score:.4f}")
        weighted = sorted(
            (name for name in FILE_WEIGHTS if file.columns.get(name)),
            key=lambda name: -FILE_WEIGHTS[name] * file.columns[name],
        )
        _print_cells([(name, file.columns[name]) for name in weighted])
        others = [(name, value) for name, value in file.columns.items() if value and name not in FILE_WEIGHTS]
        _print_cells(others, dim=True)


def _print_cells(values: Sequence[tuple[str, float]], dim: bool = False) -> None:
    """Print names and values in as many columns as fit, row by row."""
    named = [f"{name:<12} {value:>5.2f}" for name, value in values]
    each = max(map(cells, named), default=0) + len(BETWEEN)
    columns = max(1, ((width() or WIDE) - 5 + len(BETWEEN)) // each) if each else 1
    for row in _rows(named, columns):
        line = BETWEEN.join(f"{cell:<{each - len(BETWEEN)}}" for cell in row).rstrip()
        click.echo(f"     {paint(line, dim=True) if dim else line}")


def _rows(named: Sequence[str], columns: int) -> Iterable[Sequence[str]]:
    return (named[at : at + columns] for at in range(0, len(named), columns))
