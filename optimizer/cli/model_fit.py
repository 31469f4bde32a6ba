"""`optimize models recommend` and `test`: what fits this machine, and whether a model does what it should."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.cli import options, questions, terminal
from optimizer.cli.terminal import notice
from optimizer.report import layout
from optimizer.report.layout import inert, table
from optimizer.vendors import OLLAMA

if TYPE_CHECKING:
    from optimizer.calls.probe import Probe
    from optimizer.events import Flow
    from optimizer.models.machine import Machine
    from optimizer.models.recommend import Advice


@click.command("recommend")
@click.option(
    "--profile",
    type=click.Choice(["code", "general", "creative"]),
    default="code",
    show_default=True,
    help="What it should be good at.",
)
@click.option("--all", "everything", is_flag=True, help="Also those that do not fit.")
@options.project
@options.as_json
def recommend(profile: str, everything: bool, project: Path | None, as_json: bool) -> int:
    """Say which local models fit the memory of this machine.

    The best first, each with what it takes and why it fits.
    """
    from optimizer.models import machine, recommend
    from optimizer.models.discovery import last_known

    with options.open_stock(project) as stock:
        here = machine.look()
        known = last_known(stock.models.endpoints()[OLLAMA], stock.config.places.state)
        held = known.ids if known else ()
        found = recommend.recommend(stock.models.catalogue(), here, held, profile)
    shown = [one for one in found if one.fits or everything]
    if as_json:
        click.echo(json.dumps({"event": "machine", **asdict(here), "room": here.room}))
        for one in shown:
            fields = {"event": "advice", "model": one.id, "bytes": one.estimate.bytes, "fits": one.fits}
            click.echo(json.dumps({**fields, "installed": one.held, "strength": one.strength, "why": one.why}))
        return 0
    click.echo(inert("\n".join(_text(here, shown))))
    return 0


def _text(here: Machine, shown: list[Advice]) -> list[str]:
    from optimizer.models.memory import GIB, USUAL_WINDOW

    cards = f", {' and '.join(here.cards)} with {here.vram / GIB:.0f} GiB" if here.cards else ""
    shared = ", shared with the graphics processor" if here.shared else "" if here.cards else ", no graphics card found"
    lines = [
        f"This machine: {here.ram / GIB:.0f} GiB of memory{cards}{shared}; models may take {here.room / GIB:.1f} GiB"
    ]
    if not shown:
        return [*lines, "no model of the catalogue fits; a free cloud model costs nothing: optimize models list"]
    rows = [("model", "memory", "parameters", "")]
    for one in shown:
        mark = "installed, " if one.held else ""
        size = f"{one.estimate.bytes / GIB:>5.1f} GiB", f"{one.estimate.billions:>5g} billion"
        rows.append((one.id, *size, mark + (one.how if one.fits else "too large")))
    lines += ["", *table(rows, terminal.width()), ""]
    lines.append(
        layout.wrapped(
            f"Memory is an estimate: {_assumed(shown)}, a window of {USUAL_WINDOW:,} tokens.", terminal.width(), 0
        )
    )
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
@options.yes
@options.project
@options.as_json
def test(name: str, provider: str | None, yes: bool, project: Path | None, as_json: bool) -> int:
    """Ask the model NAME a few short things.

    They tell how soon it begins, how fast it writes, whether its window holds and whether it calls tools. Consent, caps
    and quotas hold as for any request. Nothing of the project is sent.
    """
    from optimizer.calls.probe import probe
    from optimizer.engine.decide import model_named
    from optimizer.events import Notice, answered

    answers = questions.Answers(yes, asks=terminal.interactive())
    with options.open_services(project, {"model": name, "provider": provider}) as services:
        model = model_named(name, services)
        result: Probe | None = None

        def tested() -> Flow[None]:
            nonlocal result
            result = yield from probe(model, services.calls, services.workspace.temperature)

        for event in answered(tested(), answers):
            if isinstance(event, Notice):
                notice(event.text)
    assert result is not None
    if as_json:
        click.echo(json.dumps({"event": "test", **asdict(result), "exit_code": result.exit_code}))
    else:
        click.echo(layout.wrapped(inert("\n".join(_probed(result))), terminal.width()))
    return result.exit_code


def _probed(probe: Probe) -> list[str]:
    """The result as a person reads it."""
    from optimizer.calls.probe import WINDOW
    from optimizer.report.money import dollars

    if probe.first is None and probe.failure:
        return [f"{probe.model}: {probe.failure}"]
    marks = {True: "ok", False: "failed", None: "not told" if probe.local else "not tried"}
    rate = "unknown" if probe.rate is None else f"{probe.rate:.1f} tokens a second"
    first = "unknown" if probe.first is None else f"{probe.first:.2f} s"
    return [
        f"{probe.model} ({'on this machine' if probe.local else 'cloud'})",
        f"  first word  {first}",
        f"  speed       {rate}",
        f"  window      {marks[probe.window]} ({WINDOW:,} tokens)",
        f"  tool call   {marks[probe.tools]}",
        f"  cost        {dollars(probe.cost)}, booked",
        *([f"  {probe.failure}"] if probe.failure else []),
    ]
