"""From events to what a person or a program reads."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import click

from optimizer.cli.context_table import context_line, context_object, print_files
from optimizer.cli.notices import notice
from optimizer.cli.terminal import coloured, inert, paint, width, wrapped
from optimizer.errors import NoProvider, UnusableOutput
from optimizer.events import Booked, Chosen, Event, Judged, Notice, Proposed, Reviewed, Routed, Stepped, TextDelta
from optimizer.retrieval import Context
from optimizer.tiers import TIERS
from optimizer.types import Check, LeftOut, Outcome, Patch, Quote, Verdict

NAMES: dict[type[object], str] = {
    Chosen: "context",
    Routed: "route",
    Notice: "notice",
    TextDelta: "text",
    Stepped: "step",
    Proposed: "patch",
    Judged: "verdict",
    Reviewed: "review",
    Booked: "usage",
}


ENDINGS = {
    UnusableOutput.exit_code: "no answer could be used; nothing was changed",
    NoProvider.exit_code: "no model gave an answer; nothing was changed",
}
"""The last word on a request that came to nothing, by exit code, where no other was said."""


class Screen(Protocol):
    """Where events go as they come, and the result at the end."""

    def event(self, event: Event) -> None: ...

    def result(self, outcome: Outcome, landed: str) -> None: ...


def screen(as_json: bool) -> Screen:
    """The screen for JSON lines or for a person."""
    return JsonLines() if as_json else Terminal()


class JsonLines:
    """One JSON object a line on stdout."""

    def event(self, event: Event) -> None:
        if type(event) in NAMES:
            self._print({"event": NAMES[type(event)], **_payload(event)})

    def result(self, outcome: Outcome, landed: str) -> None:
        fields = plain(dataclasses.replace(outcome, patch=None))
        files = [change.path for change in outcome.patch.changes] if outcome.patch else []
        fields.pop("patch")
        self._print({"event": "result", **fields, "files": files, "landed": landed})

    def _print(self, record: dict[str, Any]) -> None:
        click.echo(json.dumps(record, ensure_ascii=False))


class Terminal:
    """The answer on stdout, everything else on stderr."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()
        self._edits = False
        self._streamed = False
        self._line_open = False
        self._context: Context | None = None
        self._handed_over = False

    def event(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._text(text)
            case Chosen(context):
                self._context = context
                notice(context_line(context))
            case Routed(task, route, quotes):
                self._edits = task.wants_edits
                notice(f"task: {route.reason}")
                if not route.attempts:
                    self._hand_over(quotes, route.left_out)
            case Notice(text):
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
            case Booked(record):
                self._close_line()
                if record.tier != "index":
                    from optimizer.routing.policy import money

                    usage = record.usage
                    if usage.prompt or usage.output or record.cost:
                        counts = f"{usage.prompt:,} tokens in, {usage.output:,} out"
                        notice(f"{record.model_asked}: {counts}, {money(record.cost)}")

    def result(self, outcome: Outcome, landed: str) -> None:
        self._close_line()
        if outcome.text and not self._streamed:
            click.echo(inert(outcome.text.rstrip("\n")))
        if landed:
            click.echo(wrapped(inert(landed), width(err=True)), err=True)
        elif outcome.exit_code in ENDINGS and not self._handed_over:
            click.echo(paint("error: ", err=True, fg="red", bold=True) + ENDINGS[outcome.exit_code], err=True)
        if outcome.exit_code and outcome.hint and not self._handed_over:
            click.echo(paint("try:   ", err=True, fg="cyan") + inert(outcome.hint), err=True)

    def _hand_over(self, quotes: tuple[Quote, ...], left_out: tuple[LeftOut, ...]) -> None:
        """Without a model: the files that matter, what the request would cost, and how to have a model."""
        found = self._context is not None and bool(self._context.items)
        if self._context and found:
            print_files(self._context)
        click.echo(no_model_text(quotes, left_out, found), err=True)
        self._handed_over = any(left.cure for left in left_out)

    def _text(self, text: str) -> None:
        if self._edits or not self._live or not text:
            return
        click.echo(inert(text), nl=False)
        self._streamed = True
        self._line_open = not text.endswith("\n")

    def _close_line(self) -> None:
        if self._line_open:
            click.echo()
            self._line_open = False


def verdict_text(verdict: Verdict) -> str:
    """The checks that passed in one line, and a line for each other one with its reason."""
    passed = ", ".join(check.name for check in verdict.checks if check.passed)
    others = [f"{check.name} {_how(check)}" for check in verdict.checks if not check.passed]
    first = f"checks: {passed} ok" if passed else "checks: none passed"
    return "\n".join([f"{first} · confidence {verdict.confidence:.2f}", *others])


def review_text(review: Reviewed) -> str:
    """Whose review it is and what it says, a line for each fault."""
    who = f"review by {review.model}{', which made the change itself' if review.own else ''}, advice only"
    if not review.findings:
        return f"{who}: it found nothing wrong"
    return "\n".join([f"{who}:", *(f"- {line}" for line in review.findings)])


def _how(check: Check) -> str:
    if check.passed is None and check.detail.startswith("not "):
        return check.detail
    mark = "not run" if check.passed is None else "failed"
    return f"{mark}: {check.detail}" if check.detail else mark


def diff_text(patch: Patch) -> str:
    """The patch as a diff, coloured where a person looks."""
    from optimizer.edits.diff import unified

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


def no_model_text(quotes: tuple[Quote, ...], left_out: tuple[LeftOut, ...], found: bool) -> str:
    """What the request would cost on each tier, and how to have a model, or to use what was `found` elsewhere."""
    from optimizer.routing.policy import money

    lines = ["", "No model could be asked. This request would cost:"]
    lines += [f"  {quote.tier:<8} {quote.model:<32} {money(quote.cost)}" for quote in quotes]
    ordered = sorted(left_out, key=lambda left: TIERS.index(left.tier))
    cures = list(dict.fromkeys((left.why, left.cure) for left in ordered if left.cure))
    width = max((len(cure) for _, cure in cures), default=0)
    lines += ["", "To have a model, do one of these:"] if cures else []
    lines += [f"  {cure:<{width}}  ({why})" for why, cure in cures]
    if found:
        lines += ["", 'To see this context, or copy it for use elsewhere: optimize context "…" [--copy]']
    return inert("\n".join(lines))


def plain(value: Any) -> Any:
    """A frozen value or named tuple as JSON knows it; bytes are left out."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items() if not isinstance(item, bytes)}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in (sorted(value) if isinstance(value, frozenset) else value)]
    if isinstance(value, date | Path):
        return str(value)
    return None if isinstance(value, bytes) else value


def _payload(event: Event) -> dict[str, Any]:
    if isinstance(event, Proposed):
        from optimizer.edits.diff import unified

        return {"files": [change.path for change in event.patch.changes], "diff": unified(event.patch)}
    if isinstance(event, Chosen):
        return context_object(event.context)
    if isinstance(event, Judged):
        return dict(plain(event.verdict))
    if isinstance(event, Booked):
        return dict(plain(event.record))
    return dict(plain(event))
