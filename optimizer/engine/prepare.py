"""From a query to a request: the index brought up to date, its context, and the tokens that it may take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from optimizer.debug import debug
from optimizer.errors import InputError
from optimizer.retrieval import Context, ContextLimits, Query
from optimizer.settings import AUTO

if TYPE_CHECKING:
    from optimizer.agent.notes import Notes
    from optimizer.agent.talk import Talk
    from optimizer.context.rank import ExplainedFile
    from optimizer.engine.services import Workspace
    from optimizer.index.refresh import Refreshed
    from optimizer.reasons import Size
    from optimizer.routing.size import Room
    from optimizer.types import Task

NOTED_FILES = 3
LEAST_SPACE = 200  # tokens for the request and its code
WITH_IMAGES = 1000  # tokens for them that are suggested where images leave too few
MOST_UNASKED = 20_000  # files outside git that are indexed without a question
FILLED = 0.9  # share of the tokens for code from which more code is likely to be left
PLAN = 500  # tokens of a plan, at most


def refresh(workspace: Workspace) -> Refreshed:
    """Re-read what changed in the repository; raises StorageError, and InputError for a huge folder outside git.

    Whether such a folder is indexed is asked until it is.
    """
    from optimizer.index.files import holds_more
    from optimizer.index.refresh import refresh as refresh_index

    index = workspace.index
    huge = not index.root.git and not index.paths() and holds_more(index.root, MOST_UNASKED)
    if huge and not workspace.may_walk(workspace.root, MOST_UNASKED):
        from optimizer.report.progress import many_files

        raise InputError(
            many_files(str(workspace.root), MOST_UNASKED), "go into a project's folder; to index it all: optimize index"
        )
    done = refresh_index(workspace.index, workspace.settings, workspace.progress)
    debug(
        "index", "%d parsed, %d removed, %d unchanged, %.2f s", done.parsed, done.removed, done.unchanged, done.seconds
    )
    return done


def choose(query: Query, workspace: Workspace, max_tokens: int, top: int = 20) -> Context:
    """The context of `query` in at most `max_tokens`; without context-optimization, whole files up to naive_tokens."""
    _refuse_empty(query)
    if workspace.features.context_optimization:
        return _chosen(query, workspace, ContextLimits(max_tokens, workspace.settings.max_files, top))
    from optimizer.context import select

    return select.naive(query, workspace.index, workspace.settings.naive_tokens)


def choose_in(talk: Talk | None, query: Query, workspace: Workspace, max_tokens: int) -> Context:
    """The context of `query`, after what is staged in its conversation."""
    if talk is None:
        return choose(query, workspace, max_tokens)
    from optimizer.agent.talk import with_staged

    return with_staged(choose(query._replace(text=talk.sought(query.text)), workspace, max_tokens), talk.staged)


def _chosen(query: Query, workspace: Workspace, limits: ContextLimits) -> Context:
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
    return notes.near(files, notes.reader(workspace.root, workspace.index.sees), max_tokens)


def within(context: Context, max_tokens: int) -> Context:
    """The context with its best items only, up to `max_tokens`; the order stays."""
    kept = set[int]()
    for number, item in sorted(enumerate(context.items), key=lambda pair: -pair[1].score):
        if item.tokens <= max_tokens:
            max_tokens -= item.tokens
            kept.add(number)
    items = tuple(item for number, item in enumerate(context.items) if number in kept)
    return context._replace(items=items, tokens=sum(item.tokens for item in items))


@dataclass(frozen=True, slots=True)
class Request:
    """A request on its way: its id, and what every attempt is asked.

    Its context was chosen for `wanted` within `code` tokens; `room` says whether an attempt may have more. `talk` is
    the conversation that it belongs to.
    """

    id: str
    query: Query
    context: Context
    task: Task
    wanted: Query
    code: int
    room: Room
    notes: Notes | None = None
    talk: Talk | None = None


class Budget(NamedTuple):
    """The tokens of one request to a model, and what takes them.

    `fixed` are the system text, the tools and the frame, `asked` the request with what was piped in, `notes` the most
    that the project's notes take, which are cut to `notes_limit`; what is left is for code.
    """

    total: int
    answer: int
    fixed: int
    notes_limit: int = 0
    notes: int = 0
    images: int = 0
    asked: int = 0
    plan: int = 0

    @property
    def code(self) -> int:
        """What is left."""
        return self.total - self.answer - self.fixed - self.notes - self.images - self.asked - self.plan

    def parts(self) -> dict[str, int]:
        """What takes the tokens, by name."""
        return {
            "answer": self.answer,
            "fixed": self.fixed,
            "notes": self.notes,
            "images": self.images,
            "asked": self.asked,
            "plan": self.plan,
            "code": self.code,
        }

    def prompt(self, notes: int, code: int) -> int:
        """The tokens of the prompt with so many tokens of notes and code in it."""
        return self.fixed + notes + code + self.asked + self.images


def room(context: Context, code: int, workspace: Workspace) -> Room:
    """What a request may take whose context was chosen within `code` tokens."""
    from optimizer.routing.size import Room

    settings = workspace.settings
    auto = settings.request_tokens == AUTO and workspace.features.context_optimization
    return Room(settings.first_request, auto, left=context.tokens >= FILLED * code)


def resized(request: Request, size: Size | None, workspace: Workspace) -> Request:
    """The request with as much code as one of this size has room for."""
    more = size.tokens - request.room.least if size else 0
    if not more:
        return request
    return replace(request, context=choose_in(request.talk, request.wanted, workspace, request.code + more))


def first_budget(query: Query, workspace: Workspace, planned: bool = False) -> tuple[Query, Budget]:
    """The query cut to its share of a first request, and the budget of that request.

    Its `total` is that of a first request to any model, the answer included; the request with what was piped in may
    take half of what is left after the other parts. Raises InputError when images, or settings, leave no room.
    """
    from optimizer.agent import notes, prompts
    from optimizer.context.budget import count_tokens

    settings = workspace.settings
    total, answer, fixed = settings.first_request, settings.max_tokens, prompts.overhead()
    free = total - answer - fixed
    if free < LEAST_SPACE:
        raise InputError(
            f"request_tokens = {total:,} leaves no room with max_tokens = {answer:,}",
            "raise request_tokens or lower max_tokens",
        )
    limit = min(settings.notes_tokens, free // 4)
    reserved = notes.most_tokens(workspace.index.paths(), limit, notes.reader(workspace.root, workspace.index.sees))
    images = _images(query, free - reserved, total)
    fitted = prompts.fit_query(query, (free - reserved - images) // 2)
    asked = count_tokens(fitted.text) + count_tokens(fitted.extra)
    return fitted, Budget(total, answer, fixed, limit, reserved, images, asked, PLAN if planned else 0)


def words_budget(total: int, answer: int, asked: int = 0) -> Budget:
    """The budget of a question to a model that is answered in words, with no tools."""
    from optimizer.agent import prompts

    return Budget(total, answer, prompts.overhead(edits=False), asked=asked)


def _images(query: Query, free: int, total: int) -> int:
    """Tokens that the images of a query take of those `free`; raises InputError where they leave too few."""
    from optimizer.agent import prompts

    taken = prompts.pictured(query)
    if taken and free - taken < LEAST_SPACE:
        enough = -(-(total + taken - free + WITH_IMAGES) // 500) * 500
        raise InputError(
            f"the images take up to {taken:,} tokens, and request_tokens ({total:,}) leaves {free:,} for them "
            "and the code",
            f"write request_tokens = {enough} into config.toml (optimize config path), or send a smaller part of them",
        )
    return taken
