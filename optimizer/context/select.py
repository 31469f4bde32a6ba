"""Choose the pieces of code to send: whole bodies where the change is likely, then signatures, fitted to a budget."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from optimizer.context import stored
from optimizer.context.budget import count_tokens
from optimizer.context.files import FileLines
from optimizer.context.mentions import Mentions, find_mentions
from optimizer.context.packing import plan
from optimizer.context.parts import parts
from optimizer.context.paths import files_named
from optimizer.context.rank import RankedUnit, Ranking, rank
from optimizer.context.read import READ, lifted
from optimizer.context.render import INTRO, body, for_prompt, header
from optimizer.debug import debug
from optimizer.retrieval import Context, ContextItem, ContextLimits, ItemKind, Query, RankedFile, Signal, Symbol

if TYPE_CHECKING:
    from optimizer.context.semantic import Reranker
    from optimizer.index.reader import Index

BODIES_SHARE = 0.95
WHOLE_FILE_SHARE = 0.3
PART_SHARE, PART_OF_BODY = 0.15, 0.4
LEAST_PART = 60
MOST_RESTS, REST_SHARE = 2, 0.03
SHORTER = (0.9, 0.7, 0.4)
MOST_FIRST_PARTS = 3
READ_SHARE = 0.2  # of the space, for a body from a file that a reader named
VERY_LIKELY, LIKELY = 0.3, 0.003
LEAST_ITEM = 12
LEAST_BODY = 40
MOST_SECOND_LOOKS = 60
MOST_CHARACTERS_PER_TOKEN = 9
MOST_SIGNATURE_LINES = 8
MOST_CALLED = 15
MOST_NAMES_LOOKED_UP = 150
MOST_DEFINING = 2
_CALLED = r"\b([A-Za-z_]\w{2,})(?=\s*\()|\b([A-Z][A-Za-z0-9]+[a-z]\w*)"


class _Chosen:
    """The items chosen so far; `taken` has the line numbers by path, `left` the tokens still free."""

    def __init__(self, files: FileLines, limits: ContextLimits, left: int) -> None:
        self.files, self.limits, self.left = files, limits, left
        self.items: list[ContextItem] = []
        self.taken: dict[str, set[int]] = {}

    def add(self, path: str, spans: Iterable[tuple[int, int]], about: _About, most: int) -> bool:
        """Take the lines of `spans` not taken yet, all or none, if they cost at most `most` tokens."""
        if path not in self.taken and len(self.taken) >= self.limits.max_files:
            return False
        lines = self.files.lines(path)
        spans = tuple(spans)
        if _least_cost(lines, spans) > min(most, self.left):
            return False
        taken = set(self.taken.get(path, ()))
        items = []
        for span in spans:
            for run in list(_runs(span, lines, taken)):
                items.append(_item(path, run, lines, about))
                taken.update(range(run[0], run[1] + 1))
        cost = sum(item.tokens for item in items) + (0 if path in self.taken else count_tokens(header(path)))
        if not items or cost > min(most, self.left):
            return False
        self.left -= cost
        self.items += items
        self.taken[path] = taken
        return True


class _About(NamedTuple):
    symbol: str
    kind: ItemKind
    score: float
    why: tuple[Signal, ...]


def select(
    query: Query, index: Index, limits: ContextLimits, cache: Path | None = None, reranker: Reranker | None = None
) -> Context:
    """The context of a query, at most `limits.max_tokens` as `render.for_prompt` sends it.

    `cache` is the folder of all caches; None keeps nothing. The same query, tree and limits give the same context;
    with a `reranker`, as long as its vectors are the same.
    """
    started = time.perf_counter()
    if cache is not None and (known := stored.kept(query, index, limits, cache, reranker)) is not None:
        return known
    mentions = find_mentions(f"{query.text}\n{query.extra}" if query.extra else query.text)
    read = time.perf_counter()
    files = FileLines(index)
    ranking = rank(mentions, index, files)
    if reranker:
        ranking = reranker.rerank(query.text, ranking, files)
    if query.read:
        ranking = lifted(ranking, query.read)
    ranked = time.perf_counter()
    chosen = _Chosen(files, limits, limits.max_tokens - count_tokens(INTRO))
    _choose(chosen, mentions, ranking, index)
    context = _fitted(query.text, ranking.files, chosen, limits)
    if cache is not None:
        stored.save(cache, stored.key_of(query, index, limits, reranker), context)
    timing = {"mentions": read - started, "rank": ranked - read, "select": time.perf_counter() - ranked}
    in_ms = {name: round(1000 * seconds, 1) for name, seconds in timing.items()} | {"total": _since(started)}
    debug("context", "%d of %d tokens, %d pieces, ms: %s", context.tokens, limits.max_tokens, len(context.items), in_ms)
    return context._replace(skipped=index.skipped(), timing_ms=in_ms)


def naive(query: Query, index: Index, max_tokens: int) -> Context:
    """Whole files, best first, as a tool without an index would send; the last one may be cut."""
    started = time.perf_counter()
    files = FileLines(index)
    ranking = rank(find_mentions(query.text), index, files)
    limits = ContextLimits(max_tokens, max_files=len(ranking.files) or 1)
    chosen = _Chosen(files, limits, max_tokens - count_tokens(INTRO))
    for ranked in ranking.files:
        about = _About("", "file", ranked.score, ranked.why)
        lines = files.lines(ranked.path)
        if lines and not chosen.add(ranked.path, [(1, len(lines))], about, chosen.left):
            space = chosen.left - count_tokens(header(ranked.path))
            chosen.add(ranked.path, [(1, _fitting(ranked.path, lines, space))], about, chosen.left)
            break
    context = _fitted(query.text, ranking.files, chosen, limits)
    return context._replace(skipped=index.skipped(), timing_ms={"total": _since(started)})


# ── the order of choice ──────────────────────────────────────────────────────────────────────────


def _choose(chosen: _Chosen, mentions: Mentions, ranking: Ranking, index: Index) -> None:
    space = chosen.left
    _named_files(chosen, mentions, ranking, index)
    leading = dict.fromkeys(file.path for file in ranking.files[: chosen.limits.max_files])
    units = [unit for unit in ranking.units if unit.path in leading]
    least = LIKELY * max((unit.score for unit in units), default=0.0)
    likely = [unit for unit in units if unit.score >= least]
    _read(chosen, units, mentions, space)
    bodies = _bodies(chosen, likely, mentions, space)
    for file in ranking.files[:MOST_RESTS]:
        for unit in units:
            if unit.path == file.path and not unit.symbol:
                _some_lines(chosen, unit, mentions, round(space * REST_SHARE))
    _called(chosen, bodies, index)
    for unit in units[len(likely) :]:
        if chosen.left >= space * (1 - BODIES_SHARE):
            _whole(chosen, unit)
    for unit in units[:MOST_SECOND_LOOKS]:
        if chosen.left >= LEAST_BODY and not _whole(chosen, unit):
            _some_lines(chosen, unit, mentions, round(space * PART_SHARE))
    _signatures(chosen, ranking, index, [*chosen.taken, *leading])


def _bodies(chosen: _Chosen, units: Sequence[RankedUnit], mentions: Mentions, space: int) -> list[RankedUnit]:
    """Take the planned bodies, and before them some lines of the likeliest that are too large; return those taken."""

    def planned() -> list[RankedUnit]:
        return plan(units, chosen.left - round(space * (1 - BODIES_SHARE)), chosen.limits.max_files, chosen.taken)

    def in_part(unit: RankedUnit) -> bool:
        return _some_lines(chosen, unit, mentions, round(space * PART_SHARE))

    whole, first = planned(), units[:MOST_FIRST_PARTS]
    taken = [unit for unit in first if unit.score >= VERY_LIKELY and unit not in whole and in_part(unit)]
    if taken:
        whole = planned()
    taken += [unit for unit in whole if _whole(chosen, unit)]
    return taken or [unit for unit in first if in_part(unit)]


def _read(chosen: _Chosen, units: Sequence[RankedUnit], mentions: Mentions, space: int) -> None:
    """Take the best unit of each file that a reader named, or some of its lines where it is large."""
    for unit in units:
        if READ in unit.why:
            about, most = _About(unit.symbol, "body", unit.score, unit.why), round(space * READ_SHARE)
            if not chosen.add(unit.path, unit.spans, about, most):
                _some_lines(chosen, unit, mentions, most)


def _named_files(chosen: _Chosen, mentions: Mentions, ranking: Ranking, index: Index) -> None:
    paths = index.paths() if mentions.paths else ()
    score = {file.path: file.score for file in ranking.files}
    for mention in mentions.paths:
        for path in files_named(mention.path, paths)[:1]:
            about = _About("", "file", score.get(path, 0.0), (Signal("named"),))
            lines = chosen.files.lines(path)
            if not mention.start and mention.path in mentions.title:
                chosen.add(path, [(1, len(lines))], about, round(chosen.left * WHOLE_FILE_SHARE))


def _whole(chosen: _Chosen, unit: RankedUnit) -> bool:
    about = _About(unit.symbol, "body", unit.score, unit.why)
    return bool(unit.symbol) and chosen.add(unit.path, unit.spans, about, chosen.left)


def _some_lines(chosen: _Chosen, unit: RankedUnit, mentions: Mentions, most: int) -> bool:
    """Take the lines of a large unit that the request is about, in at most `most` tokens."""
    about = _About(unit.symbol, "body", unit.score, unit.why)
    lines = chosen.files.lines(unit.path)
    wanted = min(most, chosen.left, PART_OF_BODY * unit.cost + LEAST_PART)
    sizes = [share * wanted for share in SHORTER]
    return any(chosen.add(unit.path, spans, about, most) for spans in parts(lines, unit, mentions, sizes))


def _signatures(chosen: _Chosen, ranking: Ranking, index: Index, paths: Sequence[str]) -> None:
    score = {file.path: file.score for file in ranking.files}
    for path in paths:
        for symbol in index.symbols_in(path):
            if chosen.left < LEAST_ITEM:
                return
            about = _About(symbol.qualified, "signature", score.get(path, 0.0), (Signal("outline"),))
            chosen.add(path, [_signature(symbol, chosen.files.lines(path))], about, chosen.left)


def _called(chosen: _Chosen, bodies: Sequence[RankedUnit], index: Index) -> None:
    """Take signatures of what the chosen bodies call or inherit, for names that few files define."""
    words = index.words()
    wanted: dict[str, RankedUnit] = {}
    for unit in bodies:
        lines = chosen.files.lines(unit.path)
        for first, last in unit.spans:
            for call, kind in re.findall(_CALLED, "\n".join(lines[first - 1 : last])):
                if len(wanted) < MOST_NAMES_LOOKED_UP:
                    wanted.setdefault(call or kind, unit)
    rare = [name for name in wanted if 0 < len(words.files_of("name", name.lower())) <= MOST_DEFINING]
    found: dict[str, list[Symbol]] = {}
    for symbol in index.symbols_named(rare):
        found.setdefault(symbol.name, []).append(symbol)
    number = 0
    for name in rare:
        for symbol in found.get(name, ()):
            user = wanted[name]
            about = _About(symbol.qualified, "signature", user.score, (Signal("called", user.symbol or user.path),))
            number += chosen.add(symbol.path, [_signature(symbol, chosen.files.lines(symbol.path))], about, chosen.left)
        if number >= MOST_CALLED:
            return


def _signature(symbol: Symbol, lines: Sequence[str]) -> tuple[int, int]:
    """The lines from a definition's name to the end of its parameters."""
    depth = 0
    last = min(len(lines), symbol.end, symbol.line + MOST_SIGNATURE_LINES - 1)
    for number in range(symbol.line, last + 1):
        line = lines[number - 1]
        depth += line.count("(") + line.count("[") - line.count(")") - line.count("]")
        if depth <= 0:
            return symbol.line, number
    return symbol.line, min(symbol.line, last)


# ── lines and tokens ─────────────────────────────────────────────────────────────────────────────


def _runs(span: tuple[int, int], lines: Sequence[str], taken: set[int]) -> Iterator[tuple[int, int]]:
    """The parts of a span within the file that are not taken, without the blank lines at their ends."""
    start = end = 0
    for number in range(max(1, span[0]), min(span[1], len(lines)) + 1):
        if number in taken:
            if start:
                yield start, end
            start = 0
        elif lines[number - 1].strip():
            start, end = start or number, number
    if start:
        yield start, end


def _least_cost(lines: Sequence[str], spans: Iterable[tuple[int, int]]) -> int:
    """Fewer tokens than the spans cost, without counting them."""
    return (
        sum(map(len, (line for first, last in spans for line in lines[first - 1 : last]))) // MOST_CHARACTERS_PER_TOKEN
    )


def _item(path: str, run: tuple[int, int], lines: Sequence[str], about: _About) -> ContextItem:
    text = "\n".join(lines[run[0] - 1 : run[1]])
    item = ContextItem(path, run[0], run[1], about.symbol, about.kind, 0, about.score, about.why, text)
    return item._replace(tokens=count_tokens(body(item)))


def _fitting(path: str, lines: Sequence[str], space: int) -> int:
    """How many of the first lines cost at most `space` tokens."""
    low, high = 0, len(lines)
    while low < high:
        middle = (low + high + 1) // 2
        if _item(path, (1, middle), lines, _About("", "file", 0.0, ())).tokens <= space:
            low = middle
        else:
            high = middle - 1
    return low


def _fitted(query: str, ranked: Sequence[RankedFile], chosen: _Chosen, limits: ContextLimits) -> Context:
    """Order the items for rendering, and drop those taken last until the whole fits."""
    place = {file.path: number for number, file in enumerate(ranked)}
    kept = list(chosen.items)
    while True:
        ordered = sorted(kept, key=lambda item: (place.get(item.path, len(place)), item.path, item.start))
        context = Context(query, 0, tuple(ranked[: limits.top]), tuple(_with_blanks(ordered, chosen.files)))
        tokens = count_tokens(for_prompt(context))
        if tokens <= limits.max_tokens or not kept:
            return context._replace(tokens=tokens)
        kept.pop()


def _with_blanks(items: Sequence[ContextItem], files: FileLines) -> Iterator[ContextItem]:
    """The same items, each with the blank lines after it when nothing else is between it and the next."""
    for item, following in zip_longest(items, items[1:]):
        if following is not None and item.path == following.path and following.start - item.end > 1:
            between = files.lines(item.path)[item.end : following.start - 1]
            if not any(line.strip() for line in between):
                text = "\n".join([item.text, *between])
                item = item._replace(end=following.start - 1, text=text)
        yield item


def _since(started: float) -> float:
    return round(1000 * (time.perf_counter() - started), 1)
