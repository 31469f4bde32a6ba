"""One turn of a conversation: the request of a run with what was said before, and what it leaves in the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optimizer.agent.serve import region
from optimizer.agent.talk import Talk
from optimizer.engine import run as engine
from optimizer.engine.options import Options
from optimizer.engine.prepare import refresh
from optimizer.events import Event, Exchanged, Finished, Flow, Question, TextDelta, UserAnswer
from optimizer.session import staging, upkeep
from optimizer.session.conversation import UNANSWERED, Conversation, Ended, add, step, turn_body
from optimizer.session.messages import Place, Said, after, blocks_of, messages_of, said
from optimizer.session.store import Entry

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.retrieval import Query
    from optimizer.session.blocks import Block
    from optimizer.session.store import Sessions
    from optimizer.types import Outcome, Patch

BROKEN_OFF = "The user broke this answer off."
DECLINED = "The user did not want this change: it was not written."
ONLY_SHOWN = "This change was shown to the user. It was not written."
WRITTEN = "This change was written."
PLAN = "Change nothing. Say which files and functions to change, how, and in which order, for this request: "


def take(
    store: Sessions, conversation: Conversation, query: Query, services: Services, options: Options
) -> Flow[Conversation]:
    """Serve `query` within a conversation; returns the conversation after it.

    Its words are in the log before a model is asked, its answer as soon as it is there. The events are those of a run.
    Raises what a run raises, Conflict when the session goes on elsewhere, StorageError.
    """
    if conversation.staged:  # what may not be read any more is not on the table
        refresh(services.workspace)
    found = upkeep.planned(conversation, services)
    yield from upkeep.notices(conversation, found)
    conversation = upkeep.compacted(store, conversation, found)
    place = conversation.place
    talk = _talk(conversation, services)
    asked = add(store, conversation, "asked", {"text": query.text})
    heard = _Heard()
    run = engine.run(_worded(query, conversation, talk), services, _options(conversation, options, talk))
    with closing(run):
        try:
            yield from _followed(run, heard)
        except BaseException:
            if heard.text:
                blocks = said(place, Said("user", f"Request: {query.text}"), Said("assistant", heard.text))
                blocks += said(after(blocks, place.turn), Said("note", BROKEN_OFF))
                _write(store, asked, blocks, Ended(text=heard.text))
            raise
    assert heard.outcome is not None
    blocks = _blocks(heard, heard.outcome, place, query, talk)
    return _write(store, asked, blocks, _ended(heard.outcome))


def _write(store: Sessions, asked: Conversation, blocks: tuple[Block, ...], ended: Ended) -> Conversation:
    """Write the turn to the log, with what its messages are recognised by."""
    then = step(asked, Entry(0, "", "turn", turn_body(blocks, ended)))
    return add(store, asked, "turn", turn_body(blocks, ended, upkeep.digest(then)))


@dataclass(slots=True)
class _Heard:
    """What came of a run so far."""

    text: str = ""
    exchanged: Exchanged | None = None
    outcome: Outcome | None = None

    def note(self, step: Event | Question) -> None:
        match step:
            case TextDelta(text):
                self.text += text
            case Exchanged():
                self.exchanged = step
            case Finished(outcome):
                self.outcome = outcome


def _followed(run: Flow[None], heard: _Heard) -> Flow[None]:
    """The events of a run, which `heard` notes."""
    sent: UserAnswer = None
    while True:
        try:
            step = run.send(sent)
        except StopIteration:
            return
        heard.note(step)
        sent = yield step


# ── what a run is given ──────────────────────────────────────────────────────────────────────────


def _talk(conversation: Conversation, services: Services) -> Talk:
    before = conversation.turns[-1].text if conversation.turns else ""
    items = staging.items(conversation.staged, services.workspace.index)
    return Talk(messages_of(conversation.sent), conversation.tokens, items, before)


def _worded(query: Query, conversation: Conversation, talk: Talk) -> Query:
    """The query with the staged texts that were not sent yet; in a plan, the words that ask for one."""
    extra = [text for text in staging.texts(conversation.staged) if not talk.holds(text)]
    text = PLAN + query.text if conversation.mode == "plan" else query.text
    return query._replace(text=text, extra="\n\n".join(filter(None, (*extra, query.extra))))


def _options(conversation: Conversation, options: Options, talk: Talk) -> Options:
    landing = options.landing
    if conversation.mode == "plan":
        landing = None
    elif conversation.mode == "accept-edits" and landing is not None:
        landing = replace(landing, yes=True)
    return replace(options, landing=landing, talk=talk)


# ── what a run leaves ────────────────────────────────────────────────────────────────────────────


def _blocks(heard: _Heard, outcome: Outcome, place: Place, query: Query, talk: Talk) -> tuple[Block, ...]:
    words = Said("user", f"Request: {query.text}")
    if heard.exchanged is not None and (not outcome.exit_code or outcome.cut):
        first, *others = heard.exchanged.messages
        blocks = blocks_of(heard.exchanged.parts, (talk.added(first), *others), place)
    elif outcome.tier == "index" and outcome.text:
        blocks = said(place, words, Said("assistant", outcome.text))
    else:
        return said(place, words, Said("note", UNANSWERED))
    if outcome.patch is None:
        return blocks
    return blocks + said(after(blocks, place.turn), *_became(outcome, outcome.patch))


def _became(outcome: Outcome, patch: Patch) -> Iterator[Said]:
    """What became of a change, for the models of later turns."""
    landed = outcome.landed
    if landed is None or landed.state == "unanswered":
        yield Said("note", ONLY_SHOWN)
    elif landed.state == "declined":
        yield Said("note", DECLINED)
    elif landed.state == "written":
        for change in patch.changes:
            yield Said("edit", f"{WRITTEN}\n{region(change.path, change.before, change.after)}", change.path)


def _ended(outcome: Outcome) -> Ended:
    written = outcome.landed is not None and outcome.landed.state == "written"
    return Ended(
        outcome.request,
        outcome.tier,
        outcome.model,
        outcome.cost,
        outcome.exit_code,
        outcome.text,
        tuple(change.path for change in outcome.patch.changes) if outcome.patch and written else (),
        outcome.landed.entry if outcome.landed and written else "",
    )
