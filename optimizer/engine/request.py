"""One request on its way: what every attempt is asked, and the tokens that it may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from optimizer.errors import InputError
from optimizer.retrieval import Context, Query

if TYPE_CHECKING:
    from optimizer.agent.notes import Notes
    from optimizer.engine.services import Workspace
    from optimizer.types import Task

LEAST_ROOM = 200  # tokens for the request and its code
WITH_IMAGES = 1000  # tokens for them that are suggested where images leave too few
PLAN = 500  # tokens of a plan, at most


@dataclass(frozen=True, slots=True)
class Request:
    """A request on its way: its id, and what every attempt is asked."""

    id: str
    query: Query
    context: Context
    task: Task
    notes: Notes | None = None


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

    def prompt(self, notes: int, code: int) -> int:
        """The tokens of the prompt with so many tokens of notes and code in it."""
        return self.fixed + notes + code + self.asked + self.images


def first_budget(query: Query, workspace: Workspace, planned: bool = False) -> tuple[Query, Budget]:
    """The query cut to its share of a first request, and the budget of that request.

    Its `total` is `request_tokens`, the answer included; the request with what was piped in may take half of what is
    left after the other parts. Raises InputError when images, or settings, leave no room.
    """
    from optimizer.agent import notes, prompts
    from optimizer.context.budget import count_tokens

    settings = workspace.settings
    total, answer, fixed = settings.request_tokens, settings.max_tokens, prompts.overhead()
    free = total - answer - fixed
    if free < LEAST_ROOM:
        raise InputError(
            f"request_tokens = {total:,} leaves no room with max_tokens = {answer:,}",
            "raise request_tokens or lower max_tokens",
        )
    limit = min(settings.notes_tokens, free // 4)
    reserved = notes.room(workspace.index.paths(), limit, notes.reader(workspace.root))
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
    if taken and free - taken < LEAST_ROOM:
        enough = -(-(total + taken - free + WITH_IMAGES) // 500) * 500
        raise InputError(
            f"the images take up to {taken:,} tokens, and request_tokens ({total:,}) leaves {free:,} for them "
            "and the code",
            f"write request_tokens = {enough} into config.toml (optimize config path), or send a smaller part of them",
        )
    return taken
