"""What the blocks of a conversation take from one another: its dependency graph, which grows with it.

A block has needs. Each is met by any one of some earlier blocks, and four kinds of edge lead from these to it:

    file          it uses, edits or cites a file: the reads of that file (of those lines, where both tell them)
    flow          an answer: the words of the user that it answers
    tool          the result of a call: the call; what a model says or calls next: all results before it
    information   it quotes what others brought in (shingles), or names it (identifiers)

Who shows a name, or was the first to write it, brings it in; words of a person or a model that only mention it do not.
Of those that bring something in, the first and the last few are kept, so that a block takes the same time whatever
comes before it. What comes later never changes the needs of a block.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, NamedTuple, TypeVar

from optimizer.session.blocks import Block
from optimizer.session.levels import shown_path
from optimizer.session.shingles import shingles, spoken
from optimizer.session.trim import names_in

EdgeKind = Literal["file", "flow", "tool", "information"]

T = TypeVar("T")

MOST = 8  # blocks kept of those that bring the same thing in: the first, and the last ones
QUOTED = 2  # shingles that two blocks share where one quotes the other

SHOWING = ("file-read", "tool-result", "edit", "note", "summary")
TAKING = ("user", "assistant", "tool-use", "edit")


class Need(NamedTuple):
    """What a block takes from earlier ones, any of which is enough; `names` says what, '' among them is a quotation."""

    kind: EdgeKind
    met_by: tuple[int, ...]
    names: tuple[str, ...] = ()


class Edge(NamedTuple):
    """A block that another one takes something from."""

    source: int
    target: int
    kind: EdgeKind
    names: tuple[str, ...]


class _Read(NamedTuple):
    id: int
    start: int
    end: int


@dataclass(slots=True)
class Graph:
    """The blocks of a conversation with their needs, and what the next block may take from them."""

    blocks: dict[int, Block] = field(default_factory=dict)
    needs: dict[int, tuple[Need, ...]] = field(default_factory=dict)
    used_by: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    _brought: dict[str | int, tuple[int, ...]] = field(default_factory=dict)
    _reads: dict[str, tuple[_Read, ...]] = field(default_factory=dict)
    _calls: dict[str, int] = field(default_factory=dict)
    _asked: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _results: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def add(self, block: Block) -> None:
        """Add the next block of the conversation."""
        text = f"{block.text}\n{spoken(block.arguments)}" if block.arguments else block.text
        names, marks = names_in(text), shingles(text)
        needs = tuple(_needs(self, block, names, marks))
        self.blocks[block.id], self.needs[block.id] = block, needs
        for need in needs:
            for id in need.met_by:
                self.used_by[id].add(block.id)
        self._bring(block, names, marks)
        self._place(block)

    def _bring(self, block: Block, names: Collection[str], marks: Collection[int]) -> None:
        """Keep what a block shows, or is the first to write."""
        alone = (block.id,)
        shows = block.kind in SHOWING
        items: Iterator[str | int] = chain(names, marks)
        for one in items:
            before = self._brought.get(one)
            if before is None:
                self._brought[one] = alone
            elif shows:
                self._brought[one] = _with(before, block.id)

    def _place(self, block: Block) -> None:
        """Keep where a block stands: as a read, a call, a result, or words of the user."""
        path = shown_path(block) or (block.path if block.kind == "tool-result" else "")
        for key in {path, path.rpartition("/")[2]} - {""}:
            self._reads[key] = _with(self._reads.get(key, ()), _Read(block.id, block.start, block.end))
        if block.kind == "tool-use" and block.call:
            self._calls[block.call] = block.id
        elif block.kind == "tool-result":
            self._results[block.message] = (*self._results.get(block.message, ()), block.id)
        elif block.kind == "user":
            self._asked[block.turn] = (*self._asked.get(block.turn, ()), block.id)


def graph_of(blocks: Iterable[Block]) -> Graph:
    """The graph of a conversation."""
    graph = Graph()
    for block in blocks:
        graph.add(block)
    return graph


def edges(graph: Graph) -> Iterator[Edge]:
    """All edges, by the block that they lead to: one of a kind between two blocks."""
    for target, needs in graph.needs.items():
        found: dict[tuple[int, EdgeKind], list[str]] = {}
        for need in needs:
            for source in need.met_by:
                found.setdefault((source, need.kind), []).extend(need.names)
        for (source, kind), names in found.items():
            yield Edge(source, target, kind, tuple(dict.fromkeys(names)))


def unmet(graph: Graph, id: int, removed: Collection[int]) -> tuple[Need, ...]:
    """The needs of a block that nothing meets once blocks are removed."""
    return tuple(need for need in graph.needs[id] if all(one in removed for one in need.met_by))


def orphans(graph: Graph, removed: Collection[int]) -> tuple[int, ...]:
    """The blocks that stay, and lose all that meets one of their needs."""
    gone = frozenset(removed)
    near = {id for one in gone for id in graph.used_by.get(one, ())} - gone
    return tuple(sorted(id for id in near if unmet(graph, id, gone)))


def _with(before: tuple[T, ...], one: T) -> tuple[T, ...]:
    """A row of blocks with one more; of many, the first and the last ones."""
    return (*before, one) if len(before) < MOST else (before[0], *before[2:], one)


def _needs(graph: Graph, block: Block, names: Collection[str], marks: frozenset[int]) -> Iterator[Need]:
    if block.kind in ("assistant", "tool-use") and (asked := graph._asked.get(block.turn)):
        yield Need("flow", asked)
    if block.kind == "tool-result" and block.call in graph._calls:
        yield Need("tool", (graph._calls[block.call],))
    if block.kind in ("assistant", "tool-use") and (results := graph._results.get(block.message - 1)):
        yield from (Need("tool", (one,)) for one in results[:MOST])
    if block.kind not in TAKING:
        return
    yield from _of_files(graph, block, names)
    yield from _of_information(graph, names, marks)


def _of_files(graph: Graph, block: Block, names: Collection[str]) -> Iterator[Need]:
    """The reads of the files that a block changes or names."""
    found: dict[tuple[int, ...], list[str]] = {}
    for path in sorted({*names, block.path} & graph._reads.keys()):
        reads = graph._reads[path]
        near = [one for one in reads if _overlap(one, block)] if path == block.path else []
        found.setdefault(tuple(one.id for one in near or reads), []).append(path)
    for ids, paths in found.items():
        yield Need("file", ids, tuple(paths))


def _overlap(read: _Read, block: Block) -> bool:
    if not (read.end and block.end):
        return True
    return read.start <= block.end and block.start <= read.end


def _of_information(graph: Graph, names: Collection[str], marks: frozenset[int]) -> Iterator[Need]:
    """What a block names or quotes of what others brought in."""
    found: dict[tuple[int, ...], list[str]] = {}
    brought, reads = graph._brought, graph._reads
    for name in sorted(name for name in names if name in brought and name not in reads):
        found.setdefault(brought[name], []).append(name)
    shared: dict[tuple[int, ...], int] = {}
    for mark in marks & brought.keys():
        shared[brought[mark]] = shared.get(brought[mark], 0) + 1
    for ids, count in sorted(shared.items()):
        if count >= QUOTED:
            found.setdefault(ids, []).append("")
    for ids, what in found.items():
        yield Need("information", ids, tuple(what))
