"""A conversation as its log tells it: a fold over the entries, with nothing of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, NamedTuple

from optimizer.session.blocks import Block
from optimizer.session.messages import Place, Said, after, said
from optimizer.session.store import Entry, EntryKind, Log, Sessions

StagedKind = Literal["file", "symbol", "note", "output"]
Mode = Literal["ask", "accept-edits", "plan"]
"""What becomes of a proven change: the user is asked, it is written, or nothing is changed and a plan is made."""

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


@dataclass(frozen=True, slots=True)
class Conversation:
    """A session as it stands; `entry` is the number of its last entry, `next_id` the first id that no block had."""

    id: str
    repository: str
    entry: int = 0
    turns: tuple[Turn, ...] = ()
    blocks: tuple[Block, ...] = ()
    next_id: int = 1
    staged: tuple[Staged, ...] = ()
    preferences: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = "ask"
    damaged: int = 0

    @property
    def place(self) -> Place:
        """Where the blocks of the next turn belong."""
        return after(self.blocks, len(self.turns) + 1, self.next_id)

    @property
    def cost(self) -> int | None:
        """Micro-dollars of all turns; None where that of one is unknown."""
        costs = [turn.ended.cost for turn in self.turns if turn.ended]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    @property
    def tokens(self) -> int:
        """The tokens of its blocks."""
        return sum(block.tokens for block in self.blocks)


def told(log: Log) -> Conversation:
    """The conversation that a log holds."""
    conversation = Conversation(log.id, log.repository, damaged=log.damaged)
    for entry in log.entries:
        conversation = step(conversation, entry)
    return conversation


def add(store: Sessions, conversation: Conversation, kind: EntryKind, body: Mapping[str, Any]) -> Conversation:
    """Write an entry to the log; returns the conversation after it. Raises Conflict, StorageError as the store does."""
    number = store.append(conversation.id, conversation.entry, kind, body)
    return step(conversation, Entry(number, "", kind, body))


def step(conversation: Conversation, entry: Entry) -> Conversation:
    """The conversation after one more entry; one of a kind that is not known changes nothing."""
    known = _STEPS.get(entry.kind)
    after = known(conversation, entry.body) if known else conversation
    if entry.kind in ("asked", "turn") and after.turns:
        after = replace(after, turns=(*after.turns[:-1], after.turns[-1]._replace(entry=entry.number)))
    return replace(after, entry=entry.number)


def turn_body(blocks: tuple[Block, ...], ended: Ended) -> dict[str, Any]:
    """What an entry `turn` holds."""
    return {"blocks": [asdict(block) for block in blocks], "ended": ended._asdict()}


def _asked(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    """A request: until its turn is written, its words stand for it."""
    place = now.place
    text = str(body["text"])
    blocks = said(place, Said("user", f"Request: {text}"), Said("note", UNANSWERED))
    turn = Turn(place.turn, text, None, 0)
    return replace(now, turns=(*now.turns, turn), blocks=(*now.blocks, *blocks), next_id=place.id + len(blocks))


def _turned(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    """The whole turn takes the place of its words."""
    number = len(now.turns)
    blocks = tuple(Block(**{**one, "stands_for": tuple(one["stands_for"])}) for one in body["blocks"])
    ended = Ended(**{**body["ended"], "files": tuple(body["ended"]["files"])})
    before = tuple(block for block in now.blocks if block.turn != number)
    return replace(
        now,
        turns=(*now.turns[:-1], now.turns[-1]._replace(ended=ended)),
        blocks=(*before, *blocks),
        next_id=max(now.next_id, *(block.id + 1 for block in blocks)) if blocks else now.next_id,
    )


def _rewound(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    to = int(body["to"])
    return replace(now, turns=now.turns[:to], blocks=tuple(block for block in now.blocks if block.turn <= to))


def _staged(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    new = Staged(body["kind"], str(body["name"]), str(body.get("text", "")))
    others = tuple(one for one in now.staged if (one.kind, one.name) != (new.kind, new.name))
    return replace(now, staged=(*others, new))


def _unstaged(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    return replace(now, staged=tuple(one for one in now.staged if one.name != body["name"]))


def _pinned(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    chosen = set(body["blocks"])
    blocks = (replace(one, pinned=bool(body["on"])) if one.id in chosen else one for one in now.blocks)
    return replace(now, blocks=tuple(blocks))


def _set(now: Conversation, body: Mapping[str, Any]) -> Conversation:
    if "mode" in body:
        return replace(now, mode=body["mode"])
    kept = {**now.preferences, **{key: str(value) for key, value in body.items() if value is not None}}
    return replace(now, preferences={key: kept[key] for key in kept if body.get(key, "") is not None})


_STEPS: Mapping[str, Callable[[Conversation, Mapping[str, Any]], Conversation]] = {
    "asked": _asked,
    "turn": _turned,
    "rewound": _rewound,
    "staged": _staged,
    "unstaged": _unstaged,
    "pinned": _pinned,
    "set": _set,
}
