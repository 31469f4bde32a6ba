"""Measure the choice of context on the user's own commits: the message as a request, what it changed as the answer."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.context.paths import kind_of
from optimizer.context.select import select
from optimizer.engine.prepare import first_budget
from optimizer.errors import InputError
from optimizer.git.checkout import Checkout, PastChange, recent
from optimizer.index.files import Root
from optimizer.index.reader import Index, open_index
from optimizer.index.refresh import refresh
from optimizer.retrieval import Context, ContextLimits, Progress, Query, Symbol

if TYPE_CHECKING:
    from optimizer.engine.services import Workspace

RANKS = (1, 3, 5, 10)
BODIES = ("function", "method")
SOURCE = ("source", "init")


@dataclass(frozen=True, slots=True)
class Measured:
    """One commit as a request: changed files by rank (0: not among the first ten), changed functions and how many of
    their bodies were chosen, tokens of the context and milliseconds to choose it."""

    id: str
    subject: str
    ranks: Mapping[str, int]
    functions: int
    covered: int
    tokens: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Figures over all commits: mean share of changed files within the first k, share of changed functions whose body
    was chosen (None: no function changed), mean tokens, milliseconds. `left_out` commits could not be laid out."""

    commits: int
    left_out: int
    recall: Mapping[int, float]
    functions: int
    bodies: float | None
    tokens: int
    milliseconds_median: float
    milliseconds_p95: float
    queries: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """A commit as a request: its parent, laid out and indexed."""

    change: PastChange
    checkout: Checkout
    index: Index


def retrieval(workspace: Workspace, count: int) -> Retrieval:
    """Measure the choice of context on the last `count` commits that change one to ten source files.

    Each is asked at its parent, in a throw-away copy: nothing is written into the repository, and the history that the
    choice sees ends there too. Raises InputError where there are no such commits, StorageError.
    """
    changes = changes_of(workspace, count)
    queries = tuple(_measure(workspace, past) for past in laid_out(workspace, changes))
    if not queries:
        raise not_here()
    return _sum_up(queries, len(changes) - len(queries))


def changes_of(workspace: Workspace, count: int) -> tuple[PastChange, ...]:
    """The last `count` commits that change one to ten source files; raises InputError where there are none."""
    changes = recent(workspace.root, count, lambda path: kind_of(path) in SOURCE)
    if not changes:
        raise InputError(
            f"no commit of {workspace.root} changes one to ten source files",
            "work in a repository with some history",
        )
    return changes


def not_here() -> InputError:
    """None of the commits can be laid out."""
    return InputError(
        "the files of past commits are not all in this clone", "fetch them: git fetch --refetch --no-filter"
    )


def laid_out(workspace: Workspace, changes: Sequence[PastChange]) -> Generator[Past, None, None]:
    """Each change that can be laid out, at its parent, in one temporary folder. Raises StorageError."""
    with tempfile.TemporaryDirectory(prefix="optimizer-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        checkout = Checkout(workspace.root, folder / "tree")
        index = open_index(Root(checkout.root, True), folder / "cache")
        try:
            for number, change in enumerate(changes, 1):
                if checkout.move(change.parent):
                    refresh(index, workspace.settings, lambda _: None)
                    index.words()
                    index.history()
                    yield Past(change, checkout, index)
                workspace.progress(Progress("bench", number, len(changes)))
        finally:
            index.close()


def _measure(workspace: Workspace, past: Past) -> Measured:
    query, budget = first_budget(Query(past.change.message), workspace)
    begun = perf_counter()
    context = select(query, past.index, ContextLimits(budget.code, workspace.settings.max_files, max(RANKS)))
    return measured(past, context, perf_counter() - begun)


def measured(past: Past, context: Context, seconds: float) -> Measured:
    """How much of a commit is in a context that took so long to choose."""
    change = past.change
    place = {file.path: number for number, file in enumerate(context.files[: max(RANKS)], 1)}
    functions = {
        (path, symbol.start, symbol.end)
        for path in change.files
        for symbol in changed_functions(past.index.symbols_in(path), past.checkout.changed_lines(change, path))
    }
    return Measured(
        id=change.id,
        subject=change.message.partition("\n")[0],
        ranks={path: place.get(path, 0) for path in change.files},
        functions=len(functions),
        covered=sum(_holds(context, *function) for function in functions),
        tokens=context.tokens,
        milliseconds=round(1000 * seconds, 1),
    )


def changed_functions(symbols: Iterable[Symbol], ranges: Iterable[tuple[int, int]]) -> set[Symbol]:
    """The innermost functions that hold changed lines; a range (n + 1, n) is between two lines."""
    bodies = [symbol for symbol in symbols if symbol.kind in BODIES]
    found = set()
    for first, last in ranges:
        places = [(line, line) for line in range(first, last + 1)] or [(last, first)]
        for above, below in places:
            around = [symbol for symbol in bodies if symbol.start <= above and below <= symbol.end]
            found.update(sorted(around, key=lambda symbol: symbol.end - symbol.start)[:1])
    return found


def _holds(context: Context, path: str, start: int, end: int) -> bool:
    lines = set(range(start, end + 1))
    for item in context.items:
        if item.path == path:
            lines.difference_update(range(item.start, item.end + 1))
    return not lines


def _sum_up(queries: tuple[Measured, ...], left_out: int) -> Retrieval:
    functions = sum(query.functions for query in queries)
    times = sorted(query.milliseconds for query in queries)
    return Retrieval(
        commits=len(queries),
        left_out=left_out,
        recall={rank: round(fmean(_within(query, rank) for query in queries), 4) for rank in RANKS},
        functions=functions,
        bodies=round(sum(query.covered for query in queries) / functions, 4) if functions else None,
        tokens=round(fmean(query.tokens for query in queries)),
        milliseconds_median=round(median(times), 1),
        milliseconds_p95=times[math.ceil(0.95 * len(times)) - 1],
        queries=queries,
    )


def _within(query: Measured, rank: int) -> float:
    return sum(0 < place <= rank for place in query.ranks.values()) / len(query.ranks)
