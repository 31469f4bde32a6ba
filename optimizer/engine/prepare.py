"""Bring the index up to date and choose the context of a query."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from optimizer.errors import InputError
from optimizer.retrieval import Context, Limits, Query

if TYPE_CHECKING:
    from optimizer.agent.notes import Notes
    from optimizer.context.rank import ExplainedFile
    from optimizer.engine.services import Services
    from optimizer.index.refresh import Refreshed

NOTED_FILES = 3
LEAST_ROOM = 200  # tokens for the request and its code
ROOM_BESIDE_IMAGES = 1000  # tokens for them that are advised where images leave too few


def refresh(services: Services) -> Refreshed:
    """Re-read what changed in the repository; raises StorageError."""
    from optimizer.index.refresh import refresh as refresh_index

    return refresh_index(services.workspace.index, services.workspace.settings, services.workspace.progress)


def choose(query: Query, services: Services, max_tokens: int, top: int = 20) -> Context:
    """The context of `query` in at most `max_tokens`; without context-optimization, whole files up to naive_tokens."""
    _refuse_empty(query)
    started = perf_counter()
    if services.workspace.features.context_optimization:
        context = _chosen(query, services, Limits(max_tokens, services.workspace.settings.max_files, top))
    else:
        from optimizer.context import select

        context = select.naive(query, services.workspace.index, services.workspace.settings.naive_tokens)
    timing = {**context.timing_ms, "select": round((perf_counter() - started) * 1000, 1)}
    return context._replace(timing_ms=timing)


def _chosen(query: Query, services: Services, limits: Limits) -> Context:
    from optimizer.context import stored

    cache, reranker = services.workspace.places.cache / "context", services.workspace.reranker()
    known = stored.kept(query, services.workspace.index, limits, cache, reranker)
    if known is not None:
        return known
    from optimizer.context import select

    return select.select(query, services.workspace.index, limits, cache, reranker)


def explain(query: Query, services: Services, top: int) -> tuple[ExplainedFile, ...]:
    """The best files for `query`, each with every signal it was ranked by."""
    from optimizer.context import rank

    _refuse_empty(query)
    return rank.explain(query.text, services.workspace.index)[:top]


def _refuse_empty(query: Query) -> None:
    if not query.text.strip():
        raise InputError("the request is empty", 'say what you want, for example: optimize "explain parse_response"')


def room_for_context(query: Query, services: Services) -> tuple[Query, int]:
    """The query cut to its share of a first request, and the tokens left for code.

    The first request (system, tools, notes, code, request, answer budget) fits in `request_tokens`; the request with
    what was piped in may take half of what is left after the fixed parts. Raises InputError when images, or settings,
    leave no room.
    """
    from optimizer.agent import notes, prompts
    from optimizer.context import budget

    settings = services.workspace.settings
    free = settings.request_tokens - settings.max_tokens - prompts.overhead()
    if free < LEAST_ROOM:
        raise InputError(
            f"request_tokens = {settings.request_tokens:,} leaves no room beside max_tokens = {settings.max_tokens:,}",
            "raise request_tokens or lower max_tokens",
        )
    free -= notes.room(services.workspace.index.paths(), _share(free, services), notes.reader(services.workspace.root))
    free -= _pictured(query, free, settings.request_tokens)
    fitted = prompts.fit_query(query, free // 2)
    used = budget.count_tokens(fitted.text) + budget.count_tokens(fitted.extra)
    return fitted, free - used


def _pictured(query: Query, free: int, request_tokens: int) -> int:
    """Tokens that the images of a query take of those `free`; raises InputError where they leave too few."""
    from optimizer.agent import prompts

    taken = prompts.pictured(query)
    if taken and free - taken < LEAST_ROOM:
        enough = -(-(request_tokens + taken - free + ROOM_BESIDE_IMAGES) // 500) * 500
        raise InputError(
            f"the images take up to {taken:,} tokens, and request_tokens ({request_tokens:,}) leaves {free:,} for them "
            "and the code",
            f"write request_tokens = {enough} into config.toml (optimize config path), or send a smaller part of them",
        )
    return taken


def cut(query: Query, fitted: Query, services: Services, dry_run: bool) -> Iterator[str]:
    """A line for each of request and piped input that is longer than its share of the prompt; none for what is to be
    summarised now."""
    share = "longer than its share of the prompt"
    if fitted.text != query.text:
        yield f"the request is {share}; its middle is left out"
    if fitted.extra != query.extra and not services.workspace.settings.agent_summarise:
        yield f"what was piped in is {share}; its middle is left out (--summarise puts it in few words)"
    elif fitted.extra != query.extra and dry_run:
        yield f"what was piped in is {share}; a run puts it in few words first"


def notes_near(context: Context, services: Services) -> Notes | None:
    """The repository's own notes (AGENTS.md) nearest to the best files of the context, within their share of tokens."""
    from optimizer.agent import notes, prompts

    settings = services.workspace.settings
    free = settings.request_tokens - settings.max_tokens - prompts.overhead()
    files = [file.path for file in context.files[:NOTED_FILES]]
    return notes.near(files, notes.reader(services.workspace.root), _share(free, services))


def _share(free: int, services: Services) -> int:
    """Most tokens of notes: what the settings say, and never more than a quarter of what is free."""
    return min(services.workspace.settings.notes_tokens, free // 4)


def better_half(context: Context) -> Context:
    """The context with its best items only, up to half of its tokens."""
    return within(context, context.tokens // 2)


def within(context: Context, room: int) -> Context:
    """The context with its best items only, up to `room` tokens; the order stays."""
    kept = set[int]()
    for number, item in sorted(enumerate(context.items), key=lambda pair: -pair[1].score):
        if item.tokens <= room:
            room -= item.tokens
            kept.add(number)
    items = tuple(item for number, item in enumerate(context.items) if number in kept)
    return context._replace(items=items, tokens=sum(item.tokens for item in items))
