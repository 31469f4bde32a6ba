"""A conversation as its log tells it: a fold over the entries, with nothing of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from math import inf
from typing import Any, Literal, NamedTuple

from optimizer.errors import InputError
from optimizer.session.blocks import Block
from optimizer.session.levels import Levels, sent
from optimizer.session.messages import Place, Said, after, said
from optimizer.session.store import Entry, EntryKind, Log, Sessions

StagedKind = Literal["file", "symbol", "note", "output"]
Mode = Literal["ask", "accept-edits", "plan"]
"""What becomes of a proven change: the user is asked, it is written, or nothing is changed and a plan is made."""

TIME_TO_LIVE = 300  # seconds that a provider's cache keeps a conversation (Anthropic's default; others tell none)
LOST = "[these words are lost: the entry with them is damaged]"
UNANSWERED = "This request got no answer that could be used."


class Staged(NamedTuple):
    """What the user put on the table: a file or symbol by `name`, read again for each request, or a text as it is."""

    kind: StagedKind
    name: str
    text: str = ""


class Ended(NamedTuple):
    """How a turn ended; `cost` is micro-dollars, None where unknown, `entry` its place in the journal of edits."""

    request: str = ""
    tier: str = ""
    model: str = ""
    cost: int | None = 0
    exit_code: int = 0
    text: str = ""
    files: tuple[str, ...] = ()
    entry: str = ""


class Turn(NamedTuple):
    """A request and how it ended; None: it was broken off. `entry` is the number of its last entry in the log."""

    number: int
    text: str
    ended: Ended | None
    entry: int


@dataclass(frozen=True)
class Conversation:
    """A session as it stands; `entry` is the number of its last entry, `next_id` the first id that no block had.

    `leveled` are the levels that were set after each turn, `at` is when the last turn ended (UTC, ISO 8601),
    `spent` are the micro-dollars of all turns whose price is known, `unpriced`: that of one is not,
    `pauses` how many turns began when the provider's cache had expired,
    `digest` what its messages were recognised by then ('': something has changed them since).
    """

    id: str
    repository: str
    entry: int = 0
    turns: tuple[Turn, ...] = ()
    blocks: tuple[Block, ...] = ()
    next_id: int = 1
    staged: tuple[Staged, ...] = ()
    preferences: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = "ask"
    leveled: tuple[tuple[int, Levels], ...] = ()
    at: str = ""
    pauses: int = 0
    spent: int = 0
    unpriced: bool = False
    digest: str = ""
    damaged: int = 0

    @property
    def place(self) -> Place:
        """Where the blocks of the next turn belong."""
        return after(self.blocks, len(self.turns) + 1, self.next_id)

    @cached_property
    def levels(self) -> Levels:
        """The level of each block that is not sent whole."""
        return {id: level for _, levels in self.leveled for id, level in levels.items() if level != "whole"}

    @property
    def answered(self) -> int:
        """The number of the last message that a model has given: that and all before it were sent."""
        return next((block.message for block in reversed(self.blocks) if not block.of_user), 0)

    @cached_property
    def sent(self) -> tuple[Block, ...]:
        """The blocks as they are sent."""
        return sent(self.blocks, self.levels)

    @property
    def calls(self) -> int:
        """How many answers of models there were."""
        return len({block.message for block in self.blocks if not block.of_user})

    @property
    def cost(self) -> int | None:
        """Micro-dollars of all turns, also of those gone back behind; None where that of one is unknown."""
        return None if self.unpriced else self.spent

    @cached_property
    def tokens(self) -> int:
        """The tokens of its blocks as they are sent."""
        return sum(block.tokens for block in self.sent)


def told(log: Log) -> Conversation:
    """The conversation that a log holds; an entry that does not make sense is left out, and counts as damaged."""
    conversation = Conversation(log.id, log.repository, damaged=log.damaged)
    for entry in log.entries:
        try:
            conversation = step(conversation, entry)
        except (AttributeError, LookupError, TypeError, ValueError):
            conversation = replace(conversation, damaged=conversation.damaged + 1)
    return replace(conversation, entry=log.last)


def here(log: Log, repository: str) -> None:
    """Raise InputError for a session of another repository: what was shown in it may not be sent from here."""
    if log.repository != repository:
        raise InputError(f"session {log.id} belongs to {log.repository}", "go there, or begin one here: optimize chat")


def add(store: Sessions, conversation: Conversation, kind: EntryKind, body: Mapping[str, Any]) -> Conversation:
    """Write an entry to the log; returns the conversation after it. Raises Conflict, StorageError as the store does."""
    return step(conversation, store.append(conversation.id, conversation.entry, kind, body))


def step(conversation: Conversation, entry: Entry) -> Conversation:
    """The conversation after one more entry; one of a kind that is not known changes nothing."""
    known = _STEPS.get(entry.kind)
    after = known(conversation, entry.body) if known else conversation
    if entry.kind in ("asked", "turn") and after.turns:
        after = replace(after, turns=(*after.turns[:-1], after.turns[-1]._replace(entry=entry.number)))
    paused = entry.kind == "asked" and seconds_between(conversation.at, entry.at) >= TIME_TO_LIVE
    return replace(
        after,
        entry=entry.number,
        pauses=after.pauses + paused,
        at=entry.at if entry.kind == "turn" else after.at,
        digest="" if entry.kind in _CHANGES else after.digest,
    )


def seconds_between(before: str, after: str) -> float:
    """Seconds between two times in ISO 8601; infinite where one is not known."""
    if not (before and after):
        return inf
    return (datetime.fromisoformat(after) - datetime.fromisoformat(before)).total_seconds()


def turn_body(blocks: tuple[Block, ...], ended: Ended, digest: str = "") -> dict[str, Any]:
    """What an entry `turn` holds."""
    return {"blocks": [asdict(block) for block in blocks], "ended": ended._asdict(), "digest": digest}


def _asked(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    """A request: until its turn is written, its words stand for it."""
    place = now.place
    text = str(body["text"])
    blocks = said(place, Said("user", f"Request: {text}"), Said("note", UNANSWERED))
    turn = Turn(place.turn, text, None, 0)
    return replace(now, turns=(*now.turns, turn), blocks=(*now.blocks, *blocks), next_id=place.id + len(blocks))


def _turned(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    """The whole turn takes the place of its words; where these are lost, it stands alone."""
    if not now.turns or now.turns[-1].ended is not None:
        now = _asked(now, {"text": LOST})
    number = len(now.turns)
    blocks = tuple(Block(**{**one, "stands_for": tuple(one["stands_for"])}) for one in body["blocks"])
    ended = Ended(**{**body["ended"], "files": tuple(body["ended"]["files"])})
    before = tuple(block for block in now.blocks if block.turn != number)
    return replace(
        now,
        turns=(*now.turns[:-1], now.turns[-1]._replace(ended=ended)),
        blocks=(*before, *blocks),
        next_id=max(now.next_id, *(block.id + 1 for block in blocks)) if blocks else now.next_id,
        digest=body.get("digest", ""),
        spent=now.spent + (ended.cost or 0),
        unpriced=now.unpriced or ended.cost is None,
    )


def _rewound(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    to = int(body["to"])
    return replace(
        now,
        turns=now.turns[:to],
        blocks=tuple(block for block in now.blocks if block.turn <= to),
        leveled=tuple((turn, levels) for turn, levels in now.leveled if turn <= to),
    )


def _leveled(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    levels = {int(id): level for id, level in body["levels"].items()}
    return replace(now, leveled=(*now.leveled, (len(now.turns), levels)))


def _staged(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    new = Staged(body["kind"], str(body["name"]), str(body.get("text", "")))
    others = tuple(one for one in now.staged if (one.kind, one.name) != (new.kind, new.name))
    return replace(now, staged=(*others, new))


def _unstaged(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    return replace(now, staged=tuple(one for one in now.staged if one.name != body["name"]))


def _set(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    if "mode" in body:
        return replace(now, mode=body["mode"])
    kept = {**now.preferences, **{key: str(value) for key, value in body.items() if value is not None}}
    return replace(now, preferences={key: kept[key] for key in kept if body.get(key, "") is not None})


_CHANGES = frozenset({"asked", "rewound", "levels"})
"""Entries after which other messages may be sent."""

_STEPS: Mapping[str, Callable[[Conversation, Mapping[str, Any]], Conversation]] = {
    "asked": _asked,
    "turn": _turned,
    "rewound": _rewound,
    "staged": _staged,
    "unstaged": _unstaged,
    "set": _set,
    "levels": _leveled,
}
