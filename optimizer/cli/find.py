"""`optimize find`: where a symbol or a file is."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli import answers, options


@click.command("find")
@click.argument("symbol_or_file")
@click.option("--in", "within", default="", metavar="PATH", help="Look in this file or folder only.")
@options.project
@options.as_json
def command(symbol_or_file: str, within: str, **given: Any) -> int:
    """Say where SYMBOL_OR_FILE is: path:line, kind and signature of each definition.

    A symbol is a name (parse), a name with what it stands in (Parser.parse, parser::parse) or with its module. What is
    not found ends with exit code 3 and the nearest names. More than one word is taken as a request: optimize find bugs
    in the parser.
    """
    return answers.ask("where", symbol_or_file, within, given)
