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
from optimizer.cli.terminal import coloured, failure, notice, width
from optimizer.errors import BudgetReached, NoProvider, UnusableOutput
from optimizer.events import Booked, Chosen, Event, Judged, Notice, Proposed, Reviewed, Routed, Stepped, TextDelta
from optimizer.report import decision, reasons
from optimizer.report.layout import cut, inert, wrapped
from optimizer.retrieval import Context
from optimizer.types import Check, Outcome, Patch, Verdict

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
    BudgetReached.exit_code: "the caps on money leave no model to ask; nothing was changed",
}
"""The last word on a request that came to nothing, by exit code, where no other was said."""


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
                self._edits, self._routed = task.wants_edits, event
                notice(f"task: {decision.summary(task, route)}")
                if self._dry_run and route.attempts:
                    click.echo("\n".join(decision.attempts(route, width())))
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
                    from optimizer.report.money import money

                    usage = record.usage
                    if usage.prompt or usage.output or record.cost:
                        counts = f"{usage.prompt:,} tokens in, {usage.output:,} out"
                        notice(f"{record.model_asked}: {counts}, {money(record.cost)}")

    def result(self, outcome: Outcome, landed: str) -> None:
        self._close_line()
        if self._routed and not self._routed.route.attempts and self._hand_over(self._routed):
            return
        if outcome.text and not self._streamed:
            click.echo(inert(outcome.text.rstrip("\n")))
        if landed:
            click.echo(wrapped(inert(landed), width(err=True)), err=True)
        hint = outcome.hint if outcome.exit_code else ""
        if landed or outcome.exit_code not in ENDINGS:
            failure("", hint)
        elif self._routed:  # what the index does not hold, its answer says
            failure(ENDINGS[outcome.exit_code], hint)

    def _hand_over(self, routed: Routed) -> bool:
        """Without a model: the files that matter, what the request would cost, and how to have a model."""
        found = self._context is not None and bool(self._context.items)
        if self._context and found:
            print_files(self._context)
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
    if check.passed is None:
        return check.detail or "not run"
    return f"failed: {check.detail}" if check.detail else "failed"


def diff_text(patch: Patch) -> str:
    """The patch as a diff, coloured where a person looks."""
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


def route_object(routed: Routed) -> dict[str, Any]:
    """A decision as programs read it."""
    route = routed.route
    attempts = [
        {
            "model": plain(one.model),
            "reason": reasons.attempt(one),
            "estimate": one.estimate,
            "standby": one.standby,
        }
        for one in route.attempts
    ]
    left_out = [
        {
            "model": one.model,
            "provider": one.provider,
            "tier": one.tier,
            "why": reasons.why(one),
            "cure": reasons.hint(one),
        }
        for one in route.left_out
    ]
    decided = {"attempts": attempts, "reason": reasons.route(routed.task, route), "left_out": left_out}
    return {"task": plain(routed.task), "route": decided, "quotes": plain(routed.quotes)}


def _payload(event: Event) -> dict[str, Any]:
    if isinstance(event, Proposed):
        from optimizer.report.diff import unified

        return {"files": [change.path for change in event.patch.changes], "diff": unified(event.patch)}
    if isinstance(event, Chosen):
        return context_object(event.context)
    if isinstance(event, Routed):
        return route_object(event)
    if isinstance(event, Judged):
        return dict(plain(event.verdict))
    if isinstance(event, Booked):
        return dict(plain(event.record))
    return dict(plain(event))
