"""The outline of a repository: its most important files, with the signatures of their most used definitions.

A file is important when many imports lead to it (PageRank over the resolved imports) and when the names it defines
occur in many other files. Source comes first, then tests, documentation and data, then vendored and generated files.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING

from optimizer.context.budget import count_tokens
from optimizer.context.paths import FileKind, kind_of
from optimizer.index.survey import holders, links, names_defined
from optimizer.retrieval import Symbol

if TYPE_CHECKING:
    from optimizer.index.reader import Index

DAMPING, ROUNDS = 0.85, 15
LINKS_SHARE, NAMES_SHARE = 0.6, 0.4
GROUPS = {"source": 0, "init": 0, "declarations": 1, "docs": 1, "data": 1, "test": 1}
LAST = 2
VOTE = {0: 1.0, 1: 0.2, LAST: 0.02}
INIT_SHARE = 0.5
MOST_DEFINING = 3
LEAST_DISTINCT = 6
TOKENS_PER_FILE, FEWEST_FILES, MOST_FILES = 25, 20, 400
PLAIN_NEAR, PLAIN_FAR = 0.4, 0.1
METHOD, PRIVATE, OTHER_KIND = 0.5, 0.3, 0.3
LARGE = 4000  # files whose names are looked up
FILES_PER_TERM = 20  # one lookup costs as much as reading the lists of this many files
FALLOFF = 0.2
LONGEST_LINE = 160
MISSES = 40
_SHOWN_FIRST = frozenset({"function", "method", "class", "interface", "struct", "trait", "enum", "type", "macro"})
_FUNCTIONS = frozenset({"function", "method", "macro"})


@dataclass(frozen=True, slots=True)
class OutlinedFile:
    """A file of the outline, its importance in 0…1, and the chosen definitions in the order of their lines."""

    path: str
    score: float
    symbols: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """Files, most important first; `tokens` is the estimate for the text of `as_text`, `total` the files looked at."""

    files: tuple[OutlinedFile, ...]
    tokens: int
    total: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    value: float
    file: int
    symbol: Symbol


def outline(index: Index, max_tokens: int, paths: Collection[str] | None = None) -> Outline:
    """The outline of the repository, or of `paths` within it, in at most `max_tokens`; the same tree, the same outline.

    Raises StorageError.
    """
    all_paths, names, edges = index.paths(), names_defined(index), links(index)
    chosen = [n for n, path in enumerate(all_paths) if (paths is None or path in paths) and names[n]]
    if not chosen:
        return _only_files(paths if paths is not None else all_paths, max_tokens)
    origins = index.words().origins
    kinds = [kind_of(path, origins.get(number, "")) for number, path in enumerate(all_paths)]
    groups = [GROUPS.get(kind, LAST) for kind in kinds]
    linked = page_rank(len(kinds), edges, [VOTE[group] for group in groups])
    first = min(groups[number] for number in chosen)
    leading = nlargest(LARGE, (n for n in range(len(kinds)) if groups[n] == first), key=linked.__getitem__)
    telling = _telling({number: names[number] for number in leading})
    held = _holders(index, {name.lower() for own in telling.values() for name in own})
    named = {number: sum(len(held.get(name.lower(), ())) for name in own) for number, own in telling.items()}
    scores = _importance(kinds, linked, named)
    most = min(MOST_FILES, max(FEWEST_FILES, max_tokens // TOKENS_PER_FILE))
    best = sorted(chosen, key=lambda n: (groups[n], -scores[n], all_paths[n]))[:most]
    symbols = {number: index.symbols_in(all_paths[number]) for number in best}
    uses = _uses(symbols, names, edges, held, index)
    taken, tokens = _fill(symbols, {n: scores[n] * VOTE[groups[n]] for n in best}, uses, max_tokens)
    files = tuple(
        OutlinedFile(all_paths[n], round(scores[n], 4), tuple(s for s in symbols[n] if s in taken[n]))
        for n in best
        if n in taken
    )
    return Outline(files, tokens, len(chosen))


def as_text(file: OutlinedFile) -> tuple[str, ...]:
    """The lines of one file: its path, then each definition, indented under its parents."""
    return (file.path, *(f"{symbol.line:>6}  {signature(symbol)}" for symbol in file.symbols))


def signature(symbol: Symbol) -> str:
    """The signature of a definition on one line, indented under its parents."""
    line = " ".join((symbol.signature or f"{symbol.kind} {symbol.name}").split())
    depth = symbol.qualified.count(".") if symbol.parent else 0
    return "  " * depth + (line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…")


# ── importance ───────────────────────────────────────────────────────────────────────────────────


def _importance(kinds: Sequence[FileKind], linked: Sequence[float], named: Mapping[int, float]) -> list[float]:
    """How much of the repository imports each file and uses its names, in 0…1."""
    largest = max(linked, default=0.0) or 1.0
    most = math.log1p(max(named.values(), default=0.0)) or 1.0
    return [
        (LINKS_SHARE * math.sqrt(link / largest) + NAMES_SHARE * math.log1p(named.get(number, 0.0)) / most)
        * (INIT_SHARE if kind == "init" else 1.0)
        for number, (link, kind) in enumerate(zip(linked, kinds, strict=True))
    ]


def page_rank(count: int, edges: Iterable[tuple[int, int]], votes: Sequence[float]) -> list[float]:
    """PageRank of `count` nodes over directed edges; `votes` is where a walk begins, in any scale."""
    if not count:
        return []
    onward: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        if source != target:
            onward[source].append(target)
    whole = sum(votes) or 1.0
    begin = [vote / whole for vote in votes]
    ranks = begin
    for _ in range(ROUNDS):
        lost = 1.0 - DAMPING * sum(rank for rank, targets in zip(ranks, onward, strict=True) if targets)
        after = [lost * share for share in begin]
        for rank, targets in zip(ranks, onward, strict=True):
            if targets:
                share = DAMPING * rank / len(targets)
                for target in targets:
                    after[target] += share
        ranks = after
    return ranks


def _telling(names: Mapping[int, Sequence[str]]) -> dict[int, frozenset[str]]:
    """The distinctive names of each file, which few other files define."""
    defining: Counter[str] = Counter(name for own in names.values() for name in set(own))
    rare = {name for name, count in defining.items() if count <= MOST_DEFINING and _is_distinct(name)}
    return {number: frozenset(rare.intersection(own)) for number, own in names.items()}


def _holders(index: Index, terms: Collection[str]) -> Mapping[str, Collection[int]]:
    """The files that contain each term: from all lists at once, or one by one when there are few."""
    if len(terms) * FILES_PER_TERM > len(index.paths()):
        return holders(index, terms)
    words = index.words()
    return {term: words.files_of("body", term) for term in sorted(terms)}


def _is_distinct(name: str) -> bool:
    """Whether a name is hardly ever a plain word: it has several parts."""
    bare = name.strip("_")
    return len(bare) >= LEAST_DISTINCT and ("_" in bare or not (bare[1:].islower() or bare.isupper()))


def _uses(
    symbols: Mapping[int, Sequence[Symbol]],
    names: Sequence[Sequence[str]],
    edges: Iterable[tuple[int, int]],
    held: Mapping[str, Collection[int]],
    index: Index,
) -> dict[tuple[int, str], float]:
    """How many other files use each definition; those that import its file count in full.

    Methods with a plain name do not count: such names occur everywhere.
    """
    importers: defaultdict[int, set[int]] = defaultdict(set)
    for source, target in edges:
        importers[target].add(source)
    wanted = {s.name for own in symbols.values() for s in own if s.kind != "method" or _is_distinct(s.name)}
    defining: Counter[str] = Counter(name for own in names for name in wanted.intersection(own))
    held = {**held, **_holders(index, {name.lower() for name in wanted} - held.keys())}
    uses: dict[tuple[int, str], float] = {}
    for number, own in symbols.items():
        for name in wanted.intersection(symbol.name for symbol in own):
            elsewhere = set(held.get(name.lower(), ())) - {number}
            near = len(elsewhere & importers[number])
            far = (len(elsewhere) - near) / defining[name]
            uses[number, name] = near + far if _is_distinct(name) else PLAIN_NEAR * near + PLAIN_FAR * far
    return uses


# ── what fits ────────────────────────────────────────────────────────────────────────────────────


def _fill(
    symbols: Mapping[int, Sequence[Symbol]],
    scores: Mapping[int, float],
    uses: Mapping[tuple[int, str], float],
    max_tokens: int,
) -> tuple[dict[int, set[Symbol]], int]:
    """Take the most valuable definitions, each with its parents, until the tokens are spent."""
    candidates = [c for number, own in symbols.items() for c in _candidates(number, own, scores[number], uses)]
    candidates.sort(key=lambda c: (-c.value, c.symbol.path, c.symbol.line))
    taken: dict[int, set[Symbol]] = {}
    left, misses = max_tokens, 0
    for candidate in candidates:
        known = taken.get(candidate.file, set())
        new = [symbol for symbol in _with_parents(candidate.symbol, symbols[candidate.file]) if symbol not in known]
        head = [] if known else [f"{candidate.symbol.path}\n"]
        cost = sum(map(count_tokens, [*head, *(f"{symbol.line:>6}  {signature(symbol)}\n" for symbol in new)]))
        if cost <= left:
            left -= cost
            taken[candidate.file] = known | set(new)
        elif (misses := misses + 1) >= MISSES:
            break
    return taken, max_tokens - left


def _candidates(
    number: int, own: Sequence[Symbol], score: float, uses: Mapping[tuple[int, str], float]
) -> Iterable[_Candidate]:
    """The definitions of one file that may be shown; each is worth less than the one before."""
    inner = {symbol.qualified for symbol in own if symbol.kind in _FUNCTIONS}
    valued = sorted(
        (
            (_worth(symbol, uses.get((number, symbol.name), 0.0)), symbol)
            for symbol in own
            if symbol.parent not in inner
        ),
        key=lambda pair: (-pair[0], pair[1].line),
    )
    for place, (worth, symbol) in enumerate(valued):
        yield _Candidate(score * worth / (1.0 + FALLOFF * place), number, symbol)


def _worth(symbol: Symbol, uses: float) -> float:
    worth = 1.0 + math.log1p(uses)
    if symbol.kind == "method":
        worth *= METHOD
    if symbol.kind not in _SHOWN_FIRST:
        worth *= OTHER_KIND
    return worth * PRIVATE if symbol.name.startswith("_") else worth


def _with_parents(symbol: Symbol, own: Sequence[Symbol]) -> list[Symbol]:
    """A definition and its parents in the same file."""
    found = [symbol]
    while found[-1].parent:
        inner = found[-1]
        outer = [s for s in own if s.qualified == inner.parent and s.start <= inner.start and s.end >= inner.end]
        if not outer or outer[-1] in found:
            break
        found.append(outer[-1])
    return found


def _only_files(paths: Collection[str], max_tokens: int) -> Outline:
    """The paths alone, as many as fit, for a tree without definitions."""
    files: list[OutlinedFile] = []
    left = max_tokens
    for path in sorted(paths, key=lambda path: (GROUPS.get(kind_of(path), LAST), path.count("/"), path)):
        left -= count_tokens(path + "\n")
        if left < 0:
            left += count_tokens(path + "\n")
            break
        files.append(OutlinedFile(path, 0.0, ()))
    return Outline(tuple(files), max_tokens - left, len(paths))
