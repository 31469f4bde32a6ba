"""What the removal of blocks of a conversation does, in words: a sentence, and a tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from optimizer.report.figures import count
from optimizer.report.layout import cut, inert

NAMED = 5  # blocks or names that a sentence lists
INNER = 60  # columns of a title

_KINDS = {
    "user": "request",
    "assistant": "answer",
    "tool-use": "call",
    "tool-result": "result",
    "file-read": "read",
}
_WHY = {
    "file": "uses the file",
    "flow": "answers it",
    "tool": "follows from it",
}


class Shown(NamedTuple):
    """A block as a screen shows it."""

    id: int
    kind: str
    title: str
    tokens: int


class Link(NamedTuple):
    """A block that another one takes something from: the kind of edge, and names ('': a quotation)."""

    source: int
    target: int
    kind: str
    names: Sequence[str]


class Lost(NamedTuple):
    """A block that is orphaned: the kinds of edge that it loses, the names that nothing else brings in ('': a
    quotation), and what is orphaned when it goes too."""

    block: Shown
    kinds: Sequence[str]
    names: Sequence[str]
    inner: Sequence[Lost]


class Removal(NamedTuple):
    """Blocks to remove, what is orphaned by it, and the lines of each that would be carried along."""

    removed: Sequence[Shown]
    lost: Sequence[Lost]
    carried: Sequence[tuple[Shown, Sequence[str]]]


def listed(blocks: Sequence[Shown], links: Sequence[Link], first: Sequence[int]) -> str:
    """The blocks, below each what it takes from earlier ones, and those whose removal hurts least."""
    if not blocks:
        return "no blocks"
    sources: dict[int, dict[str, list[int]]] = {}
    for link in links:
        sources.setdefault(link.target, {}).setdefault(why([link.kind], link.names), []).append(link.source)
    rows: list[str] = []
    for block in blocks:
        taken = sources.get(block.id, {}).items()
        rows += [_row(block), *(f"    {what}: {_listed([f'#{id}' for id in ids])}" for what, ids in taken)]
    return "\n".join([*rows, f"hurts least when removed: {_listed([f'#{id}' for id in first])}"])


def effect(removal: Removal) -> str:
    """What a removal does: the sentence, the tree, and the lines that are carried along."""
    sentence = orphaned([one.id for one in removal.removed], [one.block for one in removal.lost])
    lines = (_carried(block, lines) for block, lines in removal.carried)
    return "\n".join([sentence, tree(removal.removed, removal.lost), *lines])


def orphaned(removed: Sequence[int], blocks: Sequence[Shown]) -> str:
    """The sentence before a removal."""
    gone = _listed([f"#{id}" for id in removed])
    if not blocks:
        return f"removing {gone} orphans nothing"
    named = _listed([f"#{one.id} {kind_of(one)}" for one in blocks])
    return f"removing {gone} orphans {count(len(blocks), 'block')}: {named}"


def tree(removed: Sequence[Shown], lost: Sequence[Lost]) -> str:
    """The removed blocks, and below them those that are orphaned, each with those that would follow."""
    head = [f"- {_row(one)}" for one in removed]
    return "\n".join([*head, *_branches(lost, "")])


def why(kinds: Sequence[str], names: Sequence[str]) -> str:
    """What an orphaned block loses."""
    plain = [name for name in names if name]
    parts = []
    for kind in kinds:
        if kind == "information":
            parts += [f"names {_listed([inert(name) for name in plain])}"] if plain else []
            parts += ["quotes it"] if "" in names else []
        else:
            parts.append(_WHY[kind])
    return ", ".join(parts)


def _carried(block: Shown, lines: Sequence[str]) -> str:
    return "\n".join([f"carried along of #{block.id} {kind_of(block)}:", *(f"    {inert(line)}" for line in lines)])


def _branches(lost: Sequence[Lost], begin: str) -> Iterator[str]:
    for number, one in enumerate(lost):
        last = number == len(lost) - 1
        yield f"{begin}{'└─' if last else '├─'} {_row(one.block)}: {why(one.kinds, one.names)}"
        yield from _branches(one.inner, begin + ("   " if last else "│  "))


def _row(one: Shown) -> str:
    title = cut(" ".join(inert(one.title).split()), INNER)
    return f"#{one.id} {kind_of(one)}{f' {title}' if title else ''} ({count(one.tokens, 'token')})"


def kind_of(one: Shown) -> str:
    """What a block is, as screens call it."""
    return _KINDS.get(one.kind, one.kind)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join([*names[:NAMED], *([f"{more} more"] if more > 0 else [])])
