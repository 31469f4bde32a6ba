"""The conversation at a terminal: lines in, turns and commands out, until it is left."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from optimizer.cli import ending, show, terminal
from optimizer.cli.answers import Answers
from optimizer.cli.live import Live
from optimizer.cli.slash import SLASHES, serve
from optimizer.cli.typed import EditedLines, Lines, PlainLines, completions
from optimizer.errors import OptimizerError, SecretFound
from optimizer.events import Event, Finished, Recorded
from optimizer.report import talk as report
from optimizer.retrieval import Query

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.images import Image
    from optimizer.session.conversation import Conversation
    from optimizer.session.store import Sessions


class Talking:
    """A conversation that is going on; `conversation`, `services` and `images` are those of the next turn."""

    def __init__(
        self, store: Sessions, conversation: Conversation, services: Services, live: Live, given: Mapping[str, Any]
    ) -> None:
        self.store, self.conversation, self.services = store, conversation, services
        self.images: tuple[Image, ...] = ()
        self.over = False
        self._live, self._given = live, given
        self._model, self._local = "", False
        self._left: int | None = None

    def run(self) -> int:
        """Take turns until the person leaves; returns the exit code."""
        now = self.conversation
        terminal.notice(report.opened(now.id, len(now.turns), now.tokens, now.damaged))
        lines, stopping = self._lines(), False
        while not self.over:
            try:
                with self._live.paused():
                    line = lines.read().strip()
                stopping = False
                if line:
                    self._serve(line)
            except EOFError:
                break
            except (KeyboardInterrupt, ending.Interrupted, click.Abort):
                if stopping or ending.asked():
                    break
                stopping = True
                terminal.notice(report.stopped(self.conversation.id))
        now = self.conversation
        terminal.notice(report.left(now.id, len(now.turns), now.cost))
        return 0

    def take(self, text: str, writes: bool = True) -> None:
        """One turn; after an error, which the caller shows, the conversation is as the log has it."""
        try:
            self._turn(text, writes)
        except BaseException:
            self._again()
            raise
        finally:
            self._live.clear()

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    def _serve(self, line: str) -> None:
        """Do what a line says; an error of that is shown, and ends nothing."""
        try:
            if line.startswith("/"):
                serve(self, line)
            else:
                self.take(line)
        except OptimizerError as error:
            terminal.failure(error.message, error.hint)
            if isinstance(error, SecretFound) and self.conversation.turns:
                terminal.notice(report.holds_secret(len(self.conversation.turns) - 1))
        except OSError as error:
            what = f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
            terminal.failure(what, "check the path, the disk and its permissions")

    def _turn(self, text: str, writes: bool) -> None:
        from optimizer.engine.landing import LandingOptions
        from optimizer.engine.options import Options
        from optimizer.engine.run import answered
        from optimizer.report.outcome import landed
        from optimizer.session.turn import take

        query, self.images = Query(text, "", self.images), ()
        self.services = self.services.for_next(self._flags(), query)
        screen = show.Terminal(self._live, show.detail_of(self._given))
        answers = Answers(self._given["yes"], True, screen.asking)
        wanted = Options(landing=LandingOptions(answers.yes) if writes else None)
        flow = take(self.store, self.conversation, query, self.services, wanted)
        for event in self._kept(answered(flow, answers)):
            if isinstance(event, Finished):
                screen.result(event.outcome, landed(event.outcome))
            else:
                self._note(event)
                screen.event(event)

    def _flags(self) -> dict[str, object]:
        """What the command line and the session want of models; None takes back what an earlier turn was given."""
        return {"model": self._given["model"], "profile": self._given["profile"], **self.conversation.preferences}

    def _kept(self, run: Generator[Event, None, Conversation]) -> Generator[Event, None, None]:
        self.conversation = yield from run

    def _note(self, event: Event) -> None:
        if isinstance(event, Recorded) and event.record.tier != "index":
            model = event.record.model_asked
            if self._model and model != self._model:
                terminal.notice(report.handoff(self._model, model))
            self._model, self._local, self._left = model, event.record.tier == "local", event.left

    def _again(self) -> None:
        """The conversation as the log has it."""
        from optimizer.session.conversation import told

        self.conversation = told(self.store.load(self.conversation.id))

    def _lines(self) -> Lines:
        if self._given["plain"] or not terminal.moves(sys.stderr):
            return PlainLines(self._status)
        return EditedLines(self.services.workspace.places.state / "chat-history", self._words, self._status)

    def _words(self, line: str) -> Iterable[str]:
        """What may follow in a line."""
        begun = line.split()[-1] if line.split() and not line.endswith(" ") else ""
        if line.startswith("/") and " " not in line:
            return completions([f"/{name}" for name in SLASHES], begun)
        index = self.services.workspace.index
        paths = completions(index.paths(), begun.removeprefix("@"))
        return paths if "/" in begun or "." in begun else (*paths, *completions(index.all_names(), begun))

    def _status(self) -> str:
        from optimizer.ledger.store import day_bounds

        today = self.services.calls.ledger().total(*day_bounds(date.today()))[0]
        now = self.conversation
        return report.status(report.Standing(self._model, self._local, now.tokens, now.mode, today, self._left))
