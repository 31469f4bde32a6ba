"""Whether to send less of a conversation: only where that is expected to save more dollars than it costs.

A provider that keeps the beginning of requests in its cache charges little for reading it and more for writing it.
Where less of a block is sent, all after it is written again; in return every later call reads fewer tokens. With

    C, f   tokens in the cache, and those before the first block that changes
    d, p   tokens that are dropped of a block, and the chance that it is needed and read again (see `needs`)
    r, w   micro-dollars a token to read from the cache, and to write to it
    q      share of calls that find the cache expired (counted so far)
    n      calls to come that gain from it

a plan costs `(w - r) (C - f - dropped in the cache)` now, or nothing where the cache has expired, and
`p (w d + a call that reads it again)` later; it saves `(1 - p / 2) d (r (1 - q) + w q) n`, and the price of what the
next call need not send. As many calls are to come as there were: where nothing else is known, that is the median of
what remains (J. R. Gott, Nature 363, 1993, pages 315-319). While the cache is warm only those count that come before
it is expected to expire, `1 / q`, when the same plan costs nothing; and no more than went by since the last plan: the
next one would drop the same, and each writes what follows again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from optimizer.session.blocks import Block, Level
from optimizer.session.levels import Levels, at_levels, can_shrink, level_of, sent, shown_path, shrunk
from optimizer.session.needs import spells, superseded, uses_of

RECENT = 4  # messages for which a block stays after it was used
DETAIL = 0.5  # share of needs of a block that its trimmed form does not meet
ASKING = 60  # tokens that a model writes to ask for something again
WAIT = 1.0  # share of the calls since the last plan that count for the next one
RESERVE = 0.75  # share of a window that a conversation may fill
SLACK = 0.8  # share of that to which a conversation is cut that would not fit

Why = Literal["saves", "expired", "window", "nothing", "no-gain", "free", "too-long"]
"""`saves`: it is expected to pay; `expired`: the cache has expired, so that it costs nothing; `window`: the
conversation would not fit; `nothing`: no block may shrink; `no-gain`: it would cost more than it saves; `free`: tokens
cost nothing here, and there is room; `too-long`: what must stay does not fit."""


class Rates(NamedTuple):
    """Micro-dollars a token: new input, what a cache reads, what is written to it, and output."""

    input: float
    read: float
    write: float
    output: float = 0.0


class State(NamedTuple):
    """What a plan is made for: rates, the window in tokens (0: unknown), whether the provider's cache still holds the
    conversation, calls of models so far, and how many of them found it expired.

    `fresh` is the id of the first block that no call has sent (0: all were sent), `since` the calls since a plan was
    carried out (None: none was).
    """

    rates: Rates
    window: int
    warm: bool
    calls: int
    expired: int = 0
    fresh: int = 0
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The levels to change, and why; `saving` and `cost` are expected micro-dollars, `dropped` tokens.

    `first` is the first block that is sent otherwise.
    """

    why: Why
    levels: Levels
    saving: int = 0
    cost: int = 0
    dropped: int = 0
    first: int = 0


class _Step(NamedTuple):
    """Sending less of a block: where it stands, its new levels, tokens dropped, and the chance that it is needed."""

    place: int
    levels: Levels
    dropped: int
    chance: float


class _Cut(NamedTuple):
    """All steps from a place on; `saving` and `cost` in micro-dollars."""

    steps: Sequence[_Step]
    saving: float = 0.0
    cost: float = 0.0

    @property
    def dropped(self) -> int:
        return sum(step.dropped for step in self.steps)


def plan(blocks: Sequence[Block], levels: Levels, state: State) -> Plan:
    """What to leave out before the next call."""
    now = sent(blocks, levels)
    total = sum(block.tokens for block in now)
    limit = round(state.window * RESERVE) if state.window else 0
    steps = list(_steps(blocks, levels, now))
    if limit and total > limit:
        return _fitted(blocks, levels, steps, state)
    if not steps:
        return Plan("nothing", {})
    if not state.rates.input:
        return Plan("free", {})
    best = _best(_paying(steps, total, state), now, state)
    if best.saving <= best.cost:
        return Plan("no-gain", {}, round(best.saving), round(best.cost))
    found = _planned("saves" if state.warm else "expired", best, blocks, levels, total)
    return found if found.saving > found.cost else Plan("no-gain", {}, found.saving, found.cost)


def calls_to_come(state: State) -> float:
    """How many calls are expected to gain from a plan: with a warm cache, those before it expires or the next plan."""
    calls = float(max(state.calls, 1))
    if not state.warm:
        return calls
    return min(calls, 1 / _expiring(state), calls if state.since is None else WAIT * state.since)


def _expiring(state: State) -> float:
    """The share of calls that find the cache expired."""
    return (state.expired + 0.5) / (max(state.calls, state.expired) + 1)


def _steps(blocks: Sequence[Block], levels: Levels, now: Sequence[Block]) -> Iterator[_Step]:
    """What could be sent less of: blocks that were idle for a while, and reads that later ones repeat."""
    uses = uses_of(blocks)
    at = blocks[-1].message if blocks else 0
    known = spells(uses, at)
    old = superseded(blocks)
    size = {block.id: block.tokens for block in now}
    place = {block.id: number for number, block in enumerate(now)}
    unfolded = _unfolded(blocks, levels)
    uses_by_call = {block.call: block for block in blocks if block.kind == "tool-use"}
    for block in blocks:
        if block.kind == "tool-use" or block.id not in place or not can_shrink(block):
            continue
        idle = at - uses.get(block.id, (block.message,))[-1]
        if idle < RECENT and block.id not in old:
            continue
        pair = [block, *([uses_by_call[block.call]] if block.call in uses_by_call else [])]
        chance = 0.0 if block.id in old else known.chance(idle)
        for level in _lower(block, level_of(block, levels), block.id in old):
            left = sum(one.tokens for part in pair if (one := shrunk(part, level)) is not None)
            dropped = sum(size.get(one.id, 0) for one in pair) - left - unfolded.get(block.id, 0)
            if dropped > 0:
                first = min(place[one.id] for one in pair if one.id in place)
                share = DETAIL if level == "trimmed" else 1.0
                yield _Step(first, {one.id: level for one in pair}, dropped, chance * share)


def _lower(block: Block, level: Level, repeated: bool) -> tuple[Level, ...]:
    """The levels below this one that a block may go to; what was last shown of a file keeps its outline."""
    if level in ("removed", "summarised"):
        return ()
    if repeated:
        return ("removed",)
    below: tuple[Level, ...] = ("trimmed",) if level == "whole" else ()
    return below if shown_path(block) or block.kind in ("assistant", "edit") else (*below, "removed")


def _unfolded(blocks: Sequence[Block], levels: Levels) -> dict[int, int]:
    """The tokens that come back where a block goes against which a later one is sent in part."""
    whole = {block.id: block.tokens for block in blocks}
    back: dict[int, int] = {}
    for block, base in at_levels(blocks, levels):
        if base:
            back[base] = max(back.get(base, 0), whole[block.id] - block.tokens)
    return back


def _paying(steps: Sequence[_Step], total: int, state: State) -> list[tuple[_Step, float, float]]:
    """The step of each block that gains most, with what it saves and costs by itself; those that lose are left out."""
    rates, gaining = state.rates, calls_to_come(state)
    expiring = _expiring(state)
    hold = rates.read * (1 - expiring) + rates.write * expiring
    again = total * rates.read + ASKING * rates.output
    found: dict[int, tuple[_Step, float, float]] = {}
    for step in steps:
        saving = (1 - step.chance / 2) * step.dropped * hold * gaining
        cost = step.chance * (step.dropped * rates.write + again)
        known = found.get(step.place)
        if saving > cost and (known is None or saving - cost > known[1] - known[2]):
            found[step.place] = (step, saving, cost)
    return [found[place] for place in sorted(found)]


def _best(paying: Sequence[tuple[_Step, float, float]], now: Sequence[Block], state: State) -> _Cut:
    """The place from which on sending less gains most."""
    rates = state.rates
    cached = [block.tokens if state.warm and (not state.fresh or block.id < state.fresh) else 0 for block in now]
    after = [0] * (len(now) + 1)
    for place in range(len(now) - 1, -1, -1):
        after[place] = after[place + 1] + cached[place]
    best, saving, cost, kept, fresh = _Cut(()), 0.0, 0.0, 0, 0
    for number in range(len(paying) - 1, -1, -1):
        step, saves, costs = paying[number]
        saving, cost = saving + saves, cost + costs
        if cached[step.place]:
            kept += step.dropped
        else:
            fresh += step.dropped
        written = (rates.write - rates.read) * max(0, after[step.place] - kept)
        spared = rates.write * fresh + rates.read * kept
        if saving + spared - cost - written > best.saving - best.cost:
            best = _Cut([one for one, _, _ in paying[number:]], saving + spared, cost + written)
    return best


def _planned(why: Why, cut: _Cut, blocks: Sequence[Block], levels: Levels, total: int) -> Plan:
    """The plan of a cut, its tokens counted as they are sent."""
    chosen: dict[int, Level] = {id: level for step in cut.steps for id, level in step.levels.items()}
    chosen |= _summarised(blocks, chosen)
    dropped = total - sum(block.tokens for block in sent(blocks, {**levels, **chosen}))
    saving = cut.saving * min(1.0, dropped / cut.dropped) if cut.dropped else 0.0
    return Plan(why, chosen, round(saving), round(cut.cost), dropped, min(chosen, default=0))


def _summarised(blocks: Sequence[Block], chosen: Levels) -> dict[int, Level]:
    """The blocks of which less is sent anyhow, and for all of which there is a summary."""
    found: dict[int, Level] = {}
    for summary in blocks:
        if summary.kind == "summary" and summary.stands_for and all(one in chosen for one in summary.stands_for):
            found.update(dict.fromkeys(summary.stands_for, "summarised"))
    return found


def _fitted(blocks: Sequence[Block], levels: Levels, steps: Sequence[_Step], state: State) -> Plan:
    """What must go for a conversation to fit: first what pays or hurts least, then all that is old, then all."""
    now = sent(blocks, levels)
    total = sum(block.tokens for block in now)
    limit = round(state.window * RESERVE)
    best = _best(_paying(steps, total, state), now, state)
    found = _planned("window", best, blocks, levels, total)
    if total - found.dropped <= limit:
        return found
    chosen: dict[int, Level] = {}
    for step in sorted(steps, key=lambda one: (one.chance, one.place)):
        chosen |= step.levels
    deep = _deep(blocks, {**levels, **chosen}, round(limit * SLACK))
    left = sum(block.tokens for block in sent(blocks, deep))
    changed = {id: level for id, level in deep.items() if levels.get(id) != level}
    return Plan("window" if left <= limit else "too-long", changed, 0, 0, total - left, min(changed, default=0))


def _deep(blocks: Sequence[Block], levels: Levels, limit: int) -> Levels:
    """Levels with which blocks take no more than `limit` tokens, the oldest removed first; a quarter at a time."""
    deep = dict(levels)
    going = [block for block in blocks if can_shrink(block)]
    part = max(1, len(going) // 4)
    for at in range(0, len(going), part):
        if sum(block.tokens for block in sent(blocks, deep)) <= limit:
            break
        deep.update(dict.fromkeys((block.id for block in going[at : at + part]), "removed"))
    return deep
