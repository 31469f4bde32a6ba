"""Show events as they come, as JSON lines or as text for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import click

from optimizer.cli import output
from optimizer.cli.context_table import print_files
from optimizer.cli.live import Live, nothing
from optimizer.cli.spending import Bill, Call
from optimizer.cli.terminal import coloured, emit, failure, notice, warn, width
from optimizer.events import (
    Calling,
    Chosen,
    Event,
    Judged,
    LandingQuestion,
    Notice,
    NoticeKind,
    Proposed,
    Question,
    Recorded,
    Reviewed,
    Routed,
    Stepped,
    TextDelta,
    Unseen,
)
from optimizer.report import status, wire
from optimizer.report.figures import money
from optimizer.report.layout import cut, inert, wrapped
from optimizer.report.outcome import (
    ENDINGS,
    context_line,
    not_accepted,
    refused,
    review_text,
    verdict_line,
    verdict_text,
)
from optimizer.report.outcome import cut as cut_line
from optimizer.retrieval import Context
from optimizer.types import Outcome, Patch, Route, Task, Verdict

if TYPE_CHECKING:
    from optimizer.cli.markdown import Page


Detail = Literal["quiet", "terse", "verbose"]
# Notices that tell what goes on: on a terminal in the line that moves.
GOING_ON: frozenset[NoticeKind] = frozenset({"running", "summarising", "waiting", "waiting-for-memory"})
# Notices that change nothing about the answer, its price or its safety: shown with -v.
DETAILS: frozenset[NoticeKind] = frozenset(
    {
        "asking-again",
        "healthy-again",
        "higher-rate",
        "less-context",
        "no-opinion",
        "no-router",
        "no-tools",
        "project-notes",
        "read",
        "shorter-answer",
        "summary",
        "taking-over",
        "unloaded",
    }
)
DETAIL = get_args(Detail)  # from the least to the most
MOST_FILES = 3  # that are named where no model can be asked
STANDS_STILL = 2.0  # seconds without a piece of a text that is shown


def detail_of(given: Mapping[str, Any]) -> Detail:
    """How much the flags `--quiet` and `--verbose` let a terminal show."""
    return "quiet" if given["quiet"] else "verbose" if given["verbose"] else "terse"


class Screen(Protocol):
    """Where events go as they come, and the result at the end; `asking` is entered while a person is asked."""

    def event(self, event: Event) -> None: ...

    def asking(self, question: Question) -> AbstractContextManager[None]: ...

    def result(self, outcome: Outcome, landed: str) -> None: ...


class JsonLines:
    """One JSON object a line on stdout."""

    def event(self, event: Event) -> None:
        record = wire.event(event)
        if record:
            emit(record)

    def asking(self, question: Question) -> AbstractContextManager[None]:
        return nullcontext()

    def result(self, outcome: Outcome, landed: str) -> None:
        emit(wire.result(outcome, landed))


class Terminal:
    """The answer on stdout, everything else on stderr; how much of that, `detail` says."""

    def __init__(self, live: Live, detail: Detail = "terse", dry_run: bool = False) -> None:
        self._live, self._detail, self._dry_run = live, detail, dry_run
        self._shows = sys.stdout.isatty()
        self._page: Page | None = None
        self._call, self._bill = Call(), Bill()
        self._edits = self._streamed = self._open = self._gap = False
        self._context: Context | None = None
        self._routed: Routed | None = None
        live.show(partial(status.doing, "reading the index"))

    def event(self, event: Event) -> None:
        self._follow(event)
        if not isinstance(event, TextDelta | Unseen):
            self._end_page()
        match event:
            case TextDelta(text):
                self._text(text)
            case Chosen(context):
                self._context = context
                self._say(context_line(context))
            case Routed(task, route):
                self._edits, self._routed = task.wants_edits, event
                self._decided(task, route)
            case Notice(text, kind):
                if kind in GOING_ON:
                    self._say(text, "verbose" if self._live.mode == "moving" else "terse")
                elif self._open and kind in (
                    "asking-again",
                    "less-context",
                ):  # why an answer that is on the screen does not count
                    self._say(text)
                else:
                    self._say(text, "verbose" if kind in DETAILS else "terse")
            case Calling():
                self._not_accepted()
            case Stepped(step, _, tool, arguments, result):
                self._open = False
                self._say(f"step {step}: {tool} {arguments} → {result}", "verbose")
            case Proposed(patch):
                click.echo(diff_text(patch))
            case Judged(verdict):
                self._judged(verdict)
            case Reviewed():
                if self._detail != "quiet":
                    click.echo(wrapped(inert(review_text(event)), width(err=True)), err=True)
            case Recorded(record):
                usage = record.usage
                if record.tier != "index" and (usage.prompt or usage.output or record.cost):
                    counts = f"{usage.prompt:,} tokens in, {usage.output:,} out"
                    self._say(f"{record.model_asked}: {counts}, {money(record.cost)}", "verbose")

    @contextmanager
    def asking(self, question: Question) -> Iterator[None]:
        """Show what a person needs to know first, and nothing while they are asked."""
        self._end_page()
        if isinstance(question, LandingQuestion):
            self._say(self._bill.take())
        begun = monotonic()
        with self._live.paused():
            yield
        self._bill.begun += monotonic() - begun

    def result(self, outcome: Outcome, landed: str) -> None:
        self._live.clear()
        self._end_page()
        if self._routed and not self._routed.route.attempts and self._hand_over(self._routed):
            return
        accepted = not outcome.exit_code or outcome.cut in ("length", "late") or self._routed is None
        if accepted:
            self._open = False
        self._not_accepted()
        if outcome.text and not self._streamed and not (outcome.cut and self._edits):
            if accepted:
                self._answer(outcome.text.rstrip("\n"))
            else:
                self._say(refused(outcome.text, outcome.request, _kept()))
        if outcome.cut:
            self._say(cut_line(outcome, self._edits), "quiet")
        self._say(self._bill.take())
        self._ended(outcome, landed)

    # ── what goes on ─────────────────────────────────────────────────────────────────────────────

    def _follow(self, event: Event) -> None:
        """Keep the line that moves up to date."""
        if self._call.follows(event):
            self._live.show(self._going_on)
        match event:
            case Notice(text, kind) if kind in GOING_ON:
                self._live.show(partial(status.doing, text))
            case Chosen():
                self._live.show(partial(status.doing, "choosing a model"))
            case Recorded(record, left) if record.tier != "index":
                self._bill.add(record, left)
                self._live.show(partial(status.doing, "checking the answer"))

    def _going_on(self, seconds: float) -> str:
        """The line while a model is called; none while its text can be seen to grow."""
        if self._page and monotonic() - self._call.last < STANDS_STILL:
            return ""
        return self._call.words(seconds)

    # ── what is printed ──────────────────────────────────────────────────────────────────────────

    def _say(self, text: str, least: Detail = "terse") -> None:
        """A line for people, from so much detail on."""
        if text and DETAIL.index(self._detail) >= DETAIL.index(least):
            self._gap = False
            notice(text)

    def _decided(self, task: Task, route: Route) -> None:
        from optimizer.report import decision, reasons

        self._say(f"task: {decision.summary(task, route)}", "terse" if self._dry_run else "verbose")
        if route.attempts:
            first = route.attempts[0].model
            self._say(f"{first.id}: {reasons.licence(first)}", "verbose")
        if self._dry_run and route.attempts:
            click.echo("\n".join(decision.attempts(route, width())))

    def _judged(self, verdict: Verdict) -> None:
        if not verdict.ok:
            self._not_accepted()
        self._open = False
        if self._edits or self._routed is None or not verdict.ok:
            self._say(verdict_text(verdict) if self._detail == "verbose" else verdict_line(verdict))
        else:
            self._say(verdict_text(verdict), "verbose")

    def _not_accepted(self) -> None:
        """Mark the text of an answer that was shown and did not hold."""
        if self._open:
            self._open = self._gap = False
            warn(not_accepted())

    def _ended(self, outcome: Outcome, landed: str) -> None:
        if landed and (self._detail != "quiet" or outcome.exit_code):
            click.echo(wrapped(inert(landed), width(err=True)), err=True)
        hint = outcome.hint if outcome.exit_code else ""
        if landed or outcome.exit_code not in ENDINGS:
            failure("", hint)
        elif self._routed:  # a lookup without a result explains itself
            failure(ENDINGS[outcome.exit_code], hint)

    def _hand_over(self, routed: Routed) -> bool:
        """Without a model: the files that matter, prices for the request, and how to get a model."""
        found = self._context.query if self._context and self._context.items else ""
        if self._context and found:
            print_files(self._context, None if self._detail == "verbose" else MOST_FILES)
        from optimizer.report import decision, reasons

        left_out = routed.route.left_out
        click.echo(decision.no_model(routed.quotes, left_out, found, width(err=True)), err=True)
        return any(map(reasons.hint, left_out))

    def _text(self, text: str) -> None:
        """A piece of the answer; of a change it is explained at the end.

        In a pipe and with `--quiet` an answer is shown as a whole, once it holds.
        """
        held = self._detail == "quiet" and self._routed is not None
        if self._edits or held or not self._shows or not text:
            return
        self._streamed = True
        if self._routed is None:  # lines of the index
            click.echo("".join(cut(line, width()) + "\n" for line in inert(text).splitlines()), nl=False)
            return
        self._open = True
        if self._page is None:
            self._page = self._new_page()
            self._live.tail = self._page.tail
        click.echo(self._page.add(text), nl=False)

    def _answer(self, text: str) -> None:
        """An answer as a whole."""
        if self._shows and self._routed is not None:
            page = self._new_page()
            click.echo(page.add(text) + page.end(), nl=False)
        else:
            click.echo(inert(text))

    def _new_page(self) -> Page:
        """A page with an empty line above it."""
        from optimizer.cli.markdown import Page

        if not self._gap:
            click.echo()
        self._gap = True
        return Page()

    def _end_page(self) -> None:
        if self._page is not None:
            page, self._page = self._page, None
            self._live.tail = nothing
            click.echo(page.end(), nl=False)


def _kept() -> bool:
    """Whether the answers of models are kept."""
    streams = click.get_current_context().find_object(output.Streams)
    return bool(streams and streams.kept)


def diff_text(patch: Patch) -> str:
    """The patch as a diff, coloured on a terminal."""
    from optimizer.report.diff import shown

    text = shown(patch).rstrip("\n")
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
