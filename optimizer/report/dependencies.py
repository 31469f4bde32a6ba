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


class Lost(NamedTuple):
    """A block that is orphaned: the kinds of edge that it loses, the names that nothing else brings in ('': a
    quotation), and what is orphaned when it goes too."""

    block: Shown
    kinds: Sequence[str]
    names: Sequence[str]
    inner: Sequence[Lost]


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
