"""How much of each block is sent: levels beside the blocks, which stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from optimizer.context.budget import count_tokens
from optimizer.session.blocks import Block, BlockKind, Level
from optimizer.session.trim import folded, names_in, shortened, stub, trimmed, with_names

Levels = Mapping[int, Level]
"""The level of each block, by its id; those that are missing are sent whole."""

LEAST = 40  # tokens of a block from which it is worth to send less of it


def can_shrink(block: Block) -> bool:
    """Whether less of a block may be sent: never of the user's own words, what is pinned, notes of the project."""
    kept = block.pinned or block.kind in ("user", "summary") or (block.kind == "note" and bool(block.path))
    return not kept and (block.tokens >= LEAST or block.kind in ("tool-use", "tool-result"))


def sent(blocks: Sequence[Block], levels: Levels) -> tuple[Block, ...]:
    """The blocks as they are sent.

    What an earlier block shows, which is sent whole, is not sent twice. A summary takes the place of the first block it
    stands for, when all that may shrink of them are summarised. Roles alternate, and each call keeps its result.
    """
    kept = {block.id: block for block, _ in at_levels(blocks, levels)}
    kept |= _summaries(blocks, levels, kept)
    said = (block for block in blocks if block.kind != "summary")
    messages = [list(group) for _, group in groupby(said, key=lambda block: block.message)]
    left = [[kept[one.id] for one in message if one.id in kept] for message in messages]
    _keep_pairs(messages, left)
    found: list[Block] = []
    at = 0
    while at < len(messages):
        if not left[at] and at + 1 < len(messages) and not left[at + 1]:
            at += 2  # a request and its answer, or a call and its result, go together
            continue
        found += left[at] or [_standing(messages[at])]
        at += 1
    return tuple(found)


def level_of(block: Block, levels: Levels) -> Level:
    """The level at which a block is sent."""
    return levels.get(block.id, "whole") if can_shrink(block) else "whole"


def shrunk(block: Block, level: Level) -> Block | None:
    """A block at a level by itself; None where it is not sent at all."""
    if level == "whole":
        return block
    if level == "trimmed":
        if block.kind == "tool-use":
            return _counted(block, block.text, shortened(block.arguments))
        return _counted(block, trimmed(block.kind, block.text), block.arguments)
    if block.kind in ("assistant", "tool-use", "tool-result"):
        return None
    return _counted(block, stub(block), block.arguments)


def shown_path(block: Block) -> str:
    """The file that a block shows, as a read of it or as the result of a call that read it; '' for none."""
    if block.kind == "file-read" and block.path:
        return block.path
    if block.kind in ("file-read", "tool-result") and block.text.startswith("## "):
        return block.text[3:].partition("\n")[0].partition(" (")[0].removesuffix(" now")
    return ""


def at_levels(blocks: Sequence[Block], levels: Levels) -> Iterator[tuple[Block, int]]:
    """The blocks at their levels, each by itself, without those that are not sent at all.

    Reads of a file and outputs of a tool leave out what an earlier one shows, the id of which follows (0: none). A
    trimmed read names what its dropped lines name and no earlier block does.
    """
    whole: dict[str, Block] = {}
    named: set[str] = set()
    for block in blocks:
        base = 0
        one = shrunk(block, level_of(block, levels))
        key = shown_path(block) or (f"\n{block.tool}" if block.kind == "tool-result" else "")
        if one is block and key and block.tokens >= LEAST:
            before = whole.get(key)
            short = folded(block.text, before.text) if before is not None and can_shrink(block) else ""
            if short and before is not None:
                one, base = _counted(block, short, block.arguments), before.id
            else:
                whole[key] = block
        if one is not None:
            if one is not block and shown_path(block) and level_of(block, levels) == "trimmed":
                one = _counted(block, with_names(one.text, block.text, named), block.arguments)
            named |= names_in(one.text) | names_in(one.arguments)
            yield one, base


def _summaries(blocks: Sequence[Block], levels: Levels, kept: dict[int, Block]) -> dict[int, Block]:
    """The summaries at the places of the blocks that they stand for; of these, `kept` loses the others."""
    by_id = {block.id: block for block in blocks}
    placed: dict[int, Block] = {}
    for summary in blocks:
        if summary.kind != "summary":
            continue
        kept.pop(summary.id, None)
        stood = [by_id[id] for id in summary.stands_for if id in by_id and can_shrink(by_id[id])]
        if not stood or any(levels.get(one.id) != "summarised" for one in stood):
            continue
        for one in stood:
            kept.pop(one.id, None)
        first = next((one for one in stood if one.of_user), stood[0])
        kind: BlockKind = "summary" if first.of_user else "assistant"
        placed[first.id] = replace(summary, message=first.message, kind=kind)
    return placed


def _keep_pairs(messages: list[list[Block]], left: list[list[Block]]) -> None:
    """Give each call that is sent its result, and each result its call."""
    calls = {one.call: at for at, message in enumerate(messages) for one in message if one.kind == "tool-use"}
    results = {
        one.call: (at, one) for at, message in enumerate(messages) for one in message if one.kind == "tool-result"
    }
    sent_calls = {one.call for message in left for one in message if one.kind == "tool-use"}
    sent_results = {one.call for message in left for one in message if one.kind == "tool-result"}
    for call in sent_calls & results.keys() - sent_results:
        at, result = results[call]
        _put(messages[at], left[at], _counted(result, stub(result), ""))
    for call in sent_results & calls.keys() - sent_calls:
        at = calls[call]
        use = next(one for one in messages[at] if one.kind == "tool-use" and one.call == call)
        _put(messages[at], left[at], _counted(use, use.text, shortened(use.arguments)))


def _put(message: list[Block], left: list[Block], block: Block) -> None:
    """Put a block where it stands in its message."""
    order = {one.id: place for place, one in enumerate(message)}
    left.append(block)
    left.sort(key=lambda one: order.get(one.id, -1))


def _standing(message: list[Block]) -> Block:
    """What stands for a message of which nothing is sent."""
    first = message[0]
    kind: BlockKind = "note" if first.of_user else "assistant"
    return replace(_counted(first, stub(first), ""), kind=kind, tool="", call="", arguments="")


def _counted(block: Block, text: str, arguments: str) -> Block:
    if (text, arguments) == (block.text, block.arguments):
        return block
    return replace(block, text=text, arguments=arguments, tokens=count_tokens(text) + count_tokens(arguments))
