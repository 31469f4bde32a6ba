"""What the removal of blocks does to those that stay, what to carry along for them, and which to remove first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from optimizer.report.dependencies import Link, Lost, Removal, Shown
from optimizer.report.graph_page import Drawn
from optimizer.session.blocks import Block
from optimizer.session.graph import Graph, edges, orphans, unmet
from optimizer.session.levels import shown_path
from optimizer.session.needs import spells, uses_of
from optimizer.session.shingles import shingles, spoken
from optimizer.session.trim import names_in

TITLE = 200  # characters of a text that stands for it on a screen
SCALE = 1_000  # of how much a block is needed: counted in whole numbers, so that sums do not depend on their order

_CORRECTS = re.compile(
    r"\b(no|not|don'?t|never|stop|wrong|instead|rather|actually|undo|revert|must|always|only|remember)\b", re.IGNORECASE
)


class Carried(NamedTuple):
    """Lines of a block that go on as they are when it is removed, and the blocks that need them."""

    source: int
    lines: tuple[str, ...]
    needed_by: tuple[int, ...]


def impact(graph: Graph, removed: Collection[int]) -> tuple[Lost, ...]:
    """The blocks that a removal orphans, each with those that would follow it; a block stands at one place."""
    levels: list[tuple[Lost, ...]] = []
    gone = frozenset(removed)
    while here := tuple(_hurt(graph, id, gone) for id in orphans(graph, gone)):
        levels.append(here)
        gone |= {one.block.id for one in here}
    return _nested(graph, levels)


def cascade(graph: Graph, removed: Collection[int]) -> tuple[Carried, ...]:
    """The lines that only the removed blocks hold of what those that stay name or quote."""
    gone = frozenset(removed)
    wanted: dict[int, dict[str, set[int]]] = {}
    for id in orphans(graph, gone):
        for need in unmet(graph, id, gone):
            if need.kind == "information":
                for name in need.names:
                    wanted.setdefault(need.met_by[-1], {}).setdefault(name, set()).add(id)
    found = []
    for source, names in sorted(wanted.items()):
        lines = tuple(_lines(graph, source, names))
        if lines:
            found.append(Carried(source, lines, tuple(sorted(set().union(*names.values())))))
    return tuple(found)


def order(graph: Graph) -> tuple[int, ...]:
    """All blocks, those first whose removal hurts least; notes and summaries, then what is pinned, then the words of
    the user and last their corrections.

    A block hurts by how likely it is needed again (see `needs`), and by how likely those are that only it serves.
    """
    value = _values(list(graph.blocks.values()))
    left = {(id, place): set(need.met_by) for id, needs in graph.needs.items() for place, need in enumerate(needs)}
    serves: dict[int, list[tuple[int, int]]] = {}
    harm = dict(value)
    for key, suppliers in left.items():
        for one in suppliers:
            serves.setdefault(one, []).append(key)
        if len(suppliers) == 1:
            harm[next(iter(suppliers))] += value[key[0]]
    first = min((block.id for block in graph.blocks.values() if block.kind == "user"), default=0)
    rank = {id: _rank(block, first) for id, block in graph.blocks.items()}
    heap = [(rank[id], harm[id], id) for id in graph.blocks]
    heapify(heap)
    gone: dict[int, None] = {}
    while heap:
        _, known, id = heappop(heap)
        if id in gone or known != harm[id]:
            continue
        gone[id] = None
        for one in _shifted(graph, (id, left, serves, value), harm, gone):
            heappush(heap, (rank[one], harm[one], one))
    return tuple(gone)


def _shifted(
    graph: Graph,
    removal: tuple[int, Mapping[tuple[int, int], set[int]], Mapping[int, Sequence[tuple[int, int]]], Mapping[int, int]],
    harm: dict[int, int],
    gone: Collection[int],
) -> set[int]:
    """Take a removed block out of all sums; returns the blocks that hurt more or less than before."""
    id, left, serves, value = removal
    changed: set[int] = set()
    for key in serves.get(id, ()):
        left[key].discard(id)
        if len(left[key]) == 1 and key[0] not in gone:
            last = next(iter(left[key]))
            harm[last] += value[key[0]]
            changed.add(last)
    for place in range(len(graph.needs[id])):
        alone = left[(id, place)]
        if len(alone) == 1:
            last = next(iter(alone))
            harm[last] -= value[id]
            changed.add(last)
    return changed - set(gone)


def _values(blocks: Sequence[Block]) -> dict[int, int]:
    """How much each block is needed: the user's words and what is pinned fully, others as likely as they are used."""
    uses = uses_of(blocks)
    now = blocks[-1].message if blocks else 0
    known = spells(uses, now)
    found: dict[int, int] = {}
    for block in blocks:
        idle = now - uses.get(block.id, (block.message,))[-1]
        kept = block.pinned or block.kind == "user"
        found[block.id] = SCALE if kept else round(SCALE * known.chance(idle))
    return found


def _rank(block: Block, first: int) -> int:
    if block.kind == "user":
        return 4 if block.pinned or (block.id != first and _CORRECTS.search(block.text)) else 3
    return 2 if block.pinned else 1 if block.kind == "summary" or (block.kind == "note" and block.path) else 0


def drawn(graph: Graph, title: str, removed: Collection[int] = ()) -> Drawn:
    """The graph as a page draws it, with what the removal of blocks orphans."""
    links = [Link(*edge) for edge in edges(graph)]
    blocks = [shown(block) for block in graph.blocks.values()]
    return Drawn(title, blocks, links, frozenset(removed), frozenset(orphans(graph, removed)))


def effect(graph: Graph, removed: Collection[int]) -> Removal:
    """What a removal does, as screens show it."""
    carried = [(shown(graph.blocks[id]), lines) for id, lines, _ in cascade(graph, removed)]
    return Removal([shown(graph.blocks[id]) for id in removed], impact(graph, removed), carried)


def shown(block: Block) -> Shown:
    """A block as screens show it."""
    text = block.text.removeprefix("Request: ") if block.kind == "user" else block.text or spoken(block.arguments)
    title = shown_path(block) or block.path or f"{block.tool} {text[:TITLE]}".strip()
    return Shown(block.id, block.kind, title, block.tokens)


def _hurt(graph: Graph, id: int, gone: Collection[int]) -> Lost:
    lost = unmet(graph, id, gone)
    names = dict.fromkeys(name for need in lost for name in need.names)
    return Lost(shown(graph.blocks[id]), tuple(dict.fromkeys(need.kind for need in lost)), tuple(names), ())


def _nested(graph: Graph, levels: Sequence[tuple[Lost, ...]]) -> tuple[Lost, ...]:
    """Levels of a tree as the tree: each block stands below the last one of the level above that it takes from."""
    below: dict[int, list[Lost]] = {}
    for number in range(len(levels) - 1, 0, -1):
        above = [one.block.id for one in levels[number - 1]]
        for one in levels[number]:
            parent = next(id for id in reversed(above) if one.block.id in graph.used_by.get(id, ()))
            below.setdefault(parent, []).append(one._replace(inner=tuple(below.get(one.block.id, ()))))
    return tuple(one._replace(inner=tuple(below.get(one.block.id, ()))) for one in (levels[0] if levels else ()))


def _lines(graph: Graph, source: int, names: Mapping[str, Collection[int]]) -> Iterator[str]:
    """The first line that holds each name, and the lines that those who quote them repeat."""
    block = graph.blocks[source]
    lines = [*block.text.split("\n"), *spoken(block.arguments).split("\n")]
    chosen: set[int] = set()
    for name in names.keys() - {""}:
        chosen.update([number for number, line in enumerate(lines) if name in line and name in names_in(line)][:1])
    if "" in names:
        quoting = "\n".join(f"{one.text}\n{spoken(one.arguments)}" for one in map(graph.blocks.__getitem__, names[""]))
        chosen.update(number for number, line in enumerate(lines) if _repeated(line, quoting))
    yield from (lines[number] for number in sorted(chosen))


def _repeated(line: str, text: str) -> bool:
    """Whether a text holds a line, or a good part of it."""
    plain = re.sub(r"^\d+\t", "", line).strip()
    return len(plain) > 3 and (plain in text or bool(shingles(plain) & shingles(text)))
