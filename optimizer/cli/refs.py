"""`optimize refs`: who uses a symbol."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli import answers, options


@click.command("refs")
@click.argument("symbol")
@click.option("--in", "within", default="", metavar="PATH", help="Look in this file or folder only.")
@options.project
@options.as_json
def command(symbol: str, within: str, **given: Any) -> int:
    """List the uses of SYMBOL: calls, imports and other mentions in code, by the name alone.

    Strings and comments are not searched. A name that is neither defined nor used ends with exit code 3.
    """
    return answers.ask("callers", symbol, within, given)
