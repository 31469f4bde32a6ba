"""`optimize models pull`, `rm` and `status`: the models of an Ollama server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TextIO

import click

from optimizer.cli import options, terminal
from optimizer.errors import InputError, ModelMissing
from optimizer.humanize import duration, size
from optimizer.report import layout
from optimizer.report.layout import inert
from optimizer.vendors import OLLAMA, whole_name

if TYPE_CHECKING:
    from optimizer.providers.ollama import Running, Step
    from optimizer.wiring.models import Stock

SHOWN_EVERY = 0.2
BAR = 24
WIDE = 200  # columns where no terminal is


@click.command("pull")
@click.argument("name")
@options.project
@options.as_json
def pull(name: str, project: Path | None, as_json: bool) -> int:
    """Fetch the model NAME to the Ollama server.

    Ctrl-C stops it, and running it again resumes. Names are those of ollama.com/library; `optimize models recommend`
    says which fit this machine.
    """
    from optimizer.models.discovery import forget
    from optimizer.providers.ollama import open_shelf

    with options.open_stock(project) as stock:
        endpoint = stock.models.endpoints()[OLLAMA]
        try:
            with open_shelf(endpoint, stock.models.gate(), pulls=True) as shelf:
                _follow(shelf.pull(name), name, as_json)
        except ModelMissing as error:
            raise InputError(f"no model is named {name!r} in Ollama's library", near_name(name, stock)) from error
        except KeyboardInterrupt as error:
            raise KeyboardInterrupt(f"the pull of {name} was stopped; run it again to resume") from error
        finally:
            forget(endpoint, stock.config.places.state)
        if (stock.config.places.state / "standing.sqlite3").exists():
            stock.models.states().forget(f"{OLLAMA}/{name}")
    if not as_json:
        click.echo(inert(f"{name} is ready; ask only it here with: optimize models use {name}"))
    return 0


@click.command("rm")
@click.argument("name")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@options.project
@options.as_json
def remove(name: str, yes: bool, project: Path | None, as_json: bool) -> int:
    """Delete the model NAME from the Ollama server, after asking."""
    from optimizer.config.suggest import did_you_mean
    from optimizer.models.discovery import forget
    from optimizer.providers.ollama import open_shelf

    with options.open_stock(project) as stock:
        endpoint = stock.models.endpoints()[OLLAMA]
        with open_shelf(endpoint, stock.models.gate()) as shelf:
            held = {one.id: one for one in shelf.held()}
            found = held.get(name) or held.get(whole_name(name))
            if found is None:
                near = did_you_mean(name, list(held))
                raise InputError(f"Ollama holds no model {name!r}", near or "optimize models list")
            if not yes and not terminal.interactive():
                raise InputError(f"{found.id} is only deleted after a yes", f"optimize models rm {found.id} --yes")
            question = f"Delete {found.id} ({size(found.size)}) from {endpoint.host}?"
            if not yes and not terminal.confirm(question):
                return 0
            shelf.remove(found.id)
        forget(endpoint, stock.config.places.state)
    done = {"event": "removed", "model": found.id, "bytes": found.size}
    click.echo(json.dumps(done) if as_json else inert(f"{found.id} is deleted"))
    return 0


@click.command("status")
@options.project
@options.as_json
def status(project: Path | None, as_json: bool) -> int:
    """Show the models that are loaded.

    Their memory, the share of it on the graphics processor, the window in force, and until when they stay.
    """
    from optimizer.providers.ollama import open_shelf

    with options.open_stock(project) as stock:
        endpoint = stock.models.endpoints()[OLLAMA]
        with open_shelf(endpoint, stock.models.gate()) as shelf:
            loaded = shelf.running()
    for one in loaded:
        click.echo(json.dumps(_fields(one)) if as_json else inert(_line(one)))
    if not loaded and not as_json:
        click.echo(f"no model is loaded at {endpoint.host}")
    return 0


def near_name(name: str, stock: Stock) -> str:
    """The cure for a name that Ollama's library does not know."""
    from optimizer.config.suggest import did_you_mean

    near = did_you_mean(name, stock.models.catalogue().pullable)
    return near or "look it up at ollama.com/library, or: optimize models recommend"


def _fields(one: Running) -> dict[str, object]:
    return {
        "event": "loaded",
        "model": one.id,
        "bytes": one.size,
        "vram": one.vram,
        "window": one.window or None,
        "until": one.until or None,
    }


def _line(one: Running) -> str:
    share = f"{one.vram / one.size:.0%} on the graphics processor" if one.size else "size unknown"
    window = f"window {one.window:,}" if one.window else "window unknown"
    until = f", until {one.until[:19]}" if one.until else ""
    return f"{one.id}  {size(one.size)}, {share}, {window}{until}"


def _follow(steps: Iterator[Step], name: str, as_json: bool) -> None:
    """Show a pull as it goes; the iterator is closed whatever happens, so that the server stops too."""
    import sys

    progress = _Progress(sys.stderr, name)
    try:
        for step in steps:
            if as_json:
                fields = {"event": "pull", "model": name, "status": step.status}
                click.echo(json.dumps({**fields, "done": step.done, "total": step.total}))
            else:
                progress.show(step)
    finally:
        progress.end()
        close = getattr(steps, "close", None)
        if close:
            close()


class _Progress:
    """A line of progress with bytes and rate: rewritten on a terminal, one a quarter elsewhere."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self.stream, self.name = stream, inert(name)
        self.begun, self.first, self.shown = monotonic(), -1, 0.0
        self.said = ""
        self.live = stream.isatty()

    def show(self, step: Step) -> None:
        now = monotonic()
        self.first = step.done if self.first < 0 and step.total else self.first
        rate = (step.done - max(0, self.first)) / max(now - self.begun, 0.001)
        room = (terminal.width(err=True) or WIDE) - layout.cells(self.name) - len(": ") - 1 if self.live else WIDE
        line = bar(step, rate, room) if step.total else layout.cut(inert(step.status), room)
        mark = f"{step.status} {int(4 * step.done / step.total) if step.total else 0}"
        if self.live and (now - self.shown >= SHOWN_EVERY or step.done == step.total):
            self.stream.write(f"\r\033[K{self.name}: {line}")
            self.shown = now
        elif not self.live and mark != self.said:
            self.stream.write(f"{self.name}: {line}\n")
        self.said = mark
        self.stream.flush()

    def end(self) -> None:
        if self.live:
            self.stream.write("\r\033[K")
            self.stream.flush()


def bar(step: Step, rate: float, room: int = WIDE) -> str:
    """Bytes done of all, a bar as long as `room` columns let it be, and the rate with the time that is left."""
    share = min(1.0, step.done / step.total)
    left = f", {duration((step.total - step.done) / rate)} left" if rate > 0 and step.done < step.total else ""
    sizes = f"{size(step.done)} of {size(step.total)}"
    said = f"{share:>4.0%}  {sizes}, {size(rate)}/s{left}"
    wide = min(BAR, room - len(said) - 1)
    return f"{'█' * int(share * wide):<{wide}} {said}" if wide > 0 else layout.cut(said.lstrip(), max(room, 1))
