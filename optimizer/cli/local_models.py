"""`optimize models pull`, `rm`, `status`, `recommend` and `test`: the models of this machine's Ollama server."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TextIO

import click

from optimizer.cli import options
from optimizer.cli.answers import Answers
from optimizer.cli.live import Live
from optimizer.cli.spending import Call
from optimizer.cli.terminal import confirm, emit, interactive, moves, notice, width
from optimizer.errors import InputError, ModelMissing
from optimizer.report import wire
from optimizer.report.figures import duration, size
from optimizer.report.layout import cells, cut, inert, table, wrapped
from optimizer.vendors import OLLAMA, whole_name

if TYPE_CHECKING:
    from optimizer.calls.probe import Probe
    from optimizer.events import Flow
    from optimizer.models.machine import Advice, Machine
    from optimizer.providers.ollama import LoadedModel, PullStep
    from optimizer.wiring.models import Stock

SHOWN_EVERY = 0.2
BAR = 24
WIDE = 200  # columns where stderr is no terminal


@click.command("pull")
@click.argument("name")
@options.project
@options.as_json
def pull(name: str, project: Path | None, as_json: bool) -> int:
    """Pull the model NAME to the Ollama server.

    Ctrl-C stops it, and running it again resumes. Names are those of ollama.com/library; `optimize models recommend`
    lists those that fit this machine.
    """
    from optimizer.models.available import forget
    from optimizer.providers.ollama import open_shelf

    with options.open_stock(project) as stock:
        endpoint = stock.models.endpoints()[OLLAMA]
        try:
            with open_shelf(endpoint, stock.models.gate(), pulls=True) as shelf:
                _follow(shelf.pull(name), name, as_json)
        except ModelMissing as error:
            raise InputError(f"no model is named {name!r} in Ollama's library", _near_name(name, stock)) from error
        except KeyboardInterrupt as error:
            raise KeyboardInterrupt(f"the pull of {name} was stopped; run it again to resume") from error
        finally:
            forget(endpoint, stock.config.places.state)
        if (stock.config.places.state / "standing.sqlite3").exists():
            stock.models.states().forget(f"{OLLAMA}/{name}")
    if not as_json:
        click.echo(inert(f"{name} is ready; pin it with: optimize models pin {name}"))
    return 0


@click.command("rm")
@click.argument("name")
@click.option("--yes", "-y", is_flag=True, help="Delete without asking.")
@options.project
@options.as_json
def remove(name: str, yes: bool, project: Path | None, as_json: bool) -> int:
    """Delete the model NAME from the Ollama server, after asking."""
    from optimizer.config.suggest import did_you_mean
    from optimizer.models.available import forget
    from optimizer.providers.ollama import open_shelf

    with options.open_stock(project) as stock:
        endpoint = stock.models.endpoints()[OLLAMA]
        with open_shelf(endpoint, stock.models.gate()) as shelf:
            held = {one.id: one for one in shelf.held()}
            found = held.get(name) or held.get(whole_name(name))
            if found is None:
                near = did_you_mean(name, list(held))
                raise InputError(f"Ollama has no model {name!r}", near or "optimize models list")
            if not yes and not interactive():
                raise InputError(f"deleting {found.id} needs a yes", f"optimize models rm {found.id} --yes")
            question = f"Delete {found.id} ({size(found.size)}) from {endpoint.host}?"
            if not yes and not confirm(question):
                return 0
            shelf.remove(found.id)
        forget(endpoint, stock.config.places.state)
    if as_json:
        emit({"event": "removed", "model": found.id, "bytes": found.size})
    else:
        click.echo(inert(f"deleted {found.id}"))
    return 0


@click.command("status")
@options.project
@options.as_json
def status(project: Path | None, as_json: bool) -> int:
    """Show the models loaded in memory.

    Each with its memory, the share of it on the graphics processor, its window, and until when it stays loaded.
    """
    from optimizer.providers.ollama import open_shelf

    with options.open_stock(project) as stock:
        endpoint = stock.models.endpoints()[OLLAMA]
        with open_shelf(endpoint, stock.models.gate()) as shelf:
            loaded = shelf.running()
    for one in loaded:
        if as_json:
            emit(wire.loaded(one))
        else:
            click.echo(inert(_line(one)))
    if not loaded and not as_json:
        click.echo(f"no model is loaded at {endpoint.host}")
    return 0


def _near_name(name: str, stock: Stock) -> str:
    """The hint for a name that Ollama's library does not know."""
    from optimizer.config.suggest import did_you_mean

    near = did_you_mean(name, stock.models.catalogue().pullable)
    return near or "look it up at ollama.com/library, or: optimize models recommend"


def _line(one: LoadedModel) -> str:
    share = f"{one.vram / one.size:.0%} on the graphics processor" if one.size else "size unknown"
    window = f"window {one.window:,}" if one.window else "window unknown"
    until = f", until {one.until[:19]}" if one.until else ""
    return f"{one.id}  {size(one.size)}, {share}, {window}{until}"


def _follow(steps: Iterator[PullStep], name: str, as_json: bool) -> None:
    """Show a pull as it goes; the iterator is closed whatever happens, so that the server stops too."""

    progress = _Progress(sys.stderr, name)
    try:
        for step in steps:
            if as_json:
                emit({"event": "pull", "model": name, "status": step.status, "done": step.done, "total": step.total})
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
        self.mark = ""
        self.live = moves(stream)

    def show(self, step: PullStep) -> None:
        now = monotonic()
        self.first = step.done if self.first < 0 and step.total else self.first
        rate = (step.done - max(0, self.first)) / max(now - self.begun, 0.001)
        space = (width(err=True) or WIDE) - cells(self.name) - len(": ") - 1 if self.live else WIDE
        line = bar(step, rate, space) if step.total else cut(inert(step.status), space)
        mark = f"{step.status} {int(4 * step.done / step.total) if step.total else 0}"
        if self.live and (now - self.shown >= SHOWN_EVERY or step.done == step.total):
            self.stream.write(f"\r\033[K{self.name}: {line}")
            self.shown = now
        elif not self.live and mark != self.mark:
            self.stream.write(f"{self.name}: {line}\n")
        self.mark = mark
        self.stream.flush()

    def end(self) -> None:
        if self.live:
            self.stream.write("\r\033[K")
            self.stream.flush()


def bar(step: PullStep, rate: float, space: int = WIDE) -> str:
    """Bytes done of all, a bar as long as `space` columns let it be, and the rate with the time that is left."""
    share = min(1.0, step.done / step.total)
    left = f", {duration((step.total - step.done) / rate)} left" if rate > 0 and step.done < step.total else ""
    sizes = f"{size(step.done)} of {size(step.total)}"
    figures = f"{share:>4.0%}  {sizes}, {size(rate)}/s{left}"
    wide = min(BAR, space - len(figures) - 1)
    return f"{'█' * int(share * wide):<{wide}} {figures}" if wide > 0 else cut(figures.lstrip(), max(space, 1))


# ── what fits this machine, and what works ───────────────────────────────────────────────────────


@click.command("recommend")
@click.option(
    "--profile",
    type=options.Choice(["code", "general", "creative"]),
    default="code",
    show_default=True,
    help="What the model should be good at.",
)
@click.option("--all", "everything", is_flag=True, help="Include those that do not fit.")
@options.project
@options.as_json
def recommend(profile: str, everything: bool, project: Path | None, as_json: bool) -> int:
    """List the local models that fit the memory of this machine.

    The best first, each with the memory it takes and why it fits.
    """
    from optimizer.models import machine
    from optimizer.models.available import last_known

    with options.open_stock(project) as stock:
        here = machine.look(stock.root)
        known = last_known(stock.models.endpoints()[OLLAMA], stock.config.places.state)
        held = known.ids if known else ()
        found = machine.recommend(stock.models.catalogue(), here, held, profile)
        catalogue = stock.models.catalogue()
        licences = {one.id: catalogue.describe(one.id, OLLAMA).licence for one in found}
    shown = [one for one in found if one.fits or everything]
    if as_json:
        emit({"event": "machine", **asdict(here), "room": here.usable})
        for one in shown:
            emit(wire.advice(one))
        return 0
    click.echo(inert("\n".join(_advice_lines(here, shown, licences))))
    return 0


def _advice_lines(here: Machine, shown: list[Advice], licences: Mapping[str, str]) -> list[str]:
    from optimizer.models.memory import GIB, USUAL_WINDOW
    from optimizer.report.memory import HOW

    cards = f", {' and '.join(here.cards)} with {here.vram / GIB:.0f} GiB" if here.cards else ""
    shared = ", shared with the graphics processor" if here.shared else "" if here.cards else ", no graphics card found"
    free = f" ({here.free / GIB:.1f} free now)" if here.free else ""
    cores = f", {here.cores} cores" if here.cores else ""
    about = f"{here.ram / GIB:.0f} GiB of memory{free}{cores}{cards}{shared}"
    lines = [wrapped(f"This machine: {about}; models may take {here.usable / GIB:.1f} GiB", width())]
    if not shown:
        return [*lines, "no model of the catalogue fits; a free cloud model costs nothing: optimize models list"]
    rows = [("model", "memory", "parameters", "")]
    for one in shown:
        mark = "installed, " if one.held else ""
        size = f"{one.estimate.bytes / GIB:>5.1f} GiB", f"{one.estimate.billions:>5g} billion"
        rows.append((one.id, *size, f"{mark}{HOW[one.how]}; {licences[one.id]}"))
    lines += ["", *table(rows, width()), ""]
    lines.append(wrapped(f"Memory is an estimate: {_assumed(shown)}, a window of {USUAL_WINDOW:,} tokens.", width(), 0))
    best = next((one for one in shown if one.fits), None)
    if best and not best.held:
        lines.append(f"try: optimize models pull {best.id}")
    return lines


def _assumed(shown: list[Advice]) -> str:
    """The quantisations that the estimates are for."""
    found = dict.fromkeys(one.estimate.quantisation for one in shown if one.estimate.quantisation)
    return f"weights at {' or '.join(found)}"


@click.command("test")
@click.argument("name")
@click.option("--provider", metavar="NAME", help=options.PROVIDER_MEANT)
@click.option("--yes", "-y", is_flag=True, help="Make expensive calls without asking.")
@options.project
@options.as_json
def test(name: str, provider: str | None, yes: bool, project: Path | None, as_json: bool) -> int:
    """Test the model NAME with a few short prompts.

    Measures the time to the first word and the speed, and checks its window and tool calls. Consent, caps and quotas
    apply as for any request. Nothing of the project is sent.
    """
    from optimizer.calls.probe import probe
    from optimizer.engine.decide import model_named
    from optimizer.engine.run import answered
    from optimizer.events import Notice

    given: dict[str, object] = {"model": name, "provider": provider}
    with Live() as live, options.open_services(project, given, live=live) as services:
        answers, call = Answers(yes, interactive(), lambda _: live.paused()), Call()
        model = model_named(name, services)
        result: Probe | None = None

        def tested() -> Flow[None]:
            nonlocal result
            result = yield from probe(model, services.calls)

        for event in answered(tested(), answers):
            if isinstance(event, Notice):
                notice(event.text)
            elif call.follows(event):
                live.show(call.words)
    assert result is not None
    if as_json:
        emit({"event": "test", **asdict(result), "exit_code": result.exit_code})
    else:
        click.echo(wrapped(inert("\n".join(_probed(result))), width()))
    return result.exit_code


def _probed(probe: Probe) -> list[str]:
    """The result as people read it."""
    from optimizer.calls.probe import WINDOW
    from optimizer.report.figures import dollars

    if probe.first is None and probe.failure:
        return [f"{probe.model}: {probe.failure}"]
    marks = {True: "ok", False: "failed", None: "unknown" if probe.local else "not tested"}
    rate = "unknown" if probe.rate is None else f"{probe.rate:.1f} tokens a second"
    first = "unknown" if probe.first is None else f"{probe.first:.2f} s"
    return [
        f"{probe.model} ({'on this machine' if probe.local else 'cloud'})",
        f"  first word  {first}",
        f"  speed       {rate}",
        f"  window      {marks[probe.window]} ({WINDOW:,} tokens)",
        f"  tool call   {marks[probe.tools]}",
        f"  cost        {dollars(probe.cost)}, recorded",
        *([f"  {probe.failure}"] if probe.failure else []),
    ]


COMMANDS: Mapping[str, click.Command] = {one.name or "": one for one in (pull, remove, status, recommend, test)}
