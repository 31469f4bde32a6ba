"""Show events as they come, as JSON lines or as text for people, and let a person answer the questions of a run."""

from __future__ import annotations

import sys
from typing import Protocol

import click

from optimizer.cli.context_table import print_files
from optimizer.cli.terminal import coloured, confirm, emit, failure, notice, width
from optimizer.events import (
    Answer,
    CallCostQuestion,
    Chosen,
    ConsentQuestion,
    Event,
    Judged,
    LandingQuestion,
    Notice,
    Proposed,
    Question,
    Recorded,
    RenameQuestion,
    Reviewed,
    Routed,
    Stepped,
    TextDelta,
    TrustQuestion,
)
from optimizer.report import wire
from optimizer.report.figures import dollars, money
from optimizer.report.layout import cut, inert, wrapped
from optimizer.report.outcome import ENDINGS, context_line, review_text, verdict_text
from optimizer.report.outcome import cut as cut_line
from optimizer.retrieval import Context
from optimizer.types import Outcome, Patch


class Screen(Protocol):
    """Where events go as they come, and the result at the end."""

    def event(self, event: Event) -> None: ...

    def result(self, outcome: Outcome, landed: str) -> None: ...


def screen(as_json: bool, dry_run: bool = False) -> Screen:
    """The screen for JSON lines or for a person."""
    return JsonLines() if as_json else Terminal(dry_run)


class JsonLines:
    """One JSON object a line on stdout."""

    def event(self, event: Event) -> None:
        record = wire.event(event)
        if record:
            emit(record)

    def result(self, outcome: Outcome, landed: str) -> None:
        emit(wire.result(outcome, landed))


class Terminal:
    """The answer on stdout, everything else on stderr."""

    def __init__(self, dry_run: bool = False) -> None:
        self._live = sys.stdout.isatty()
        self._dry_run = dry_run
        self._edits = False
        self._streamed = False
        self._line_open = False
        self._context: Context | None = None
        self._routed: Routed | None = None

    def event(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._text(text)
            case Chosen(context):
                self._context = context
                notice(context_line(context))
            case Routed(task, route):
                from optimizer.report import decision

                self._edits, self._routed = task.wants_edits, event
                notice(f"task: {decision.summary(task, route)}")
                if self._dry_run and route.attempts:
                    click.echo("\n".join(decision.attempts(route, width())))
            case Notice(text, _):
                self._close_line()
                notice(text)
            case Stepped(step, _, tool, arguments, result):
                self._close_line()
                notice(f"step {step}: {tool} {arguments} → {result}")
            case Proposed(patch):
                self._close_line()
                click.echo(diff_text(patch))
            case Judged(verdict):
                self._close_line()
                notice(verdict_text(verdict))
            case Reviewed():
                self._close_line()
                click.echo(wrapped(inert(review_text(event)), width(err=True)), err=True)
            case Recorded(record):
                self._close_line()
                if record.tier != "index":
                    usage = record.usage
                    if usage.prompt or usage.output or record.cost:
                        counts = f"{usage.prompt:,} tokens in, {usage.output:,} out"
                        notice(f"{record.model_asked}: {counts}, {money(record.cost)}")

    def result(self, outcome: Outcome, landed: str) -> None:
        self._close_line()
        if self._routed and not self._routed.route.attempts and self._hand_over(self._routed):
            return
        if outcome.text and not self._streamed and not (outcome.cut and self._edits):
            click.echo(inert(outcome.text.rstrip("\n")))
        if outcome.cut:
            notice(cut_line(outcome, self._edits))
        if landed:
            click.echo(wrapped(inert(landed), width(err=True)), err=True)
        hint = outcome.hint if outcome.exit_code else ""
        if landed or outcome.exit_code not in ENDINGS:
            failure("", hint)
        elif self._routed:  # a lookup without a result explains itself
            failure(ENDINGS[outcome.exit_code], hint)

    def _hand_over(self, routed: Routed) -> bool:
        """Without a model: the files that matter, prices for the request, and how to get a model."""
        found = self._context is not None and bool(self._context.items)
        if self._context and found:
            print_files(self._context)
        from optimizer.report import decision, reasons

        left_out = routed.route.left_out
        click.echo(decision.no_model(routed.quotes, left_out, found, width(err=True)), err=True)
        return any(map(reasons.hint, left_out))

    def _text(self, text: str) -> None:
        if self._edits or not self._live or not text:
            return
        if self._routed is None:  # lines of the index
            text = "".join(cut(line, width()) + "\n" for line in inert(text).splitlines())
        click.echo(inert(text), nl=False)
        self._streamed = True
        self._line_open = not text.endswith("\n")

    def _close_line(self) -> None:
        if self._line_open:
            click.echo()
            self._line_open = False


def diff_text(patch: Patch) -> str:
    """The patch as a diff, coloured on a terminal."""
    from optimizer.report.diff import unified

    text = inert(unified(patch)).rstrip("\n")
    if not coloured(sys.stdout):
        return text
    colours = {"+": "green", "-": "red", "@": "cyan"}
    lines = text.split("\n")
    return "\n".join(
        click.style(line, bold=True)
        if line.startswith(("+++", "---", "diff "))
        else click.style(line, fg=colours.get(line[:1]))
        for line in lines
    )


class Answers:
    """Answers to the questions of one run: `yes` to those about money, the others from the user at the terminal.

    Without a terminal, `asks` is False, and there is no answer.
    """

    def __init__(self, yes: bool, asks: bool) -> None:
        self.yes, self.asks = yes, asks
        self._spends = yes

    def __call__(self, question: Question) -> Answer:
        match question:
            case CallCostQuestion(model, cost):
                asked = f"One call of {model} may cost {dollars(cost)}. Make such calls in this run?"
                self._spends = self._spends or (self.asks and confirm(asked))
                return self._spends
            case _ if not self.asks:
                return None
            case ConsentQuestion(provider, host, repository):
                asked = f"Allow code of {repository} to be sent to {provider} at {host}?"
                return confirm(f"{asked}\nA yes is remembered for this repository.")
            case TrustQuestion(commands):
                from optimizer.cli import trust

                return trust.ask(commands)
            case RenameQuestion():
                from optimizer.report import outcome

                return confirm(outcome.unresolved(question))
            case LandingQuestion():
                from optimizer.report import outcome

                return confirm(outcome.question(question))
        return None
