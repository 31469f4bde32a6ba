"""`optimize keys`: the keys of providers, where each comes from, and those that are stored."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from optimizer.cli import options
from optimizer.cli.commands import LONGEST_WORD
from optimizer.cli.terminal import emit, hidden, interactive, notice, width
from optimizer.errors import InputError, NoProvider, OptimizerError
from optimizer.report import wire
from optimizer.report.figures import count
from optimizer.report.layout import inert, table
from optimizer.vendors import VENDORS

if TYPE_CHECKING:
    from optimizer.privacy.keys.store import Place
    from optimizer.providers.endpoints import Endpoint
    from optimizer.wiring.models import Stock

LONGEST_KEY = 8_192
TEST_SECONDS = 15.0
PLACES = {"keyring": "system keyring", "file": "encrypted file"}


class KeyRow(NamedTuple):
    """A provider and its key: `source` is where it comes from, '' for none; `also` is where an unused one is stored."""

    provider: str
    last: str
    source: str
    at: str = ""
    also: str = ""
    page: str = ""


class _Group(options.Group):
    """Subcommands; what is no name of one may be a key, and is not repeated."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word in VENDORS or (word not in self.commands and len(word) > LONGEST_WORD):
            raise _argument(word if word in VENDORS else "PROVIDER")
        return super().resolve_command(ctx, args)


def _argument(provider: str = "PROVIDER") -> InputError:
    """The refusal of a key on the command line."""
    return InputError(
        "a key is never an argument: other programs can see it, and your shell remembers it",
        f"revoke that key, make a new one, and run: optimize keys set {provider}",
    )


@click.group("keys", cls=_Group, default="list")
def command() -> None:
    """Manage the keys of providers; without a subcommand, list them.

    A key is taken from the environment, else from the system's keyring, else from an encrypted file.
    """


@command.command("list")
@options.project
@options.as_json
def list_command(project: Path | None, as_json: bool) -> int:
    """List the providers with the last four letters of their keys.

    Each with where its key comes from.
    """
    with options.open_stock(project) as stock:
        rows = list(_rows(stock))
    if as_json:
        for row in rows:
            emit({"event": "key", **row._asdict()})
        return 0
    cells = [(one.provider, one.last or "none", _origin(one)) for one in rows]
    for line in table(cells, width(), ""):
        click.echo(inert(line))
    return 0


@command.command("set")
@click.argument("provider")
@click.argument("more", nargs=-1, metavar="", type=click.UNPROCESSED)
@click.option("--file", "in_file", is_flag=True, help="Store it in the encrypted file, not in the system's keyring.")
@options.project
@options.as_json
def set_command(provider: str, more: tuple[str, ...], in_file: bool, project: Path | None, as_json: bool) -> int:
    """Store the key of PROVIDER.

    The key is asked for, or read from standard input; it is never an argument. It goes into the system's keyring, where
    there is one, else into a file encrypted with a passphrase of yours.
    """
    if more:
        raise _argument(provider if provider in VENDORS else "PROVIDER")
    with options.open_stock(project) as stock:
        endpoint = _endpoint(stock, provider)
        key = _given(provider)
        place = _place(in_file)
        if place == "file":
            _ready_passphrase(stock)
        stored = stock.models.keys().put(provider, key, place)
    if as_json:
        emit({"event": "key", **wire.stored_key(stored)})
    else:
        click.echo(f"the key {inert(stored.last)} of {provider} is stored in the {PLACES[place]}")
    if endpoint.key:
        notice(f"{endpoint.key_variable} is set and comes first")
    return 0


@command.command("rm")
@click.argument("provider", required=False)
@click.option("--all", "everything", is_flag=True, help="Remove all stored keys.")
@options.project
@options.as_json
def remove_command(provider: str | None, everything: bool, project: Path | None, as_json: bool) -> int:
    """Remove the stored key of PROVIDER.

    It needs no passphrase. Keys in the environment stay.
    """
    if bool(provider) == everything:
        raise InputError("which key?", "optimize keys rm PROVIDER, or: optimize keys rm --all")
    with options.open_stock(project) as stock:
        keys = stock.models.keys()
        gone = keys.remove(provider or "")
        if provider and not gone:
            _endpoint(stock, provider)
    if as_json:
        for one in gone:
            emit({"event": "removed", **wire.stored_key(one)})
    else:
        click.echo(f"removed {count(len(gone), 'key')}" if gone else "no stored key to remove")
    return 0


@command.command("test")
@click.argument("provider", required=False)
@options.project
@options.as_json
def test_command(provider: str | None, project: Path | None, as_json: bool) -> int:
    """Test the key of PROVIDER, or all keys.

    Asks each provider for its list of models, which costs nothing and sends no code. The exit code is 6 where a key is
    not accepted.
    """
    with options.open_stock(project) as stock:
        endpoints = stock.models.endpoints()
        if provider:
            _endpoint(stock, provider)
        wanted = [one for name, one in endpoints.items() if (one.has_key or one.is_locked) and provider in (None, name)]
        if not wanted:
            raise InputError("there is no key to test", f"optimize keys set {provider or 'PROVIDER'}")
        results = [(one.provider, *_tested(stock, one)) for one in wanted]
    for name, models, error in results:
        if as_json:
            emit({"event": "key-test", "provider": name, "ok": not error, "models": models, **_failed(error)})
    if not as_json:
        cells = [(name, "failed" if error else "ok", _result(models, error)) for name, models, error in results]
        for line in table(cells, width(), ""):
            click.echo(inert(line))
    return NoProvider.exit_code if any(error for *_, error in results) else 0


# ── what they show ──────────────────────────────────────────────────────────────────────────────────


def _rows(stock: Stock) -> Iterator[KeyRow]:
    from optimizer.privacy.keys.store import last_letters, listed

    stored = {one.provider: one for one in listed(stock.config.places.state).keys}
    for name, one in stock.models.endpoints().items():
        kept = stored.get(name)
        if one.key:
            also = PLACES[kept.place] if kept else ""
            yield KeyRow(name, last_letters(one.key), _variable(one), also=also)
        elif kept:
            yield KeyRow(name, kept.last, PLACES[kept.place], kept.at)
        elif one.needs_key:
            yield KeyRow(name, "", "", page=one.vendor.key_page)


def _variable(endpoint: Endpoint) -> str:
    """The variable that holds the key of an endpoint."""
    if endpoint.wire:
        return endpoint.key_variable
    return next((name for name in endpoint.vendor.keys if os.environ.get(name, "").strip()), endpoint.key_variable)


def _origin(row: KeyRow) -> str:
    if not row.source:
        return f"optimize keys set {row.provider}"
    since = f", since {row.at[:10]}" if row.at else ""
    return f"{row.source}{since}" + (f" (the one in the {row.also} is not used)" if row.also else "")


def _endpoint(stock: Stock, provider: str) -> Endpoint:
    """The endpoint of a provider. Raises InputError, which does not repeat what may be a key."""
    endpoints = stock.models.endpoints()
    if provider not in endpoints and len(provider) > LONGEST_WORD:
        raise InputError("the name of a provider was expected", f"choose one of {', '.join(endpoints)}")
    from optimizer.cli.consent import known_provider

    endpoint = endpoints[known_provider(endpoints, provider)]
    if not endpoint.vendor.keys:
        raise InputError(
            f"{provider} takes no key", f"choose one of {', '.join(n for n in VENDORS if VENDORS[n].keys)}"
        )
    return endpoint


def _given(provider: str) -> str:
    """The key from a prompt, or from standard input. Raises InputError for what can be none."""
    from optimizer.config.load import is_sendable

    key = hidden(f"Key of {provider}") if interactive() else sys.stdin.read(LONGEST_KEY + 1)
    key = key.strip()
    if not key:
        raise InputError("no key was given", f"optimize keys set {provider} < FILE, or type it when you are asked")
    if len(key) > LONGEST_KEY or not is_sendable(key):
        raise InputError("this is no key: it holds a space, a control or a non-ASCII character", "paste the key alone")
    return key


def _place(in_file: bool) -> Place:
    from optimizer.privacy.keys.keyring import system_keyring

    if in_file:
        return "file"
    ring = system_keyring()
    if ring.missing:
        notice(f"{ring.missing}: the key goes into an encrypted file")
    return "file" if ring.missing else "keyring"


def _ready_passphrase(stock: Stock) -> None:
    """Ask for a new passphrase twice: one that was mistyped would open nothing."""
    from optimizer.privacy.keys.store import Passphrase, listed

    keys = stock.models.keys()
    if keys.passphrase and keys.passphrase.tries > 1 and listed(keys.state).lock is None:
        keys.passphrase = Passphrase(lambda _: hidden("A new passphrase for your stored keys", twice=True))


def _tested(stock: Stock, endpoint: Endpoint) -> tuple[int, OptimizerError | None]:
    """How many models a provider lists for this key, or the error instead."""
    from dataclasses import replace

    from optimizer.providers.base import open_provider

    gate = stock.models.gate()
    limits = replace(gate.limits, first=TEST_SECONDS, stall=TEST_SECONDS, answer=TEST_SECONDS)
    try:
        provider = open_provider(endpoint, replace(gate, limits=limits, errand=True))
        try:
            return len(provider.models()), None
        finally:
            provider.close()
    except OptimizerError as error:
        return 0, error


def _result(models: int, error: OptimizerError | None) -> str:
    return _in_line(error) if error else f"it lists {count(models, 'model')}"


def _in_line(error: OptimizerError) -> str:
    return f"{error.message}; try: {error.hint}" if error.hint else error.message


def _failed(error: OptimizerError | None) -> dict[str, str]:
    return {"error": error.message, "hint": error.hint} if error else {}
