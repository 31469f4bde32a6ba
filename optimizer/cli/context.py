"""`optimize context`: what would be sent for a request, and why."""

from __future__ import annotations

import json
from typing import Any

import click

from optimizer.cli import options, show
from optimizer.cli.terminal import inert
from optimizer.types import Context, Query

FORMATS = ("table", "md", "xml")


@click.command("context")
@click.argument("request", nargs=-1, required=True)
@click.option("--top", default=20, show_default=True, type=click.IntRange(1), help="How many ranked files to list.")
@click.option("--max-tokens", type=click.IntRange(100), help="Room for code; default: what a first request leaves.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", help="A table, or text for pasting.")
@click.option("--copy", is_flag=True, help="Put the text on the clipboard (Markdown unless --format xml).")
@options.project
@options.as_json
def command(request: tuple[str, ...], max_tokens: int | None, form: str, **given: Any) -> int:
    """Show what would be sent for REQUEST, piece by piece, with the reason for each.

    Nothing is sent and no model is asked.
    """
    from optimizer.engine import prepare

    query = Query(" ".join(request))
    with options.open_parts(given["project"], {}) as parts:
        refreshed = prepare.refresh(parts)
        if refreshed.notice:
            show.notice(refreshed.notice)
        room = max_tokens or prepare.room_for_context(query, parts)[1]
        context = prepare.choose(query, parts, room, given["top"])
    if given["as_json"]:
        click.echo(json.dumps(show.context_object(context), ensure_ascii=False))
    elif given["copy"]:
        _copy(_text(context, "md" if form == "table" else form), context)
    else:
        click.echo(inert(_text(context, form)))
    return 0


def _text(context: Context, form: str) -> str:
    from optimizer.context import render

    if form == "md":
        return render.as_markdown(context)
    if form == "xml":
        return render.as_xml(context)
    return _table(context)


def _table(context: Context) -> str:
    if not context.items:
        return "Nothing in this repository resembles the request; no code would be sent."
    rows = [
        (f"{item.path}:{item.start}-{item.end}", item.symbol or f"({item.kind})", f"{item.tokens:,}", item.why)
        for item in context.items
    ]
    widths = [min(58, max(len(row[column]) for row in rows)) for column in range(3)]
    lines = [
        f"{place:<{widths[0]}}  {symbol:<{widths[1]}}  {tokens:>{widths[2]}}  {why}"
        for place, symbol, tokens, why in rows
    ]
    return "\n".join([*lines, "", show.context_line(context)])


def _copy(text: str, context: Context) -> None:
    from optimizer.cli.clipboard import put

    put(text)
    show.notice(f"copied; {show.context_line(context)}")
