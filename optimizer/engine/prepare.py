"""Bring the index up to date and choose the context of a query."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.debug import debug
from optimizer.errors import InputError
from optimizer.retrieval import Context, Limits, Query

if TYPE_CHECKING:
    from optimizer.agent.notes import Notes
    from optimizer.context.rank import ExplainedFile
    from optimizer.engine.services import Workspace
    from optimizer.index.refresh import Refreshed

NOTED_FILES = 3


def refresh(workspace: Workspace) -> Refreshed:
    """Re-read what changed in the repository; raises StorageError."""
    from optimizer.index.refresh import refresh as refresh_index

    done = refresh_index(workspace.index, workspace.settings, workspace.progress)
    debug(
        "index", "%d parsed, %d removed, %d unchanged, %.2f s", done.parsed, done.removed, done.unchanged, done.seconds
    )
    return done


def choose(query: Query, workspace: Workspace, max_tokens: int, top: int = 20) -> Context:
    """The context of `query` in at most `max_tokens`; without context-optimization, whole files up to naive_tokens."""
    _refuse_empty(query)
    started = perf_counter()
    if workspace.features.context_optimization:
        context = _chosen(query, workspace, Limits(max_tokens, workspace.settings.max_files, top))
    else:
        from optimizer.context import select

        context = select.naive(query, workspace.index, workspace.settings.naive_tokens)
    timing = {**context.timing_ms, "select": round((perf_counter() - started) * 1000, 1)}
    return context._replace(timing_ms=timing)


def _chosen(query: Query, workspace: Workspace, limits: Limits) -> Context:
    from optimizer.context import stored

    cache, reranker = workspace.places.cache / "context", workspace.reranker()
    known = stored.kept(query, workspace.index, limits, cache, reranker)
    if known is not None:
        return known
    from optimizer.context import select

    return select.select(query, workspace.index, limits, cache, reranker)


def explain(query: Query, workspace: Workspace, top: int) -> tuple[ExplainedFile, ...]:
    """The best files for `query`, each with every signal it was ranked by."""
    from optimizer.context import rank

    _refuse_empty(query)
    return rank.explain(query.text, workspace.index)[:top]


def _refuse_empty(query: Query) -> None:
    if not query.text.strip():
        raise InputError("the request is empty", 'say what you want, for example: optimize "explain parse_response"')


def notes_near(context: Context, workspace: Workspace, max_tokens: int) -> Notes | None:
    """The repository's own notes (AGENTS.md) nearest to the best files of the context, in at most `max_tokens`."""
    from optimizer.agent import notes

    files = [file.path for file in context.files[:NOTED_FILES]]
    return notes.near(files, notes.reader(workspace.root), max_tokens)


def within(context: Context, max_tokens: int) -> Context:
    """The context with its best items only, up to `max_tokens`; the order stays."""
    kept = set[int]()
    for number, item in sorted(enumerate(context.items), key=lambda pair: -pair[1].score):
        if item.tokens <= max_tokens:
            max_tokens -= item.tokens
            kept.add(number)
    items = tuple(item for number, item in enumerate(context.items) if number in kept)
    return context._replace(items=items, tokens=sum(item.tokens for item in items))
