"""Between blocks and messages: what a request adds to its conversation, and what later requests begin with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count, groupby
from typing import Any, NamedTuple

from optimizer.context.budget import count_tokens
from optimizer.session.blocks import Block, BlockKind
from optimizer.types import Message, Part, ToolCall, ToolResult

TAKEN = "taken; what became of the change is in the next request"


class Place(NamedTuple):
    """Where the next blocks of a conversation belong: their turn, the first free id, the number of their message."""

    turn: int
    id: int
    message: int


def after(blocks: Sequence[Block], turn: int, first: int = 1) -> Place:
    """The place after these blocks; ids below `first` were used by blocks that are gone."""
    if not blocks:
        return Place(turn, first, 1)
    last = blocks[-1]
    return Place(turn, max(first, last.id + 1), last.message + (not last.of_user))


def blocks_of(parts: tuple[Part, ...], messages: tuple[Message, ...], place: Place) -> tuple[Block, ...]:
    """The blocks of a request and all that was answered to it; `parts` make up the first message.

    What only the provider of the answers understands (signatures, thoughts) is left out: the next request may go to
    another. Calls without an id get one.
    """
    ids = count(place.id)
    found: list[Block] = []
    at = place.message
    for number, message in enumerate(_named(messages, place.turn)):
        at = place.message + number
        made = _of_request(message, parts if number == 0 else ()) if message.role == "user" else _of_answer(message)
        found += [_block(next(ids), place.turn, at, **fields) for fields in made]
    unanswered = [block for block in found if block.message == at and block.kind == "tool-use"]
    found += [
        _block(next(ids), place.turn, at + 1, kind="tool-result", text=TAKEN, tool=one.tool, call=one.call)
        for one in unanswered
    ]
    return tuple(found)


class Said(NamedTuple):
    """A block that is not part of an exchange with a model; `path` is the file that it changes."""

    kind: BlockKind
    text: str
    path: str = ""


def said(place: Place, *said: Said) -> tuple[Block, ...]:
    """Blocks of plain texts; an answer begins a message of its own."""
    found: list[Block] = []
    at = place.message
    for number, one in enumerate(said):
        at += bool(found) and found[-1].of_user != (one.kind != "assistant")
        found.append(_block(place.id + number, place.turn, at, **one._asdict()))
    return tuple(found)


def messages_of(blocks: Iterable[Block]) -> tuple[Message, ...]:
    """The messages that blocks make up, to the byte as they were sent and received."""
    return tuple(_message(list(group)) for _, group in groupby(blocks, key=lambda block: block.message))


def usable(message: Message) -> tuple[ToolCall, ...]:
    """The calls of an answer that can be sent back."""
    return tuple(call for call in message.calls if not call.malformed)


def _named(messages: tuple[Message, ...], turn: int) -> Iterator[Message]:
    """The messages, with an id for each call, and the same one for its result."""
    ids: dict[int, str] = {}
    made = count(1)
    for message in messages:
        for call in message.calls:
            ids[id(call)] = call.id or f"call_{turn}_{next(made)}"
        calls = tuple(replace(call, id=ids[id(call)]) for call in message.calls)
        results = tuple(
            one._replace(call=replace(one.call, id=ids.get(id(one.call), one.call.id))) for one in message.results
        )
        yield message._replace(calls=calls, results=results)


def _of_request(message: Message, parts: tuple[Part, ...]) -> Iterator[dict[str, Any]]:
    for one in message.results:
        call = one.call
        if not call.malformed:
            yield {"kind": "tool-result", "text": one.text, "tool": call.name, "call": call.id, "failed": one.failed}
    whole = "\n\n".join(part.text for part in parts)
    rest = message.text
    if parts and rest.startswith(whole):
        for part in parts:
            yield part._asdict()
        rest = rest[len(whole) :].removeprefix("\n\n")
    if rest:
        yield {"kind": "note", "text": rest}


def _of_answer(message: Message) -> Iterator[dict[str, Any]]:
    calls = usable(message)
    if message.text or not calls:
        yield {"kind": "assistant", "text": message.text}
    for call in calls:
        yield {
            "kind": "tool-use",
            "text": "",
            "tool": call.name,
            "call": call.id,
            "arguments": json.dumps(dict(call.arguments)),
            "path": str(call.arguments.get("path", "")),
        }


def _block(id: int, turn: int, message: int, **fields: Any) -> Block:
    tokens = count_tokens(fields["text"]) + count_tokens(fields.get("arguments", ""))
    return Block(id=id, turn=turn, message=message, tokens=tokens, **fields)


def _message(blocks: list[Block]) -> Message:
    if blocks[0].of_user:
        results = tuple(
            ToolResult(ToolCall(one.tool, {}, id=one.call), one.text, one.failed)
            for one in blocks
            if one.kind == "tool-result"
        )
        text = "\n\n".join(one.text for one in blocks if one.kind != "tool-result")
        return Message("user", text, results=results)
    calls = tuple(
        ToolCall(one.tool, json.loads(one.arguments), id=one.call) for one in blocks if one.kind == "tool-use"
    )
    return Message("assistant", "\n\n".join(one.text for one in blocks if one.kind == "assistant"), calls)
