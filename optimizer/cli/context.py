"""`optimize context`: what would be sent for a request, and why."""

from __future__ import annotations

import json
from typing import Any

import click

from optimizer.cli import options, terminal
from optimizer.cli.context_table import context_line, context_object, print_context
from optimizer.report.layout import inert
from optimizer.retrieval import Context, Query

FORMATS = ("table", "md", "xml")


@click.command("context")
@click.argument("request", nargs=-1, required=True)
@click.option("--top", default=20, show_default=True, type=click.IntRange(1), help="How many ranked files to list.")
@click.option("--max-tokens", type=click.IntRange(100), help="Room for code; default: what a first request leaves.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", help="A table, or text for pasting.")
@click.option("--copy", is_flag=True, help="Put the text on the clipboard (Markdown unless --format xml).")
@click.option("--explain", is_flag=True, help="Show every signal by which the files were ranked instead.")
@options.project
@options.as_json
def command(request: tuple[str, ...], max_tokens: int | None, form: str, **given: Any) -> int:
    """Show what would be sent for REQUEST, file by file, with the reason for each.

    Below a file stand the definitions that would be sent, with their lines (+3: and three further pieces), their tokens
    and why; signatures are counted in one line. Nothing is sent and no model is asked.
    """
    from optimizer.engine import prepare
    from optimizer.engine.request import first_budget

    query = Query(" ".join(request))
    with options.open_services(given["project"], {}, looks=True) as services:
        refreshed = prepare.refresh(services.workspace)
        if refreshed.notice:
            terminal.notice(refreshed.notice)
        if given["explain"]:
            from optimizer.cli.signals import print_signals

            print_signals(prepare.explain(query, services.workspace, given["top"]), given["as_json"])
            return 0
        room = max_tokens or first_budget(query, services.workspace)[1].code
        context = prepare.choose(query, services.workspace, room, given["top"])
    if given["as_json"]:
        click.echo(json.dumps(context_object(context), ensure_ascii=False))
    elif given["copy"]:
        _copy(_text(context, "md" if form == "table" else form), context)
    elif form == "table":
        print_context(context)
        click.echo(("\n" if context.items else "") + context_line(context))
    else:
        click.echo(inert(_text(context, form)))
    return 0


def _text(context: Context, form: str) -> str:
    from optimizer.context import render

    return render.as_xml(context) if form == "xml" else render.as_markdown(context)


def _copy(text: str, context: Context) -> None:
    from optimizer.cli.clipboard import put

    put(text)
    terminal.notice(f"copied; {context_line(context)}")
